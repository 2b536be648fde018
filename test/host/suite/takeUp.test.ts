import assert from 'node:assert/strict';
import type { Memento } from 'vscode';
import { silentLog } from '../../../src/base/log';
import type { Parts } from '../../../src/editor/parts';
import { RunCommands } from '../../../src/editor/podRuns/commands';
import { FollowedRuns } from '../../../src/editor/podRuns/followed';
import type { RunOutputs } from '../../../src/editor/podRuns/output';
import type { Pod } from '../../../src/runpod/types';
import { aPod } from '../../pods/fixtures';

const id = '20260101-120000-abc123';
const said = `${Math.floor(Date.now() / 1000)}\n${[id, 'exited', '3', '100', '200', 'script', '', JSON.stringify({ title: 'train.py', command: 'python3 train.py' })].join('\t')}\n20\n`;

describe('a run that ended while no window was open', () => {
  /** A window that had a terminal of it, and opens again. @returns what it tells, and whether it still means to tell it */
  async function opens(status: Pod['status'], answers: () => Promise<unknown> = async () => ({ run: async (script: string) => ({ code: 0, stdout: Buffer.from(script.includes('tail -c') ? '\x1b[32mstep 1\x1b[0m\r\nloss 0.5\r\n' : said), stderr: Buffer.of() }) })): Promise<{ told: unknown[]; left: number }> {
    const notes = new Map<string, unknown>([['runpod.followedRuns', [{ podId: 'pod1', id }]]]);
    const memento = { get: (key: string, otherwise?: unknown) => notes.get(key) ?? otherwise, update: async (key: string, value: unknown) => void notes.set(key, value) } as unknown as Memento;
    const followed = new FollowedRuns(memento);
    const parts = { followed, log: silentLog, store: { find: () => aPod({ id: 'pod1', status }) }, sessions: { get: () => ({ podId: 'pod1', link: answers }) }, runBook: { note: () => undefined } } as unknown as Parts;
    const told: unknown[] = [];
    await new RunCommands(parts, parts, () => Promise.reject(new Error('not asked for')), undefined as unknown as RunOutputs).takeUp((run, lines) => told.push([run.exitCode, lines]));
    followed.dispose();
    return { told, left: followed.left().length };
  }

  it('is told with its last lines, once', async () => assert.deepEqual(await opens('RUNNING'), { told: [[3, ['step 1', 'loss 0.5']]], left: 0 }));
  it('is kept for later while its pod cannot be reached', async () => assert.deepEqual(await opens('RUNNING', () => Promise.reject(new Error('away'))), { told: [], left: 1 }));
  it('is let go with a pod that was stopped', async () => assert.deepEqual(await opens('EXITED'), { told: [], left: 0 }));
});
