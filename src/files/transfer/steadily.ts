import { setMaxListeners } from 'node:events';
import { backoff, sleep } from '../../base/time';
import { PodUnavailableError } from '../../pods/contracts';
import { isPassing } from '../../pods/unavailable';
import { isFileError, SessionLostError } from '../errors';
import type { Room } from '../room';
import type { SftpSession } from '../sftp';
import type { TransferOptions } from './contract';
import type { Tally } from './tally';

export interface Watch {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds without progress after which a link that is down is given up. */
  readonly patienceMs: number;
  /** Grows with every byte that has arrived. */
  readonly moved: () => number;
  readonly onWaiting: (waiting: boolean) => void;
}

const defaultPatienceMs = 600_000;

export const watchOf = (tally: Tally, { signal, patienceMs = defaultPatienceMs }: TransferOptions): Watch => ({
  signal: shared(signal),
  patienceMs,
  moved: () => tally.heard,
  onWaiting: (waiting) => tally.waiting(waiting),
});

/** The caller's signal, for the many requests that wait at once and listen to it. */
function shared(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const own = AbortSignal.any([signal]);
  setMaxListeners(0, own);
  return own;
}

/**
 * Does `work`, and goes on with it on a new connection whenever the link is lost, for as long as it gets anywhere. `work`
 * must know by itself what is done already.
 */
export async function steadily<T>(room: Room, path: string, watch: Watch, work: (session: SftpSession) => Promise<T>): Promise<T> {
  let moved = watch.moved();
  let since = performance.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await room.sessions.use(
        path,
        false,
        (session) => {
          watch.onWaiting(false);
          return work(session);
        },
        watch.signal,
      );
    } catch (error) {
      if (!isLostLink(error)) throw error;
      if (watch.moved() !== moved) {
        moved = watch.moved();
        since = performance.now();
        attempt = 0;
      }
      if (performance.now() - since > watch.patienceMs) throw error;
      room.log.info(`transfer: ${error instanceof Error ? error.message : ''}; going on when the link is back`);
      watch.onWaiting(true);
      await sleep(backoff(attempt, 500, 15_000), watch.signal);
    }
  }
}

/** Whether waiting may help. A pod that was stopped, or that shows another host key, will not come back by itself. */
export function isLostLink(error: unknown): boolean {
  if (error instanceof SessionLostError) return true;
  if (!isFileError(error, 'unavailable')) return false;
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof PodUnavailableError) return isPassing(at);
  return true;
}
