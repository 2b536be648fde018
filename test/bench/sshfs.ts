import { execFile, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CannotRun, sshOptions, type Client, type Place } from './client';

const run = promisify(execFile);

/** `sshfs` with its defaults, and the system's ordinary calls on what it mounts. */
export class Sshfs implements Client {
  readonly name = 'sshfs';
  readonly deletesOneByOne = true;
  readonly #mount: string;
  readonly #place: Place;
  readonly #child: ChildProcess;

  private constructor(place: Place, mount: string, child: ChildProcess) {
    this.#place = place;
    this.#mount = mount;
    this.#child = child;
  }

  static async start(place: Place): Promise<Sshfs> {
    const mount = join(place.scratch, 'mount');
    await fs.mkdir(mount, { recursive: true });
    const child = spawn('sshfs', ['-f', `${place.username}@${place.host}:/`, mount, ...sshOptions(place)], { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    let running = true;
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    child.once('error', (error: NodeJS.ErrnoException) => {
      complaints = error.code === 'ENOENT' ? 'it is not installed' : error.message;
      running = false;
    });
    child.once('exit', () => (running = false));
    for (const until = Date.now() + 15_000; running && Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 50)))
      if ((await fs.readFile('/proc/mounts', 'utf8').catch(() => '')).includes(` ${mount} fuse.sshfs `)) return new Sshfs(place, mount, child);
    child.kill('SIGKILL');
    throw new CannotRun(complaints.trim() || 'it did not mount');
  }

  #at(path: string): string {
    return this.#mount + path;
  }

  async open(path: string): Promise<void> {
    await fs.readFile(this.#at(path));
  }
  /** As a careful editor on a mounted folder does: a new file beside it, synced, renamed over it. */
  async save(path: string, content: Buffer): Promise<void> {
    const beside = this.#at(`${path}.new`);
    await fs.writeFile(beside, content, { flush: true });
    await fs.rename(beside, this.#at(path));
  }
  async list(folder: string): Promise<void> {
    await fs.readdir(this.#at(folder), { withFileTypes: true });
  }
  async listWithStats(folder: string): Promise<void> {
    for (const name of await fs.readdir(this.#at(folder))) await fs.lstat(join(this.#at(folder), name));
  }
  async deleteTree(folder: string): Promise<void> {
    await run('rm', ['-rf', '--', this.#at(folder)]);
  }
  async copy(from: string, to: string): Promise<void> {
    await run('cp', ['--', this.#at(from), this.#at(to)]);
  }
  async rename(from: string, to: string): Promise<void> {
    await fs.rename(this.#at(from), this.#at(to));
  }
  async read(path: string): Promise<void> {
    await run('cp', ['--', this.#at(path), join(this.#place.scratch, 'sshfs')]);
  }
  async write(path: string): Promise<void> {
    await run('dd', [`if=${this.#place.bigFile}`, `of=${this.#at(path)}`, 'bs=1M', 'conv=fsync', 'status=none']);
  }
  async end(): Promise<void> {
    const ended = new Promise((resolve) => (this.#child.exitCode === null ? this.#child.once('exit', resolve) : resolve(undefined)));
    await run('fusermount3', ['-u', '-z', this.#mount]).catch(() => run('umount', ['-l', this.#mount]));
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 2_000);
    await ended;
    clearTimeout(kill);
  }
}
