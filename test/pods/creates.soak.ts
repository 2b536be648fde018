import assert from 'node:assert/strict';
import { loseCreates } from './lostCreates';

describe('five hundred creates with lost answers, failures after the fact and no capacity', () => {
  it('never make two pods for one request, and never leave one unseen', async function () {
    this.timeout(240_000);
    const ends = await loseCreates(500);
    // The run is worth something only where all of it happened.
    for (const kind of ['placed', 'uncertain', 'nothing free', 'payment-required']) assert.ok((ends[kind] ?? 0) > 0, `${kind}: ${JSON.stringify(ends)}`);
    assert.ok((ends['placed'] ?? 0) > 200, JSON.stringify(ends));
  });
});
