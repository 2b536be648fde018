import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CutRig, steps } from './cuts';

describe('160 folders and pods over links that are cut at any byte', function () {
  this.timeout(20 * 60_000);

  for (let round = 0; round < 4; round++)
    it(`hold whole files only, lose none, and are in step after the next sync, as a model says (${round * 40 + 1} to ${round * 40 + 40})`, async () => {
      const rig = await CutRig.start();
      try {
        await fc.assert(fc.asyncProperty(steps, (all) => rig.run(all)), { numRuns: 40, seed: 20261121 + round, endOnFailure: true });
        assert.ok(rig.cuts > 20 && rig.unhurt > 20 && rig.unknown > 0, `${rig.cuts} cuts, ${rig.unknown} after the fact, ${rig.unhurt} without effect`);
      } finally {
        await rig.stop();
      }
    });
});
