import { execFile, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { quote } from '../../src/base/shell';
import { CannotRun, sshOptions, type Client, type Place } from './client';

const run = promisify(execFile);

/** `rsync` over a connection that is already there (OpenSSH's ControlMaster): a program a task, a channel a program. */
export class Rsync implements Client {
  readonly name = 'rsync';
  readonly #place: Place;
  readonly #control: string;
  readonly #local: string;
  readonly #sync: readonly string[];

  private constructor(place: Place, control: string, sync: readonly string[]) {
    this.#place = place;
    this.#control = control;
    this.#local = join(place.scratch, 'rsync');
    this.#sync = sync;
  }

  static async start(place: Place): Promise<Rsync> {
    try {
      const { stdout } = await run('rsync', ['--help']);
      const control = join(place.scratch, 'ctl');
      await new Promise<void>((resolve, reject) => {
        // Goes to the background by itself when it is connected.
        const master = spawn('ssh', [...sshOptions(place), '-M', '-S', control, '-f', '-N', `${place.username}@${place.host}`], { stdio: 'ignore' });
        master.once('error', reject);
        master.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`ssh ended with ${code}`))));
      });
      await mkdir(join(place.scratch, 'empty'), { recursive: true });
      return new Rsync(place, control, stdout.includes('--fsync') ? ['--fsync'] : []);
    } catch (error) {
      throw new CannotRun((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not installed' : String(error));
    }
  }

  #far(path: string): string {
    return `${this.#place.username}@${this.#place.host}:${path}`;
  }
  async #rsync(...args: string[]): Promise<void> {
    await run('rsync', ['-W', '-e', `ssh -S ${quote(this.#control)}`, ...args], { maxBuffer: 1 << 26 });
  }

  open(path: string): Promise<void> {
    return this.#rsync('-I', this.#far(path), this.#local);
  }
  async save(path: string, content: Buffer): Promise<void> {
    await writeFile(this.#local, content);
    await this.#rsync('-I', ...this.#sync, this.#local, this.#far(path));
  }
  list(folder: string): Promise<void> {
    return this.listWithStats(folder);
  }
  listWithStats(folder: string): Promise<void> {
    return this.#rsync('--list-only', this.#far(`${folder}/`));
  }
  deleteTree(folder: string): Promise<void> {
    return this.#rsync('-r', '--delete', `${join(this.#place.scratch, 'empty')}/`, this.#far(`${folder}/`));
  }
  read(path: string): Promise<void> {
    return this.#rsync('-I', this.#far(path), this.#local);
  }
  write(path: string): Promise<void> {
    return this.#rsync('-I', ...this.#sync, this.#place.bigFile, this.#far(path));
  }
  async end(): Promise<void> {
    await run('ssh', ['-S', this.#control, '-O', 'exit', 'pod']).catch(() => undefined);
  }
}
