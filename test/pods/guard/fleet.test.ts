import { stopInTime } from './fleet';

describe('a dozen pods with limits, the editor gone and the API in trouble', function () {
  this.timeout(300_000);

  it('are each stopped within a minute of pod time of what is later, the deadline or the API’s return; none too soon, none twice', async () => {
    await stopInTime([10, 5, 2.5].map((speed) => ({ pods: 12, speed, limits: [100, 240], cuts: [{ from: 140, to: 190, how: 'reset' }] })));
  });
});
