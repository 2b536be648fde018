// The long fault and load suites: `npm run soak`, or some of them: `npm run soak -- test/ssh/drops.soak.ts`.
import { conclude, runPart } from './setup/parts.mjs';
import { main, setUp } from './setup/setup.mjs';
import { soakPart } from './setup/suites.mjs';

await main(async () => {
  await setUp({ simulator: true });
  conclude([await runPart(soakPart(process.argv.slice(2)), { live: true })]);
});
