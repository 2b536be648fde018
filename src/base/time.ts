import { CancelledError, DeadlineError } from './errors';

/** Milliseconds on a clock that only goes forward, for how long something takes or may take; the time of day can be set back. */
export const steadyNow = (): number => performance.now();

/** Resolves after `ms` milliseconds; rejects with `CancelledError` when `signal` aborts first. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new CancelledError());
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(new CancelledError());
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Ends a wait: settles with `promise`, or rejects with `DeadlineError` after `ms` milliseconds, or with
 * `CancelledError` when `signal` aborts. The work behind `promise` is not stopped by this; pass it the signal too.
 * @param what names the wait in the error, for example `SSH handshake`.
 */
export function withDeadline<T>(promise: PromiseLike<T>, ms: number, what: string, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => done(() => reject(new CancelledError()));
    const timer = setTimeout(() => done(() => reject(new DeadlineError(what, ms))), ms);
    const done = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    promise.then(
      (value) => done(() => resolve(value)),
      (error: unknown) => done(() => reject(error instanceof Error ? error : new Error(String(error)))),
    );
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Full-jitter exponential backoff: a random wait in milliseconds below `min(cap, base · 2^attempt)`, at least a tenth of it. */
export function backoff(attempt: number, base = 500, cap = 30_000, random: () => number = Math.random): number {
  const ceiling = Math.min(cap, base * 2 ** attempt);
  return ceiling * (0.1 + 0.9 * random());
}
