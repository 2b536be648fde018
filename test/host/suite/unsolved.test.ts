import assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { silentLog } from '../../../src/base/log';
import type { Parts } from '../../../src/editor/parts';
import { pendingEnds, Unsolved } from '../../../src/editor/guard/unsolved';
import { podRow } from '../../../src/editor/podsView/rows';
import { podTooltip } from '../../../src/editor/podsView/tooltip';
import { Orphans, type Orphan } from '../../../src/pods/orphans';
import { PodStore } from '../../../src/pods/store';
import type { PodRow } from '../../../src/runpod/types';
import { aPod } from '../../pods/fixtures';
import { command } from './account';

describe('a pod that nobody knows to have asked for', () => {
  const pod = aPod({ id: 'left', name: 'left $(sync~spin) **over**', startedAt: new Date(), costPerHour: 0.69 });
  let shelf: readonly Orphan[];
  /** Undefined: the list cannot be had. */
  let rows: PodRow[] | undefined;
  let store: PodStore;
  let unsolved: Unsolved;

  beforeEach(async () => {
    shelf = [{ podId: 'left', origin: 'o' }];
    rows = [{ kind: 'pod', pod }];
    store = new PodStore(async () => ({ listPods: async () => rows ?? Promise.reject(new Error('no answer')), readAccount: async () => undefined }), silentLog);
    const globalState: vscode.Memento = { keys: () => [], get: <T>(_key: string, otherwise?: T) => otherwise, update: async () => undefined };
    const orphans = new Orphans({ read: () => shelf, write: async (all) => void (shelf = all) });
    unsolved = new Unsolved({ store, orphans, pendingEnds: pendingEnds(globalState, Date.now), keys: { account: 'o' }, context: { globalState }, now: Date.now } as unknown as Parts);
    await store.refresh();
  });
  afterEach(() => {
    unsolved.dispose();
    store.dispose();
  });
  const row = (): vscode.TreeItem => podRow(pod, { state: store.state, now: Date.now(), activePod: undefined, unsolved: (id) => unsolved.of(id) });

  it('says so in its row and tooltip until somebody keeps it', async () => {
    assert.match(String(row().description), /^\$0\.69\/hr · answer was lost ⚠ · /);
    assert.equal(row().resourceUri?.query, 'unsolved');
    assert.match(row().accessibilityInformation?.label ?? '', /answer was lost/);
    const tooltip = podTooltip(pod, undefined, { state: store.state, now: Date.now(), activePod: undefined, unsolved: (id) => unsolved.of(id) }).value;
    assert.match(tooltip, /RunPod made it though its answer to the request was lost\\\./);
    assert.doesNotMatch(tooltip, /(?<!\\)\$\(sync|(?<!\\)\*\*over/);
    const found = unsolved.of('left');
    assert.ok(found);
    const [terminate, keep] = unsolved.ways(found);
    assert.deepEqual([terminate?.title, keep?.title], ['Terminate Pod…', 'Keep Pod']);
    await keep?.go();
    assert.deepEqual([unsolved.findings, shelf], [[], []]);
    assert.doesNotMatch(String(row().description), /lost/);
  });

  it('is solved when it is gone, and not by a list that failed', async () => {
    rows = undefined;
    await store.refresh();
    assert.equal(unsolved.findings.length, 1);
    rows = [];
    await store.refresh();
    assert.deepEqual([unsolved.findings, shelf], [[], []]);
  });

  it('is asked about by a command that has nothing to ask when there is none', async () => {
    assert.deepEqual(await command('runpod.unsolved'), []);
  });
});
