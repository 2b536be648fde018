import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { mocha, node } from '../setup/parts.mjs';
import { root } from '../setup/root.mjs';

/** The names of the package's files, a line each, as `buildPart` has found them. */
export const packageList = join(root, 'out', 'package-files.txt');
const env = { RUNPOD_PACKAGE_LIST: packageList };

/** What suite and stories need before they start. */
export const buildPart = () => node('Build', ['test/host/build.mjs'], 5);

/** The suite inside the extension host; words choose files by name. */
export const suitePart = (words = []) => node('Host suite', ['--import', 'tsx', 'test/host/main.ts', ...words], 17, env);

/**
 * The stories in the editor's window, a part a file: each has its own simulator, server and browser, so they run in any
 * order and beside each other. The longest text comes first, so that lanes which share them end together.
 * A browser that is slow to go does not hold a part up: what is left of it ends with the part.
 * @param words choose files by name
 */
export function storyParts(words = []) {
  const folder = join('test', 'host', 'story');
  const size = (name) => statSync(join(root, folder, name)).size;
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.story.ts') && (words.length === 0 || words.some((word) => name.includes(word))))
    .sort((a, b) => size(b) - size(a))
    .map((name) => ({ ...mocha(`Story ${name.replace('.story.ts', '')}`, ['--timeout', '300000', '--exit', join(folder, name)], 10, env), group: 'Stories' }));
}
