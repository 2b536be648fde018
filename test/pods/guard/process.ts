import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { GUARD_SCRIPT } from '../../../src/pods/guard/script';
import { sleep } from '../../../src/base/time';
import { killed } from '../../support/kill';

export const SHELLS: readonly (readonly string[])[] = [['dash'], ['bash', '--posix'], ['bash'], ['busybox', 'sh']];
export type HttpTool = 'curl' | 'python3' | 'wget';

const folders = ['/usr/local/bin', '/usr/bin', '/bin', ...(process.env['PATH'] ?? '').split(':')];
/** A Python behind a version manager's shim is of no use where nothing else is on the PATH. */
const realPython = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout.trim();
export const find = (name: string): string | undefined => (name === 'python3' && realPython !== '' ? realPython : undefined) ?? folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
export const isInstalled = (name: string): boolean => find(name) !== undefined;

/** A container on this machine as far as a guard can tell: a place of its own for its state, a PATH and a mount. */
export class Container {
  #children: ChildProcess[] = [];

  private constructor(
    readonly dir: string,
    readonly podId: string,
  ) {}

  /** @param tools what can be called besides the few things that any image has; absent: all that is installed */
  static async make(podId: string, tools?: readonly string[]): Promise<Container> {
    const container = new Container(await mkdtemp(path.join(os.tmpdir(), 'runpod-guard-')), podId);
    await mkdir(container.mount);
    await mkdir(path.join(container.dir, 'bin'));
    await writeFile(path.join(container.dir, 'environ'), '');
    for (const name of ['sleep', 'mkdir', 'cat', 'mv', 'cp', 'rm', 'tr', 'sh', 'dash', 'bash', 'busybox', ...(tools ?? ['curl', 'stat', 'setsid'])]) {
      const file = find(name);
      if (file !== undefined) await symlink(file, path.join(container.dir, 'bin', name));
    }
    await writeFile(path.join(container.dir, 'guard.sh'), GUARD_SCRIPT);
    return container;
  }

  get mount(): string {
    return path.join(this.dir, 'workspace');
  }

  get run(): string {
    return path.join(this.dir, '.runpod-workspaces', this.podId, 'guard');
  }

  get kept(): string {
    return path.join(this.mount, '.runpod-workspaces', this.podId, 'guard');
  }

  /** A program of the container's own. */
  async program(name: string, text: string): Promise<void> {
    await rm(path.join(this.dir, 'bin', name), { force: true });
    await writeFile(path.join(this.dir, 'bin', name), text, { mode: 0o755 });
  }

  env(extra: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: path.join(this.dir, 'bin'),
      HOME: this.dir,
      RUNPOD_POD_ID: this.podId,
      RUNPOD_API_KEY: 'pod-key',
      RUNPOD_WORKSPACES_RUN: this.dir,
      RUNPOD_WORKSPACES_ENVIRON: path.join(this.dir, 'environ'),
      ...extra,
    };
  }

  /** Starts the guard in the foreground of a process of ours. */
  guard(shell: readonly string[], args: readonly string[], env: Record<string, string> = {}): ChildProcess {
    const [file = 'sh', ...rest] = shell;
    const child = spawn(find(file) ?? file, [...rest, path.join(this.dir, 'guard.sh'), 'run', `pod=${this.podId}`, `mount=${this.mount}`, ...args], {
      env: this.env(env),
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    child.stderr?.on('data', (chunk: Buffer) => (this.complaints += chunk.toString()));
    this.#children.push(child);
    return child;
  }

  /** What the shell itself had to say about the script. */
  complaints = '';

  /** Leaves an order for the guard, as the editor does. */
  async order(name: string, lines: Record<string, string | number>): Promise<void> {
    await mkdir(path.join(this.run, 'orders'), { recursive: true });
    const text = Object.entries(lines).map(([key, value]) => `${key}=${value}\n`).join('');
    await writeFile(path.join(this.run, 'orders', `${name}.new`), text);
    await rm(path.join(this.run, 'orders', name), { force: true });
    const { rename } = await import('node:fs/promises');
    await rename(path.join(this.run, 'orders', `${name}.new`), path.join(this.run, 'orders', name));
  }

  /** Runs another mode of the script to its end. */
  async call(shell: readonly string[], args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const [file = 'sh', ...rest] = shell;
    const child = spawn(find(file) ?? file, [...rest, path.join(this.dir, 'guard.sh'), ...args], { env: this.env(env), stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.complaints += chunk.toString()));
    await once(child, 'close');
    return out;
  }

  async word(): Promise<Record<string, string>> {
    const text = await readFile(path.join(this.run, 'word'), 'utf8').catch(() => '');
    return Object.fromEntries(text.split('\n').flatMap((line) => (line.includes('=') ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]] : [])));
  }

  async until(what: string, done: (word: Record<string, string>) => boolean, ms = 120_000): Promise<Record<string, string>> {
    for (const end = Date.now() + ms; ; await sleep(50)) {
      const word = await this.word();
      if (word['whole'] === '1' && done(word)) return word;
      if (Date.now() > end) throw new Error(`Waited ${ms} ms for ${what}; the word is ${JSON.stringify(word)}; ${this.complaints}`);
    }
  }

  /** Guards of this pod that live on this machine, however they were started. */
  async guards(): Promise<number[]> {
    const found: number[] = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const parent = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      if (command.includes(this.dir) && command.includes('\0run\0') && !(await isChildOfGuard(parent, this.dir))) found.push(Number(pid));
    }
    return found;
  }

  /** Ends what runs, as a container's end does: at once, the state of the mount stays. */
  async kill(): Promise<void> {
    for (const { pid } of this.#children) if (pid !== undefined) killed(-pid);
    // One whose group is another's is ended by its own number.
    for (const pid of await this.guards()) if (!killed(-pid)) killed(pid);
    this.#children = [];
  }

  /** A new container: nothing is left but the mount. */
  async wipe(): Promise<void> {
    await this.kill();
    await rm(path.join(this.dir, '.runpod-workspaces'), { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    // What is being killed may still be making a file.
    for (let i = 0; i < 50; i++) {
      await this.kill();
      if ((await this.guards()).length === 0) break;
      await sleep(20);
    }
    await rm(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Subshells carry the same command line as the shell they come from. */
async function isChildOfGuard(stat: string, dir: string): Promise<boolean> {
  const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? '';
  const command = await readFile(`/proc/${parent}/cmdline`, 'utf8').catch(() => '');
  return command.includes(dir) && command.includes('\0run\0');
}
