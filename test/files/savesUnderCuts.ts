import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { inspect } from 'node:util';
import { isFileError } from '../../src/files/errors';
import type { LinkShape } from '../simulator/machine';
import type { TestPod } from './pod';

export interface CutOutcome {
  acknowledged: number;
  refused: number;
  /** Refused, though the new content is there: the link went before the answer and did not come back to tell. */
  unknown: number;
  cuts: number;
}

/** Numbers that are the same in every run with the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/**
 * Saves `count` times over a link that is cut after a random number of bytes, either way; every other time it stays away.
 * `savesPerCut` saves pass on average before a cut.
 * Asserts after each that the file is whole: the new content when the save was acknowledged, else the old (or, when
 * nobody could tell, the new), and that in the end no temporary file is left.
 */
export async function savesUnderCuts(pod: TestPod, count: number, seed: number, savesPerCut = 1): Promise<CutOutcome> {
  const random = numbers(seed);
  const outcome: CutOutcome = { acknowledged: 0, refused: 0, unknown: 0, cuts: 0 };
  let afterCut: LinkShape = {};
  pod.host.onDown(() => {
    outcome.cuts++;
    pod.link.shape(afterCut);
  });
  const file = pod.at('train.py');
  let cutsBefore = 0;
  let old = Buffer.from('the first content');
  await fs.writeFile(file, old, { mode: 0o755 });
  for (let i = 0; i < count; i++) {
    const size = [200, 4_000, 40_000, 300_000, 700_000][random(5)] ?? 0;
    const next = Buffer.alloc(size, `${i} ${random(1e9)} `);
    if (i === 0 || outcome.cuts > cutsBefore || random(8) === 0) {
      afterCut = {};
      pod.link.shape({});
      await pod.files.stat(file);
      afterCut = random(2) === 0 ? {} : { fault: 'refuse' };
      // A bit more than all that a save says, so that some pass and some are cut in their last words.
      pod.link.shape(random(3) === 0 ? { cutAfterBytesDown: 1 + random(1_500 * savesPerCut) } : { cutAfterBytesUp: 1 + random((size + 2_500) * savesPerCut) });
      cutsBefore = outcome.cuts;
    }
    const failed = await pod.files.writeFile(file, next, { create: true, overwrite: true }).then(
      () => undefined,
      (error: unknown) => error,
    );
    const now = await fs.readFile(file);
    const which = now.equals(next) ? 'new' : now.equals(old) ? 'old' : `neither (${now.length} bytes)`;
    if (failed === undefined) {
      assert.equal(which, 'new', `save ${i} was acknowledged, and the file is ${which}`);
      outcome.acknowledged++;
    } else {
      assert.ok(isFileError(failed, 'unavailable', 'failure'), inspect(failed));
      assert.ok(which === 'old' || which === 'new', `save ${i} was refused, and the file is ${which}`);
      outcome.refused++;
      if (which === 'new') outcome.unknown++;
    }
    assert.equal((await fs.stat(file)).mode & 0o777, 0o755);
    old = now;
  }
  afterCut = {};
  pod.link.shape({});
  await pod.files.stat(file);
  const deadline = Date.now() + 60_000;
  const left = async (): Promise<string[]> => (await fs.readdir(pod.dir)).filter((name) => name !== 'train.py');
  while ((await left()).length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(await left(), []);
  return outcome;
}
