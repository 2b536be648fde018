/** Anything that holds a resource until told to let go. Structurally the editor's `Disposable`. */
export interface Disposable {
  dispose(): void;
}

/** Collects disposables; what is added after `dispose` is disposed at once, so nothing leaks out of a race. */
export class DisposableStore implements Disposable {
  #items = new Set<Disposable>();
  #disposed = false;

  get disposed(): boolean {
    return this.#disposed;
  }

  add<T extends Disposable>(item: T): T {
    if (this.#disposed) item.dispose();
    else this.#items.add(item);
    return item;
  }

  /** Disposes everything, last added first. Safe to call twice. */
  dispose(): void {
    this.#disposed = true;
    const items = [...this.#items].reverse();
    this.#items.clear();
    for (const item of items) item.dispose();
  }
}
