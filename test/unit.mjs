// Unit and contract tests: `npm run test:unit`, or of some files only: `npm run test:unit -- test/ssh`.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { conclude, mocha, runPart } from './setup/parts.mjs';
import { main, setUp } from './setup/setup.mjs';

await main(async () => {
  const asked = process.argv.slice(2);
  const files = asked.map((path) => (statSync(path).isDirectory() ? join(path, '**/*.test.ts') : path));
  await setUp({ simulator: true });
  // Files share no state, so each runs in a process of its own, two at a time.
  const args = ['--parallel', '--jobs', '2', '--ignore', 'test/host/**', ...(files.length > 0 ? files : ['test/**/*.test.ts'])];
  conclude([await runPart(mocha('Unit', args, 15), { live: true })]);
});
