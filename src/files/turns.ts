import { CancelledError } from '../base/errors';
import { isWithin } from './names';

interface Waiting {
  start(): void;
}

/**
 * Lets so many operations run at once. Of those that wait, every other turn goes to the newest, which is what a person
 * has just asked for while something scans the folder, and the rest to the oldest, so that nobody starves.
 */
export class Turns {
  #running = 0;
  #newestNext = true;
  readonly #waiting: Waiting[] = [];

  constructor(readonly limit: number) {}

  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#running--;
      this.#next();
    }
  }

  #turn(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(new CancelledError());
    if (this.#running < this.limit) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const at = this.#waiting.indexOf(mine);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(new CancelledError());
      };
      const mine: Waiting = {
        start: () => {
          signal?.removeEventListener('abort', onAbort);
          this.#running++;
          resolve();
        },
      };
      this.#waiting.push(mine);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #next(): void {
    const next = this.#newestNext ? this.#waiting.pop() : this.#waiting.shift();
    this.#newestNext = !this.#newestNext;
    next?.start();
  }
}

interface Held {
  readonly paths: readonly string[];
  readonly done: Promise<void>;
}

/** Changes to one path, or to a folder and what lies in it, happen one after the other, in the order they were asked for. */
export class PathLocks {
  readonly #held = new Set<Held>();

  /** Whether a change to `path`, or to what it lies in, is under way or waits. */
  holds(path: string): boolean {
    for (const { paths } of this.#held) if (paths.some((held) => isWithin(path, held))) return true;
    return false;
  }

  async run<T>(paths: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = [...this.#held].filter((h) => h.paths.some((a) => paths.some((b) => isWithin(a, b) || isWithin(b, a))));
    let release = (): void => undefined;
    const mine: Held = { paths, done: new Promise((resolve) => (release = resolve)) };
    this.#held.add(mine);
    try {
      await Promise.all(before.map((h) => h.done));
      return await work();
    } finally {
      this.#held.delete(mine);
      release();
    }
  }
}
