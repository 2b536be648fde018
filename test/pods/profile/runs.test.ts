import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { readProfiles } from '../../../src/pods/profile/read';
import { runWishes } from '../../../src/pods/profile/runs';

const wishes = (text: string, pod: string): unknown => runWishes(readProfiles(text).profiles, pod);

describe('what a folder asks of its runs', () => {
  it('is what its one profile says', () => {
    assert.deepEqual(wishes('{ "gpu": "L4", "results": ["out/"], "afterRun": "stop" }', 'any'), { results: ['out/'], afterRun: 'stop' });
    assert.deepEqual(wishes('{ "gpu": "L4" }', 'any'), {});
  });

  it('is what the profile says that the pod was made from, else what all say alike', () => {
    const text = `{ "gpu": "L4", "results": ["out/"], "profiles": {
      "train": { "afterRun": "stop", "results": ["checkpoints/"] },
      "try": { "name": "sdxl", "afterRun": "keep" },
      "sweep": {} } }`;
    assert.deepEqual(wishes(text, 'train'), { results: ['checkpoints/'], afterRun: 'stop' });
    assert.deepEqual(wishes(text, 'train-2'), { results: ['checkpoints/'], afterRun: 'stop' });
    assert.deepEqual(wishes(text, 'sdxl'), { results: ['out/'], afterRun: 'keep' });
    assert.deepEqual(wishes(text, 'training'), {});
    assert.deepEqual(wishes(text.replace('"results": ["checkpoints/"]', '"disk": 20'), 'other'), { results: ['out/'] });
  });

  it('is a place on the pod that does not lead out of it', () => {
    assert.deepEqual(wishes('{ "gpu": "L4", "destination": "projects/llama" }', 'any'), { destination: 'projects/llama' });
    for (const wrong of ['..', '../x', 'a/../b', 'a/..', '/', '.', ' ']) assert.deepEqual(wishes(JSON.stringify({ gpu: 'L4', destination: wrong }), 'any'), {}, wrong);
    for (const right of ['/root/x', 'a..b', '..a/b', 'x']) assert.deepEqual(wishes(JSON.stringify({ gpu: 'L4', destination: right }), 'any'), { destination: right });
  });

  it('is nothing where the file cannot be used', () => {
    assert.deepEqual(wishes('{ "gpu": "L4", "afterRun": "explode", "results": ["out/"] }', 'any'), {});
  });
});
