import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { secondLook } from '../../src/pods/guard/secondLook';
import { Orphans, type Orphan } from '../../src/pods/orphans';
import type { Pod, PodRow } from '../../src/runpod/types';
import { aPod } from './fixtures';

/** What two windows share. */
class Shelf {
  all: readonly Orphan[] = [];
  open = (): Orphans => new Orphans({ read: () => this.all, write: async (all) => void (this.all = all) });
}
const rows = (...pods: Pod[]): PodRow[] => pods.map((pod) => ({ kind: 'pod', pod }));

describe('pods that nobody knows to have asked for', () => {
  const pod = aPod({ id: 'left', createdAt: new Date(1_000) });

  it('are kept in mind over windows until somebody keeps them', async () => {
    const shelf = new Shelf();
    await shelf.open().add(['left', 'left'], 'o');
    await shelf.open().add(['left'], 'o');
    assert.equal(shelf.all.length, 1);
    assert.deepEqual([...shelf.open().in(rows(pod), 'o')], ['left']);
    await shelf.open().settle('left');
    assert.deepEqual([...shelf.open().in(rows(pod), 'o')], []);
  });

  it('are forgotten when they are gone, and only then', async () => {
    const shelf = new Shelf();
    await shelf.open().add(['left'], 'o');
    assert.equal(shelf.open().in([], 'another account').size, 0);
    assert.equal(shelf.open().in([{ kind: 'unreadable', row: { problem: 'no id', raw: {} } }], 'o').size, 0);
    assert.equal(shelf.all.length, 1, 'a list that cannot be read whole proves nothing');
    assert.deepEqual([...shelf.open().in([{ kind: 'unreadable', row: { id: 'left', problem: 'no status', raw: {} } }], 'o')], ['left']);
    shelf.open().in(rows(aPod({ id: 'other' })), 'o');
    assert.equal(shelf.all.length, 0);
  });

  it('are found by the second look whether they run or not', () => {
    const found = (status: Pod['status']): string[] => secondLook([{ ...pod, status }], {}, 5_000, new Set(['left'])).findings.map((f) => `${f.kind} ${f.since}`);
    assert.deepEqual([found('RUNNING'), found('EXITED'), found('TERMINATED')], [['orphan 1000'], ['orphan 1000'], []]);
  });
});
