// End to end against the real RunPod, on the cheapest CPU pod: `RUNPOD_API_KEY=… npm run live`. Costs about a cent and
// leaves nothing behind. Another address, such as the simulator's, goes into RUNPOD_REST_URL.
import { conclude, mocha, runPart } from './setup/parts.mjs';
import { main, setUp } from './setup/setup.mjs';

await main(async () => {
  if (!process.env.RUNPOD_API_KEY) {
    console.log('Skipped: RUNPOD_API_KEY is not set. With it, this rents the cheapest CPU pod for some minutes.');
    return;
  }
  await setUp();
  conclude([await runPart(mocha('Live', ['--bail', '--timeout', '900000', 'test/live/*.live.ts'], 30), { live: true })]);
});
