import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { silentLog } from '../../../src/base/log';
import type { PreparedRun, RunTerminalParts } from '../../../src/editor/tasks/preparedRun';
import { RunTerminal } from '../../../src/editor/tasks/runTerminal';
import { PodUnavailableError } from '../../../src/pods/contracts';
import type { RunRecord } from '../../../src/runs/detached/list';
import type { RunSession } from '../../../src/runs/detached/session';

const run: RunRecord & { outputBytes: number } = { podId: 'pod1', id: '20260101-120000-abc123', meta: { title: 'train.py', command: 'python3 train.py', costPerHour: 3.6 }, state: 'running', startedAt: Date.now() - 100_000, terminal: 'none', outputBytes: 0 };

/** What a run's terminal says over a session that answers as the pod would. */
async function shown(session: Partial<RunSession>, more: Partial<PreparedRun> = {}): Promise<{ text: string; exitCode: number | undefined; ended: unknown[] }> {
  const ended: unknown[] = [];
  const parts: RunTerminalParts = {
    log: silentLog,
    runBook: { note: () => undefined },
    followed: { follow: () => undefined, leave: () => undefined, end: (one) => ended.push(one), closedBy: () => Promise.reject(new Error('nobody has')) },
  };
  const whole = { podId: 'pod1', hold: () => ({ dispose: () => undefined }), state: 'connected', reason: undefined, pod: undefined, onDidChange: () => ({ dispose: () => undefined }), ...session } as unknown as RunSession;
  const terminal = new RunTerminal(async () => ({ session: whole, command: { command: run.meta.command }, attach: run, pod: () => ({ name: 'llama-ft', costPerHour: 3.6 }), ...more }), parts, 'train.py on llama-ft');
  let text = '';
  terminal.onDidWrite((written) => (text += written));
  terminal.open(undefined);
  const exitCode = await terminal.finished;
  return { text: text.replace(/\x1b\[[0-9;?!]*[a-zA-Z]/g, ''), exitCode, ended };
}

/** A pod on which the run prints something and ends, and what it tells of it afterwards. */
function ends(output: string, end: string, record: string): Partial<RunSession> {
  const link = {
    exec: async () => {
      const channel = Object.assign(new PassThrough(), { stderr: new PassThrough(), close: () => undefined });
      setTimeout(() => {
        channel.stderr.write(`run-end ${end}\n`);
        channel.end(output);
      }, 10);
      return channel;
    },
    run: async () => ({ code: 0, stdout: Buffer.from(`${Math.floor(Date.now() / 1000)}\n${record}\n`), stderr: Buffer.of() }),
  };
  return { link: async () => link, run: link.run } as unknown as Partial<RunSession>;
}

describe('the terminal of a run', () => {
  const now = Math.floor(Date.now() / 1000);
  const record = (cut: string): string => [run.id, 'exited', '6', String(now - 100), String(now), 'none', cut, JSON.stringify(run.meta)].join('\t') + '\n4';

  it('says that there is none on the pod, that output is missing, and what it came to', async () => {
    const { text, exitCode, ended } = await shown(ends('out\n', 'exited 6 4', record('cut')), { remarks: ['Python 3.11.9, /workspace/.venv'] });
    assert.equal(exitCode, 6);
    assert.match(text, /^llama-ft ▸ python3 train\.py\r\nPython 3\.11\.9, \/workspace\/\.venv\r\nllama-ft has neither “script” nor python3, so this run has no terminal: .*\r\nout\r\nFinished with exit code 6 in 1 min, ~\$0\.10\r\nThe disk of llama-ft was full meanwhile, so part of the output is missing/);
    assert.deepEqual(ended.map((one) => (one as { lines: unknown }).lines), [['out']]);
  });

  it('says how it ended where nobody can know more', async () => {
    const { text, exitCode } = await shown(ends('half a line', 'lost  11', record('').replace('exited\t6', 'lost\t')));
    assert.equal(exitCode, 255);
    assert.match(text, /half a line[\r\n]+The run ended without a word: llama-ft was stopped or restarted/);
    assert.match((await shown(ends('', 'gone  ', ''))).text, /The run is not on llama-ft any more\./);
    const stopped = await shown({ link: () => Promise.reject(new PodUnavailableError('stopped', 'pod1', undefined)) });
    assert.match(stopped.text, /llama-ft is stopped, and the run ended with it\./);
  });

  it('says once that what runs is up', async () => {
    const { text } = await shown(ends('\x1b[32mlistening\x1b[0m on 80\nlistening on 81\n', 'exited 0 39', record('')), { readyWhen: '^listening on \\d+$' });
    assert.equal(text.match(/^◆ ready\r$/gm)?.length, 1);
  });
});
