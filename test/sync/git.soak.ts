import assert from 'node:assert/strict';
import { pushBesideWork } from './gitModel';

describe('many pushes beside work on the pod', function () {
  this.timeout(600_000);
  it('lose nothing', async () => {
    const { accepted, refused } = await pushBesideWork({ rounds: 100, seed: 4242 });
    assert.ok(accepted >= 20 && refused >= 20, `${accepted} accepted, ${refused} refused`);
  });
});
