import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { CannotRun, sshOptions, type Client, type Place } from './client';

/** Printed by `lpwd`, which asks nobody, so that the end of the command before it is seen. */
const mark = 'Local working directory:';

/** OpenSSH's own `sftp`: one session, logged in, told one command after the other. */
export class Sftp implements Client {
  readonly name = 'sftp';
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<void>;
  readonly #place: Place;
  readonly #local: string;
  #output = '';
  #complaints = '';
  #onOutput: () => void = () => undefined;
  #running = true;

  private constructor(place: Place) {
    this.#place = place;
    this.#local = join(place.scratch, 'sftp');
    this.#child = spawn('sftp', [...sshOptions(place), '-b', '-', `${place.username}@${place.host}`], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      // Listings are long and of no interest; what is looked for is at the end.
      this.#output = (this.#output + chunk.toString('latin1')).slice(-4096);
      this.#onOutput();
    });
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#complaints += chunk.toString()));
    this.#child.stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      const done = (error?: Error): void => {
        if (error !== undefined) this.#complaints += error.message;
        this.#running = false;
        this.#onOutput();
        resolve();
      };
      this.#child.once('error', done);
      this.#child.once('close', () => done());
    });
  }

  static async start(place: Place): Promise<Sftp> {
    const sftp = new Sftp(place);
    try {
      await sftp.#tell();
    } catch (error) {
      throw new CannotRun(error instanceof Error ? error.message : String(error));
    }
    return sftp;
  }

  async #tell(...commands: string[]): Promise<void> {
    this.#output = '';
    await new Promise<void>((resolve, reject) => {
      this.#onOutput = () => {
        if (this.#output.includes(mark)) resolve();
        else if (!this.#running) reject(new Error(`sftp ended: ${this.#complaints.trim()}`));
      };
      this.#onOutput();
      this.#child.stdin.write([...commands, 'lpwd', ''].join('\n'));
    });
    this.#onOutput = () => undefined;
  }

  open(path: string): Promise<void> {
    return this.#tell(`get "${path}" "${this.#local}"`);
  }
  async save(path: string, content: Buffer): Promise<void> {
    await writeFile(this.#local, content);
    await this.#tell(`put -f "${this.#local}" "${path}"`);
  }
  list(folder: string): Promise<void> {
    return this.#tell(`ls -1 "${folder}"`);
  }
  listWithStats(folder: string): Promise<void> {
    return this.#tell(`ls -ln "${folder}"`);
  }
  copy(from: string, to: string): Promise<void> {
    return this.#tell(`copy "${from}" "${to}"`);
  }
  rename(from: string, to: string): Promise<void> {
    return this.#tell(`rename "${from}" "${to}"`);
  }
  read(path: string): Promise<void> {
    return this.open(path);
  }
  write(path: string): Promise<void> {
    return this.#tell(`put -f "${this.#place.bigFile}" "${path}"`);
  }
  async end(): Promise<void> {
    this.#child.stdin.end();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 2_000);
    await this.#ended;
    clearTimeout(kill);
  }
}
