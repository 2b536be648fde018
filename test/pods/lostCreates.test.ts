import { loseCreates } from './lostCreates';

describe('creates whose answers are lost', () => {
  it('make one pod or none each, and none that nobody knows of', async function () {
    await loseCreates(32, 7);
  });
});
