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
      const used = await roundTrips(pod, operation);
      assert.ok(used <= operation.limit, `${used} round trips, ${operation.limit} allowed`);
    });
});
