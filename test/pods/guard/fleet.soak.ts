import { stopInTime } from './fleet';

describe('two hundred pods with limits, the editor gone and the API in trouble', function () {
  this.timeout(900_000);

  it('are each stopped within a minute of pod time of what is later, the deadline or the API’s return; none too soon, none twice', async () => {
    await stopInTime(
      [
        {
          pods: 200,
          speed: 10,
          limits: [900, 2700],
          cuts: [
            { from: 0, to: 60, how: 503 },
            { from: 1200, to: 1290, how: 'reset' },
            { from: 1700, to: 1790, how: 'hang' },
            { from: 2100, to: 2250, how: 503 },
          ],
        },
        // As many, the same troubles, closer together.
        {
          pods: 200,
          speed: 4,
          limits: [300, 1200],
          cuts: [
            { from: 0, to: 60, how: 503 },
            { from: 400, to: 490, how: 'reset' },
            { from: 650, to: 740, how: 'hang' },
            { from: 900, to: 1050, how: 503 },
          ],
        },
      ],
      (line) => console.log(`      ${line}`),
    );
  });
});
