import * as assert from 'node:assert/strict';
import { runFleet } from './fleet';

describe('a dozen pods with limits, the editor gone and the API in trouble', function () {
  this.timeout(300_000);

  it('are each stopped within a minute of pod time of what is later, the deadline or the API’s return; none too soon, none twice', async () => {
    // What a busy machine takes from the guards counts ten times here, where time runs so fast. Who is late for that is not where
    // it runs slower; who is late by himself is, too.
    for (const speed of [10, 5, 2.5]) {
      const { outcomes } = await runFleet({ pods: 12, speed, limits: [100, 240], cuts: [{ from: 140, to: 190, how: 'reset' }] });
      assert.deepEqual(outcomes.filter((o) => o.stops !== 1 || o.afterDeadline < 0), []);
      const late = outcomes.filter((o) => o.late > 60);
      if (late.length === 0) return;
      if (speed === 2.5) assert.deepEqual(late, []);
    }
  });
});
