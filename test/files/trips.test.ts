import assert from 'node:assert/strict';
import { counted, roundTrips, startCounting } from './counted';
import type { TestPod } from './pod';

describe('round trips of file operations', () => {
  let pod: TestPod;

  before(async () => {
    pod = await startCounting();
  });
  after(() => pod.stop());

  for (const operation of counted)
    it(`${operation.title}: ${operation.limit} at most`, async () => {
      let used = await roundTrips(pod, operation);
      // A machine that lets this process rest for longer than a round trip parts what is sent together. That passes, so what was
      // too much is counted anew, on a pod of its own; an operation that asks too often does so each time.
      for (let again = 0; used > operation.limit && again < 3; again++) {
        const fresh = await startCounting();
        try {
          used = await roundTrips(fresh, operation);
        } finally {
          await fresh.stop();
        }
      }
      assert.ok(used <= operation.limit, `${used} round trips, ${operation.limit} allowed`);
    });
});
