// The long fault and load suites: `npm run soak`, or some of them: `npm run soak -- test/ssh/drops.soak.ts`.
import { conclude, mocha, runPart } from './setup/parts.mjs';
import { main, setUp } from './setup/setup.mjs';

await main(async () => {
  const files = process.argv.slice(2);
  await setUp({ simulator: true });
  const args = ['--timeout', '600000', ...(files.length > 0 ? files : ['test/**/*.soak.ts'])];
  conclude([await runPart(mocha('Soak', args, 38), { live: true })]);
});
