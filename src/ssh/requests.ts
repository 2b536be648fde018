import { CancelledError, messageOf } from '../base/errors';
import { SshError, type SshErrorParams, type SshStage } from './errors';
import type { LinkEnd } from './linkEnd';

/** What is waited for, and how long. */
export interface Pending {
  readonly stage: SshStage;
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type Start<T> = (callback: (error: Error | undefined, value: T) => void) => unknown;
/** Anything that closes. */
export type Closing = { once(event: 'close', listener: () => void): unknown };

/**
 * Questions to the server. ssh2 answers by callbacks, and not all of them when a link dies; here each is answered, by the end of
 * the link at the latest. What counts as a session of the server's is counted.
 */
export class Requests {
  #sessions = 0;
  #sessionClosedAt = -Infinity;

  /**
   * @param where the other end, for errors
   * @param deadlineMs unless a question has its own
   * @param lost the socket turned out to be gone
   */
  constructor(
    private readonly where: SshErrorParams,
    private readonly deadlineMs: number,
    private readonly end: LinkEnd,
    private readonly lost: (reason: SshError) => void,
  ) {}

  /** Sessions (not forwards) that are open or being opened; servers allow ten a connection unless configured otherwise. */
  get sessionCount(): number {
    return this.#sessions;
  }

  /** Milliseconds since a session closed. */
  get sinceSessionClosed(): number {
    return performance.now() - this.#sessionClosedAt;
  }

  /** Opens something that counts as a session until it closes. */
  async session<T extends Closing>(pending: Pending, discard: (late: T) => void, start: Start<T>): Promise<T> {
    this.#sessions++;
    const free = once(() => this.#sessions--);
    try {
      return await this.ask<T>(pending, discard, (callback) =>
        start((error, value) => {
          if (error == null)
            value.once('close', () => {
              this.#sessionClosedAt = performance.now();
              free();
            });
          // Refused outright, it was never there. Where only what should run in it was refused, ssh2 leaves the session
          // open on the server without a way for us to close it, so it goes on counting.
          else if (isOpenFailure(error) || /pseudo-terminal/.test(error.message)) free();
          callback(error, value);
        }),
      );
    } catch (error) {
      if (this.end.reason !== undefined) free();
      throw error;
    }
  }

  /**
   * Waits for one of ssh2's callbacks, or the end of the link, a deadline or a cancellation, whichever is first.
   * @param discard gets what arrives when nobody waits for it any more.
   */
  ask<T>({ stage, deadlineMs = this.deadlineMs, signal }: Pending, discard: (late: T) => void, start: Start<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) return reject(new CancelledError());
      if (this.end.reason !== undefined) return reject(this.end.reason);
      let waiting = true;
      const settle = (outcome: () => void): void => {
        if (!waiting) return;
        waiting = false;
        clearTimeout(timer);
        closing.dispose();
        signal?.removeEventListener('abort', onAbort);
        outcome();
      };
      const onAbort = (): void => settle(() => reject(new CancelledError()));
      const timer = setTimeout(() => settle(() => reject(new SshError('timeout', { ...this.where, stage, ms: deadlineMs }))), deadlineMs);
      const closing = this.end.event((reason) => settle(() => reject(reason)));
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        start((error, value) => {
          if (!waiting) {
            if (error == null) discard(value);
          } else if (error == null) settle(() => resolve(value));
          else settle(() => reject(this.#explain(error)));
        });
      } catch (error) {
        // "Not connected", thrown: the socket is gone and its events are still to come.
        this.lost(new SshError('closed', { ...this.where, reason: 'error', detail: messageOf(error) }, { cause: error }));
      }
    });
  }

  #explain(error: Error): SshError {
    if (this.end.reason !== undefined) return this.end.reason;
    const detail = messageOf(error);
    if (detail === 'No response from server') return new SshError('closed', { ...this.where, reason: 'server', detail }, { cause: error });
    return new SshError('channel-refused', { ...this.where, stage: isOpenFailure(error) ? 'open' : 'request', detail }, { cause: error });
  }
}

/** The server refused the channel itself, with one of RFC 4254's reason codes. */
const isOpenFailure = (error: Error): boolean => 'reason' in error && typeof error.reason === 'number';

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
