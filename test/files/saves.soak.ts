import assert from 'node:assert/strict';
import { startPod } from './pod';
import { savesUnderCuts } from './savesUnderCuts';

describe('10,000 saves over links that are cut at random bytes', function () {
  this.timeout(25 * 60_000);
  const atOnce = 4;

  for (let round = 0; round < 5; round++)
    it(`none acknowledged that is not whole, no old content lost, nothing left behind (${round * 2000 + 1} to ${round * 2000 + 2000})`, async () => {
      await Promise.all(
        Array.from({ length: atOnce }, async (_, i) => {
          const pod = await startPod({ files: { silenceMs: 5_000, openMs: 10_000 } });
          try {
            const outcome = await savesUnderCuts(pod, 2_000 / atOnce, (round * atOnce + i + 1) * 7919, 3);
            assert.ok(outcome.cuts > 50 && outcome.acknowledged > 50 && outcome.refused > 20, JSON.stringify(outcome));
          } finally {
            await pod.stop();
          }
        }),
      );
    });
});
