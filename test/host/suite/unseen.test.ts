import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { Memento } from 'vscode';
import { silentLog } from '../../../src/base/log';
import { UnseenRuns } from '../../../src/editor/podRuns/unseen';
import { PodUnavailableError } from '../../../src/pods/contracts';
import type { PodSessions } from '../../../src/pods/session';
import { until } from './account';

const ref = { podId: 'pod1', id: '20260101-120000-abc123' };
const told = (state: string): Buffer => Buffer.from(`${Math.floor(Date.now() / 1000)}\n${[ref.id, state, state === 'exited' ? '3' : '', '100', state === 'exited' ? '200' : '', 'script', '', JSON.stringify({ title: 'train.py', command: 'python3 train.py' })].join('\t')}\n20\n`);

describe('a run whose terminal was closed', () => {
  let notes: Map<string, unknown>;
  let ended: unknown[];
  let end: () => void;
  let over: boolean;
  let asked: number;
  const remembered = (): unknown => notes.get('runpod.unseenRuns') ?? [];

  /** A window whose pod has the run; `end` ends it. */
  function opens(link?: () => Promise<unknown>): UnseenRuns {
    const pod = {
      exec: async () => {
        const channel: PassThrough & { stderr: PassThrough; close(): void } = Object.assign(new PassThrough(), { stderr: new PassThrough(), close: () => void channel.destroy() });
        end = () => {
          over = true;
          channel.stderr.write('run-end exited 3 20\n');
          channel.end('step 1\r\nloss 0.5 now');
        };
        if (over) setTimeout(end, 5);
        asked++;
        return channel;
      },
      run: async () => ({ code: 0, stdout: told(over ? 'exited' : 'running'), stderr: Buffer.of() }),
    };
    const session = { podId: 'pod1', hold: () => ({ dispose: () => undefined }), state: 'connected', onDidChange: () => ({ dispose: () => undefined }), link: link ?? (async () => pod) };
    return new UnseenRuns({
      sessions: { get: () => session } as unknown as PodSessions,
      memento: { get: (key: string, otherwise: unknown) => notes.get(key) ?? otherwise, update: async (key: string, value: unknown) => void notes.set(key, value) } as unknown as Memento,
      log: silentLog,
      note: () => undefined,
      ended: ({ run, lines, exitCode }) => ended.push([run.id, exitCode, lines]),
    });
  }

  beforeEach(() => {
    notes = new Map();
    ended = [];
    over = false;
    asked = 0;
  });

  it('tells its end once, with its last lines', async () => {
    const unseen = opens();
    const following = unseen.follow(ref);
    void unseen.follow(ref);
    await until('the following', () => asked === 1);
    assert.deepEqual([ended, remembered()], [[], [ref]]);
    end();
    await following;
    assert.deepEqual([ended, remembered()], [[[ref.id, 3, ['step 1', 'loss 0.5 now']]], []]);
  });

  it('is followed again by the window that opens next, which tells an end that nobody saw', async () => {
    const first = opens();
    void first.follow(ref);
    await until('the following', () => asked === 1);
    first.dispose();
    assert.deepEqual([ended, remembered()], [[], [ref]]);
    over = true;
    const second = opens();
    assert.equal(second.any, true);
    second.takeUp();
    await until('its end', () => ended.length === 1);
    assert.deepEqual(remembered(), []);
  });

  it('is left to its terminal when it has one again, and let go with its pod', async () => {
    const unseen = opens();
    const following = unseen.follow(ref);
    await until('the following', () => asked === 1);
    unseen.seen(ref.id);
    await following;
    await opens(() => Promise.reject(new PodUnavailableError('stopped', 'pod1', undefined))).follow(ref);
    assert.deepEqual([ended, remembered()], [[], []]);
    await opens(() => Promise.reject(new PodUnavailableError('unreachable', 'pod1', undefined))).follow(ref);
    assert.deepEqual([ended, remembered()], [[], [ref]], 'asked again when the window opens next');
  });
});
