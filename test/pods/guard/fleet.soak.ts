import * as assert from 'node:assert/strict';
import { runFleet } from './fleet';

describe('two hundred pods with limits, the editor gone and the API in trouble', function () {
  this.timeout(480_000);

  it('are each stopped within a minute of pod time of what is later, the deadline or the API’s return; none too soon, none twice', async () => {
    const { outcomes, calls } = await runFleet({
      pods: 200,
      speed: 10,
      limits: [900, 2700],
      cuts: [
        { from: 0, to: 60, how: 503 },
        { from: 1200, to: 1290, how: 'reset' },
        { from: 1700, to: 1790, how: 'hang' },
        { from: 2100, to: 2250, how: 503 },
      ],
    });
    const late = outcomes.map((o) => o.late).sort((a, b) => a - b);
    console.log(`      ${calls} calls; late by ${[0.5, 0.95, 1].map((q) => `${late[Math.ceil(q * late.length) - 1]?.toFixed(1)} s`).join(' / ')} (half, 95 %, all)`);
    assert.equal(outcomes.length, 200);
    assert.deepEqual(outcomes.filter((o) => o.stops !== 1 || o.afterDeadline < 0 || o.late > 60), []);
  });
});
