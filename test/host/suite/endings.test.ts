import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { silentLog } from '../../../src/base/log';
import { AfterRuns } from '../../../src/editor/podRuns/afterRun';
import { Endings } from '../../../src/editor/podRuns/endings';
import type { FolderWishes } from '../../../src/editor/podRuns/wishes';
import { FolderConsents } from '../../../src/editor/profile/consent';
import type { PodStore } from '../../../src/pods/store';
import { setUpGroup } from '../../../src/runs/detached/setUp';
import type { RunRecord } from '../../../src/runs/detached/list';
import { aPod } from '../../pods/fixtures';

class Notes implements vscode.Memento {
  readonly #notes = new Map<string, unknown>();
  keys = (): readonly string[] => [...this.#notes.keys()];
  get = <T>(key: string, otherwise?: T): T => (this.#notes.has(key) ? this.#notes.get(key) : otherwise) as T;
  update = async (key: string, value: unknown): Promise<void> => void this.#notes.set(key, value);
}

const minutes = (n: number): number => Date.now() - n * 60_000;
const runOf = (id: string, tookMinutes = 10): RunRecord => ({ podId: 'pod1', id, meta: { title: 'train.py', command: 'python3 train.py' }, state: 'exited', exitCode: 0, startedAt: minutes(tookMinutes), endedAt: Date.now(), terminal: 'script' });

describe('what becomes of a pod after a run', () => {
  const folder = vscode.workspace.workspaceFolders?.[0] ?? assert.fail('no folder');
  let pod: ReturnType<typeof aPod>;
  let wishes: FolderWishes;
  let consents: FolderConsents;
  let running: number;
  let pulls: Map<string, Promise<void>>;
  let ended: string[];

  beforeEach(() => {
    pod = aPod({ id: 'pod1', status: 'RUNNING', costPerHour: 0.69, mount: { kind: 'persistent', sizeGb: 50, path: '/workspace' } });
    wishes = { folder, afterRun: 'stop' };
    consents = new FolderConsents(new Notes());
    running = 0;
    pulls = new Map();
    ended = [];
  });
  afterEach(() => vscode.commands.executeCommand('notifications.clearAll'));

  const endings = (): Endings =>
    new Endings({
      store: { find: () => pod } as unknown as PodStore,
      memento: new Notes(),
      log: silentLog,
      afterRuns: new AfterRuns(consents),
      wishes: async () => wishes,
      pullResults: ({ id }) => pulls.get(id) ?? Promise.resolve(),
      endPod: async (podId, how, agreed) => void ended.push(`${how} ${podId}${agreed ? ' agreed' : ''}`),
      graceMs: 50,
    });
  const agree = (after: 'stop' | 'terminate'): Promise<void> => consents.give(folder, { about: 'afterRun', covers: [after] });
  /** Long after anything would have happened; a question that is asked stays open. */
  const settled = (told: Promise<void>): Promise<void> => Promise.race([told, new Promise<void>((resolve) => setTimeout(resolve, 400))]);
  const tell = (of: Endings, run: RunRecord): Promise<void> => of.tell({ run, lines: ['done'], exitCode: 0 }, async () => running);

  it('is what the profile says and the person has agreed to', async () => {
    await agree('stop');
    await tell(endings(), runOf('a'));
    assert.deepEqual(ended, ['stop pod1 agreed']);
    wishes = { folder, afterRun: 'terminate' };
    await settled(tell(endings(), runOf('b')));
    assert.deepEqual(ended.slice(1), [], 'leave to stop is none to delete');
    await agree('terminate');
    await tell(endings(), runOf('c'));
    assert.deepEqual(ended.slice(1), ['terminate pod1 agreed']);
  });

  it('is asked where nobody has agreed, where nothing is said, and where a stop would delete everything', async () => {
    await settled(tell(endings(), runOf('a')));
    wishes = {};
    await settled(tell(endings(), runOf('b')));
    wishes = { folder, afterRun: 'stop' };
    await agree('stop');
    const { mount: _, ...bare } = pod;
    pod = bare;
    await settled(tell(endings(), runOf('c')));
    assert.deepEqual(ended, []);
  });

  it('is nothing after the set-up of a new pod', async () => {
    await agree('stop');
    await settled(tell(endings(), { ...runOf('a'), meta: { title: 'Set-up', command: 'pip install -e .', group: setUpGroup('1') } }));
    assert.deepEqual(ended, []);
  });

  it('is nothing after a short run', async () => {
    await agree('stop');
    await tell(endings(), runOf('a', 0.1));
    assert.deepEqual(ended, []);
  });

  it('waits for every run’s results, and keeps the pod where they are not to be had', async () => {
    await agree('stop');
    const all = endings();
    let here: () => void = () => undefined;
    pulls.set('b', new Promise((resolve) => (here = resolve)));
    const second = tell(all, runOf('b'));
    await settled(tell(all, runOf('a')));
    assert.deepEqual(ended, [], 'the results of the other are on their way');
    here();
    await second;
    assert.deepEqual(ended, ['stop pod1 agreed']);
    pulls.set('c', Promise.reject(new Error('disk full')));
    await settled(tell(all, runOf('c')));
    await settled(tell(all, runOf('d')));
    assert.deepEqual(ended.length, 1);
  });

  it('is nothing while another run lives, nor when one begins at the last moment', async () => {
    await agree('stop');
    running = 1;
    await settled(tell(endings(), runOf('a')));
    running = 0;
    const told = tell(endings(), runOf('b'));
    setTimeout(() => (running = 1), 10);
    await settled(told);
    assert.deepEqual(ended, []);
  });
});
