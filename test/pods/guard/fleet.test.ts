import * as assert from 'node:assert/strict';
import { runFleet } from './fleet';

describe('a dozen pods with limits, the editor gone and the API in trouble', function () {
  this.timeout(120_000);

  it('are each stopped within a minute of pod time of what is later, the deadline or the API’s return; none too soon, none twice', async () => {
    const { outcomes } = await runFleet({ pods: 12, speed: 10, limits: [100, 240], cuts: [{ from: 140, to: 190, how: 'reset' }] });
    assert.deepEqual(outcomes.filter((o) => o.stops !== 1 || o.afterDeadline < 0 || o.late > 60), []);
  });
});
