import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import * as path from 'node:path';

/** What a pod's image has on its PATH. */
export const toolSets = ['rg', 'grep', 'busybox'] as const;
export type ToolSet = (typeof toolSets)[number];

const applets = ['sh', 'cat', 'grep', 'find', 'sleep', 'kill', 'setsid', 'head', 'true', 'stat', 'id', 'rm', 'touch', 'printf', 'sort'];

function which(name: string): string | undefined {
  return ['/usr/bin', '/bin', '/usr/local/bin'].map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

/** Where a program is; without it a variant of the tests could not run. */
export function where(name: string): string {
  const found = which(name);
  if (found === undefined) throw new Error(`${name} is not installed. \`npm test\` sees to that (test/setup/system.mjs).`);
  return found;
}

/** A folder of links to just those tools, for a PATH. */
export async function toolFolder(dir: string, set: ToolSet): Promise<string> {
  const folder = path.join(dir, `bin-${set}`);
  await mkdir(folder);
  const own = where(set);
  for (const name of [...applets, ...(set === 'busybox' ? [] : ['stdbuf', 'cut', 'bash', 'inotifywait']), ...(set === 'rg' ? ['rg'] : [])]) {
    const target = set === 'busybox' && name !== 'setsid' ? own : which(name);
    if (target !== undefined) await symlink(target, path.join(folder, name));
  }
  return folder;
}
