import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { hostname } from 'node:os';
import * as path from 'node:path';
import type { Disposable } from './disposable';
import { isAlive } from './process';
import { sleep } from './time';
import { whileBusy } from './whileBusy';

export interface ClaimTimings {
  /** A claim that nobody has renewed for so long belongs to a window that is gone or asleep. */
  readonly staleMs: number;
  /** Between taking it and believing it: another window may have taken the same stale claim at the same moment. */
  readonly settleMs: number;
}

const defaults: ClaimTimings = { staleMs: 45_000, settleMs: 100 };

/**
 * Something that one window of this machine does for all: held through a file with its holder's name, renewed while it is
 * held, free again when the holder lets go or dies. What counts is what the file says: ask `held` before anything that must
 * not happen twice.
 */
export class Claim implements Disposable {
  readonly #me = `${process.pid} ${hostname()} ${randomUUID()}`;
  readonly #timings: ClaimTimings;
  #beat: NodeJS.Timeout | undefined;

  constructor(
    private readonly file: string,
    timings: Partial<ClaimTimings> = {},
  ) {
    this.#timings = { ...defaults, ...timings };
  }

  /** Takes it where nobody holds it. @returns whether it is ours now */
  async take(): Promise<boolean> {
    if (await this.held()) return true;
    await fs.mkdir(path.dirname(this.file), { recursive: true });
    if (!(await this.#create())) {
      if (!(await this.#isStale())) return false;
      await whileBusy(() => fs.rm(this.file, { force: true }));
      if (!(await this.#create())) return false;
    }
    await sleep(this.#timings.settleMs);
    if (!(await this.held())) return false;
    clearInterval(this.#beat);
    this.#beat = setInterval(() => void this.#renew(), this.#timings.staleMs / 3);
    this.#beat.unref();
    return true;
  }

  /** Whether the file says that it is ours. */
  async held(): Promise<boolean> {
    return (await fs.readFile(this.file, 'utf8').catch(() => '')) === this.#me;
  }

  /** Lets go of it. At once, for a window that closes has no time. */
  dispose(): void {
    clearInterval(this.#beat);
    try {
      if (readFileSync(this.file, 'utf8') === this.#me) rmSync(this.file, { force: true });
    } catch {
      // Not there: somebody else has taken it, or never was.
    }
  }

  async #create(): Promise<boolean> {
    try {
      await fs.writeFile(this.file, this.#me, { flag: 'wx' });
      return true;
    } catch (error) {
      // Windows answers EPERM for a file that is just being removed, EBUSY for one that a scanner looks into.
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST' || code === 'EPERM' || code === 'EBUSY') return false;
      throw error;
    }
  }

  async #isStale(): Promise<boolean> {
    const stat = await fs.stat(this.file).catch(() => undefined);
    // A clock that was set back leaves times to come: they are no younger.
    if (stat !== undefined && Math.abs(Date.now() - stat.mtimeMs) > this.#timings.staleMs) return true;
    const [pid = '', host] = (await fs.readFile(this.file, 'utf8').catch(() => '')).split(' ');
    return host === hostname() && !isAlive(Number(pid));
  }

  async #renew(): Promise<void> {
    const now = new Date();
    if (await this.held()) await fs.utimes(this.file, now, now).catch(() => undefined);
    else clearInterval(this.#beat);
  }
}
