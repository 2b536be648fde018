import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { sleep, withDeadline } from '../../src/base/time';

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** With the pid, names a process for good. */
  readonly started: string;
}

async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = pids.map(async (pid): Promise<Process | undefined> => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent's notice is missing.
    if (fields === undefined || fields[0] === 'Z') return undefined;
    return { pid: Number(pid), parent: Number(fields[1]), started: fields[19] ?? '' };
  });
  return (await Promise.all(read)).filter((p) => p !== undefined);
}

async function descendants(root: number): Promise<Process[]> {
  const all = await processes();
  const found = all.filter((p) => p.pid === root);
  for (const process of found) found.push(...all.filter((p) => p.parent === process.pid));
  return found;
}

/** What is left of these processes after `ms` at most. */
async function survivors(of: readonly Process[], ms: number): Promise<Process[]> {
  const end = Date.now() + ms;
  for (;;) {
    const now = await processes();
    const left = of.filter((p) => now.some((q) => q.pid === p.pid && q.started === p.started));
    if (left.length === 0 || Date.now() > end) return left;
    await sleep(50);
  }
}

/** A simulator in a process of its own, with a temporary folder of its own. */
class Started {
  constructor(
    readonly child: ChildProcessByStdio<Writable, Readable, null>,
    readonly line: { restUrl: string; graphqlUrl: string; apiKey: string; mode: string },
  ) {}
}

async function start(command: readonly string[], tmp: string): Promise<Started> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], detached: true, env: { ...process.env, TMPDIR: tmp } });
  child.stdin.on('error', () => undefined);
  let out = '';
  const line = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.includes('\n')) resolve(out.slice(0, out.indexOf('\n')));
    });
    child.once('exit', (code) => reject(new Error(`the simulator ended with ${String(code)}`)));
  });
  return new Started(child, JSON.parse(await withDeadline(line, 60_000, 'the simulator')) as Started['line']);
}

/** Ends a simulator. @returns its exit code. */
async function gone({ child }: Started, signal: NodeJS.Signals): Promise<unknown> {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return withDeadline(exited, 60_000, 'the exit');
}

// Only Linux tells the processes of another; elsewhere pods are children that the same code ends.
if (process.platform === 'linux')
  describe('whatever ends the simulator ends everything in it', () => {
    let tmp: string;
    before(async () => {
      tmp = await mkdtemp(join(tmpdir(), 'simulator-death-'));
    });
    after(() => rm(tmp, { recursive: true, force: true }));

    const direct = [process.execPath, '--import', 'tsx', 'test/simulator/main.ts', '--json', '--port', '0'];
    const npm = ['npm', 'run', '-s', 'simulator', '--', '--json', '--port', '0'];
    const ends: [how: string, command: readonly string[], end: (started: Started) => void][] = [
      ['SIGKILL', direct, ({ child }) => child.kill('SIGKILL')],
      ['SIGTERM', direct, ({ child }) => child.kill('SIGTERM')],
      ['the end of its standard input', direct, ({ child }) => child.stdin.end()],
      ['SIGKILL of npm above it', npm, ({ child }) => child.kill('SIGKILL')],
      ['SIGTERM of npm above it', npm, ({ child }) => child.kill('SIGTERM')],
      ['Ctrl-C in its terminal', npm, ({ child }) => process.kill(-(child.pid ?? NaN), 'SIGINT')],
    ];
    for (const [how, command, end] of ends)
      it(how, async () => {
        const started = await start(command, tmp);
        const { restUrl, apiKey, mode } = started.line;
        const { pid } = started.child;
        assert.ok(pid !== undefined);
        try {
          const pods = (await (await fetch(`${restUrl}/pods`, { headers: { Authorization: `Bearer ${apiKey}` } })).json()) as { pods: { status: string }[] };
          assert.equal(pods.pods.filter((pod) => pod.status === 'RUNNING').length, 2);
          const all = await descendants(pid);
          // Each running pod is at least one process.
          assert.ok(all.length >= 3, `${all.length} processes in mode ${mode}`);
          const exited = new Promise((resolve) => started.child.once('exit', resolve));
          end(started);
          await withDeadline(exited, 60_000, 'the exit');
          assert.deepEqual(await survivors(all, 60_000), []);
          assert.ok(!(await readFile('/proc/mounts', 'utf8')).includes(tmp));
        } finally {
          for (const left of await descendants(pid)) process.kill(left.pid, 'SIGKILL');
          started.child.stdout.destroy();
        }
      });

    it('leaves no files behind, but what a SIGKILL left is swept by the next start', async () => {
      const left = async (): Promise<number> => (await readdir(tmp)).filter((name) => name.startsWith('runpod-simulator-')).length;
      const killed = await start([...direct, '--mode', 'none'], tmp);
      await gone(killed, 'SIGKILL');
      assert.equal(await left(), 1);
      const started = await start([...direct, '--mode', 'none'], tmp);
      try {
        // Only its own folder is there.
        assert.equal(await left(), 1);
      } finally {
        assert.equal(await gone(started, 'SIGTERM'), 0);
      }
      assert.equal(await left(), 0);
    });
  });
