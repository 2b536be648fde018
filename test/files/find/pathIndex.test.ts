import assert from 'node:assert/strict';
import { PathIndex } from '../../../src/files/find/pathIndex';

const first = (paths: readonly string[], query: string): string | undefined => new PathIndex(paths).find(query, 10)[0];

describe('finding paths by a few letters', () => {
  const tree = ['README.md', 'src/train.py', 'src/trainer/loop.py', 'src/model/attention_block.py', 'src/model/AttentionHead.py', 'configs/train/large.yaml', 'tests/test_train.py', 'data/strain.csv', 'docs/other.txt'];

  it('prefers whole names, then beginnings, then words within', () => {
    assert.equal(first(tree, 'train'), 'src/train.py');
    assert.equal(first(tree, 'train.py'), 'src/train.py');
    assert.deepEqual(new PathIndex(tree).find('train', 10).slice(0, 3), ['src/train.py', 'tests/test_train.py', 'data/strain.csv']);
    assert.equal(first(tree, 'readme'), 'README.md');
  });

  it('understands initials, humps and letters left out', () => {
    assert.equal(first(tree, 'ah'), 'src/model/AttentionHead.py');
    assert.equal(first(tree, 'atbl'), 'src/model/attention_block.py');
    assert.equal(first(tree, 'lrgyml'), 'configs/train/large.yaml');
  });

  it('takes folders, and several words in any order', () => {
    assert.equal(first(tree, 'model/att'), 'src/model/AttentionHead.py');
    assert.equal(first(tree, 'train/l'), 'configs/train/large.yaml');
    assert.equal(first(tree, 'block src'), 'src/model/attention_block.py');
    assert.equal(first(tree, 'src\\train.py'), 'src/train.py');
  });

  it('finds nothing where letters are missing, and everything without a query', () => {
    assert.deepEqual(new PathIndex(tree).find('xyz', 10), []);
    assert.deepEqual(new PathIndex(tree).find('nniart', 10), []);
    assert.equal(new PathIndex(tree).find('', 100).length, tree.length);
    assert.deepEqual(new PathIndex(tree).find('', 2, new Set(['docs/other.txt', 'gone'])), ['docs/other.txt', 'README.md']);
  });

  it('puts what is favoured before what is as good', () => {
    assert.equal(new PathIndex(['a/run.py', 'b/run.py']).find('run', 1, new Set(['b/run.py']))[0], 'b/run.py');
  });

  it('answers the same, typed letter by letter or at once', () => {
    const typed = new PathIndex(tree);
    for (const query of ['t', 'tr', 'tra', 'tra p', 'tra py', 'tra', 'attention']) assert.deepEqual(typed.find(query, 5), new PathIndex(tree).find(query, 5), query);
  });

  it('follows what comes and goes, folders too', () => {
    const index = new PathIndex(tree);
    index.find('attention', 5);
    index.remove('src/model');
    assert.deepEqual(index.find('attention', 5), []);
    index.add(['new/attention.py', 'new/attention.py']);
    assert.deepEqual(index.find('attention', 5), ['new/attention.py']);
    assert.equal(index.size, tree.length - 1);
    index.remove('README.md');
    assert.deepEqual(index.find('readme', 5), []);
  });

  it('lists a tree of 60,000 files long before the next keystroke', () => {
    const paths: string[] = [];
    for (let a = 0; a < 60; a++) for (let b = 0; b < 100; b++) for (let c = 0; c < 10; c++) paths.push(`package${a}/some_module_${b}/${c % 2 ? 'testHelper' : 'train_step'}${c}.py`);
    const index = new PathIndex(paths);
    let slowest = 0;
    for (const query of ['t', 'tr', 'train', 'trst9', 'pack5 mod7 help3', 'zzz', 'e']) {
      const began = performance.now();
      index.find(query, 100);
      slowest = Math.max(slowest, performance.now() - began);
    }
    // 100 ms is the aim; a busy computer gets five times that.
    assert.ok(slowest < 500, `${slowest.toFixed(0)} ms`);
  });
});
