import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CutRig, steps } from './cuts';

describe('a folder and a pod over a link that is cut', () => {
  let rig: CutRig;
  before(async () => {
    rig = await CutRig.start();
  });
  after(() => rig.stop());

  it('hold whole files only, lose none, and are in step after the next sync, as a model says', async () => {
    await fc.assert(fc.asyncProperty(steps, (all) => rig.run(all)), { numRuns: 6, seed: 20261120, endOnFailure: true });
    assert.ok(rig.cuts >= 3 && rig.unhurt >= 3, `${rig.cuts} cuts, ${rig.unhurt} without effect`);
  });
});
