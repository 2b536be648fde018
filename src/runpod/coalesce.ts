import { CancelledError } from '../base/errors';

interface Shared {
  readonly promise: Promise<unknown>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Lets callers who ask the same at the same time share one piece of work. Each may leave by its own signal; the work is
 * ended when the last one has left.
 */
export class Coalescer {
  #running = new Map<string, Shared>();

  run<T>(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal?.aborted) return Promise.reject(new CancelledError());
    const shared = this.#running.get(key) ?? this.#begin(key, work);
    return this.#join(key, shared, signal) as Promise<T>;
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<unknown>): Shared {
    const controller = new AbortController();
    const shared: Shared = { promise: work(controller.signal), controller, waiting: 0 };
    this.#running.set(key, shared);
    const forget = (): void => this.#forget(key, shared);
    shared.promise.then(forget, forget);
    return shared;
  }

  #join(key: string, shared: Shared, signal: AbortSignal | undefined): Promise<unknown> {
    shared.waiting++;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(new CancelledError());
        if (--shared.waiting > 0) return;
        this.#forget(key, shared);
        shared.controller.abort();
      };
      signal?.addEventListener('abort', leave, { once: true });
      void shared.promise.then(resolve, reject).finally(() => signal?.removeEventListener('abort', leave));
    });
  }

  #forget(key: string, shared: Shared): void {
    if (this.#running.get(key) === shared) this.#running.delete(key);
  }
}
