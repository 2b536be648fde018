import { CancelledError, isCancelled, messageOf } from '../base/errors';
import { backoff, sleep } from '../base/time';
import type { Pod } from '../runpod/types';
import { isSshError } from '../ssh/errors';
import { PodUnavailableError } from './contracts';
import { reach, ReachFailed, type Reached, type ReachDeps } from './reach';
import type { SessionTimings } from './sessionTimings';
import { isPassing } from './unavailable';
import type { Whereabouts } from './whereabouts';

export interface Striving {
  readonly deps: ReachDeps;
  readonly timings: SessionTimings;
  readonly podId: string;
  readonly whereabouts: Whereabouts;
  /** The pod as it was last heard of. */
  readonly news: () => Pod | undefined;
  /** An attempt failed, and there will be another. */
  readonly onSetback: (reason: PodUnavailableError) => void;
}

/** Attempts under way, shared by all who wait for them. */
export class Endeavour {
  readonly promise: Promise<Reached>;
  readonly #abort = new AbortController();
  #waiting = 0;
  #quiet: boolean;

  /** @param quiet nobody has asked for it: nobody is to be asked for a passphrase because of it */
  constructor(striving: Striving, quiet: boolean) {
    this.#quiet = quiet;
    // Who joins later may be a person.
    this.promise = strive(striving, this.#abort.signal, () => !this.#quiet);
  }

  /** Whether anybody waits. */
  get wanted(): boolean {
    return this.#waiting > 0;
  }

  /** Who aborts leaves it to the others. */
  async wait(signal: AbortSignal | undefined, quiet: boolean): Promise<Reached> {
    if (!quiet) this.#quiet = false;
    this.#waiting++;
    try {
      return await orAbort(this.promise, signal);
    } finally {
      this.#waiting--;
    }
  }

  giveUp(): void {
    this.#abort.abort();
  }
}

/**
 * Attempts to reach a pod until one succeeds or waiting longer is pointless.
 * @throws PodUnavailableError, CancelledError
 */
async function strive({ deps, timings, podId, whereabouts, news, onSetback }: Striving, signal: AbortSignal, mayAsk: () => boolean): Promise<Reached> {
  for (let attempt = 0; ; attempt++) {
    try {
      const reached = await reach(deps, timings, podId, whereabouts, signal, mayAsk);
      if (!signal.aborted) return reached;
      reached.link.end();
      throw new CancelledError();
    } catch (error) {
      if (signal.aborted) throw new CancelledError();
      if (!(error instanceof ReachFailed)) throw isCancelled(error) ? error : new PodUnavailableError('unreachable', podId, news(), { cause: error, detail: messageOf(error) });
      const { reason, soonOver } = error;
      deps.log.debug(`Pod ${podId}, attempt ${attempt + 1}: ${reason.code}, ${reason.message}`);
      if (wasLeftLocked(reason) && mayAsk()) continue;
      if (!soonOver && !(isPassing(reason) && reason.code !== 'starting' && attempt + 1 < timings.attempts)) throw reason;
      onSetback(reason);
      await sleep(backoff(attempt, timings.retryMs, timings.retryCapMs), signal);
    }
  }
}

/** A key would have opened the pod, but nobody was there to be asked for its passphrase. */
export const wasLeftLocked = (reason: PodUnavailableError): boolean => isSshError(reason.cause, 'key-locked') && reason.cause.params.reason === 'unasked';

/** Settles with `promise`, unless `signal` aborts first; the promise's own work goes on. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new CancelledError());
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
