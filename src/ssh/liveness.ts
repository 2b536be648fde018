import type { Disposable } from '../base/disposable';

export interface LivenessOptions {
  /** Milliseconds between looks. */
  readonly intervalMs: number;
  /** Looks in a row without a byte from the other side, each with a question sent, before the link counts as dead. */
  readonly countMax: number;
  /** A number that grows with every byte received. */
  readonly received: () => number;
  /** Asks the other side for any answer; rejects when there is none in time. */
  readonly ping: (deadlineMs: number) => Promise<unknown>;
  readonly onDead: (silentMs: number) => void;
  /** The time of day in milliseconds, which goes on while the computer sleeps; replaced in tests. */
  readonly now?: () => number;
}

/** After the computer has slept the link is most likely gone; nobody should wait for the usual patience to run out. */
const afterSleepMs = 5_000;

/**
 * Notices a link that has died without a word. Any byte counts as a sign of life, so a slow link full of data is left in peace,
 * and a silent one is asked every interval.
 */
export function watchLiveness({ intervalMs, countMax, received, ping, onDead, now = Date.now }: LivenessOptions): Disposable {
  let last = received();
  let heardAt = now();
  let lookedAt = now();
  let misses = 0;
  let over = false;
  const stop = (): void => {
    over = true;
    clearInterval(timer);
  };
  const dead = (): void => {
    if (over) return;
    stop();
    onDead(now() - heardAt);
  };
  const look = (): void => {
    const time = now();
    const slept = time - lookedAt > intervalMs + 3 * Math.max(intervalMs, afterSleepMs);
    lookedAt = time;
    const count = received();
    if (count !== last && !slept) {
      last = count;
      heardAt = time;
      misses = 0;
      return;
    }
    if (!slept && ++misses > countMax) return dead();
    const before = received();
    ping(slept ? afterSleepMs : intervalMs).catch(() => {
      if (slept && received() === before) dead();
    });
  };
  const timer = setInterval(look, intervalMs);
  return { dispose: stop };
}
