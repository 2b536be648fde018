import * as assert from 'node:assert/strict';
import { PullProgress } from '../../src/pods/pullProgress';
import { pullLines } from '../simulator/pullLines';

describe('how far an image is', () => {
  const after = (...lines: string[]): number | undefined => {
    const pull = new PullProgress();
    for (const line of lines) pull.read(line);
    return pull.percent;
  };

  it('is not known before the log says something about it', () => {
    assert.equal(after('create pod on machine in US-KS-2'), undefined);
    assert.equal(after('1.0.2 Pulling from runpod/base'), undefined);
  });

  it('counts layers, each by its bytes and then by its unpacking', () => {
    assert.equal(after('3f1cab2290aa: Pulling fs layer', '91cab2290aaf: Pulling fs layer'), 0);
    assert.equal(after('3f1cab2290aa: Pulling fs layer', '91cab2290aaf: Downloading [==>  ] 500MB/1GB'), 20);
    const both = ['3f1cab2290aa: Pulling fs layer', '91cab2290aaf: Pulling fs layer'];
    assert.equal(after(...both, '3f1cab2290aa: Pull complete', '91cab2290aaf: Download complete'), 90);
    assert.equal(after(...both, '3f1cab2290aa: Pull complete', '91cab2290aaf: Pull complete'), 100);
    assert.equal(after('77aa00bb11cc: Already exists', ...both), 0, 'what is there is not pulled');
  });

  it('takes a plain percentage as it stands, and only from a line about the pull', () => {
    assert.equal(after('image pull: 42 %'), 42);
    assert.equal(after('epoch 3: 42%'), undefined);
  });

  it('never falls back, and ends at a hundred', () => {
    const pull = new PullProgress();
    let last = 0;
    for (const line of pullLines('runpod/base:1.0.2-ubuntu2204', true)) {
      pull.read(line);
      assert.ok((pull.percent ?? 0) >= last, line);
      last = pull.percent ?? 0;
    }
    assert.equal(last, 100);
  });
});
