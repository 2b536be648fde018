import { mocha, node } from '../setup/parts.mjs';

/** The suite inside the extension host; words choose files by name. */
export const suitePart = (words = []) => node('Host suite', ['--import', 'tsx', 'test/host/main.ts', ...words], 12);

/** The stories in the editor's window; words choose files by name. */
export const storiesPart = (words = []) =>
  mocha('Stories', ['--timeout', '120000', ...(words.length > 0 ? words.map((word) => `test/host/story/*${word}*.story.ts`) : ['test/host/story/*.story.ts'])], 15);
