import { loseCreates } from './lostCreates';

describe('creates whose answers are lost', () => {
  it('make one pod or none each, and none that nobody knows of', async function () {
    this.timeout(60_000);
    await loseCreates(32, 7);
  });
});
