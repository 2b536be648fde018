import assert from 'node:assert/strict';
import { startPod } from './pod';
import { savesUnderCuts } from './savesUnderCuts';

describe('10,000 saves over a link that is cut at random bytes', function () {
  this.timeout(25 * 60_000);
  const rounds = 10;

  for (let round = 1; round <= rounds; round++)
    it(`none acknowledged that is not whole, no old content lost, nothing left behind (${round} of ${rounds})`, async () => {
      const pod = await startPod({ files: { silenceMs: 2_000, openMs: 5_000 } });
      try {
        const outcome = await savesUnderCuts(pod, 10_000 / rounds, round * 7919, 3);
        assert.ok(outcome.cuts > 100 && outcome.acknowledged > 100 && outcome.refused > 50, JSON.stringify(outcome));
      } finally {
        await pod.stop();
      }
    });
});
