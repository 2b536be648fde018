// Unit and contract tests: `npm run test:unit`, or of some files only: `npm run test:unit -- test/ssh`.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { conclude, runPart } from './setup/parts.mjs';
import { main, setUp } from './setup/setup.mjs';
import { unitPart } from './setup/suites.mjs';

await main(async () => {
  const files = process.argv.slice(2).map((path) => (statSync(path).isDirectory() ? join(path, '**/*.test.ts') : path));
  await setUp({ simulator: true });
  conclude([await runPart(unitPart({ files }), { live: true })]);
});
