import type { Disposable } from './disposable';

/** A subscription point. Structurally the editor's `Event`. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/** One owner fires, many listen. A listener that throws does not keep the others from hearing. */
export class Emitter<T> implements Disposable {
  #listeners = new Set<(value: T) => void>();

  readonly event: Event<T> = (listener) => {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  };

  fire(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  dispose(): void {
    this.#listeners.clear();
  }
}
