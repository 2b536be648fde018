import type { FileStat } from './kinds';
import { dirname, isWithin } from './names';

interface Entry {
  readonly stat: FileStat;
  readonly at: number;
  /** Serves one question only: the editor's own look at what it has just saved. */
  readonly once: boolean;
}

const maxEntries = 20_000;

/**
 * What a listing told of its entries, for the moment in which the editor asks about each of them. Never for a file that
 * has been read or written here: such a file may be about to be saved, and the question before a save must be answered
 * by the pod.
 */
export class AttributeCache {
  readonly #entries = new Map<string, Entry>();
  readonly #inUse = new Set<string>();
  #generation = 0;

  /** @param lifeMs how long a listing is believed. */
  constructor(
    readonly lifeMs: number,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** Taken before asking the pod; an answer that a change has overtaken is not kept. */
  ticket(): number {
    return this.#generation;
  }

  keep(ticket: number, path: string, stat: FileStat): void {
    if (ticket !== this.#generation || this.lifeMs <= 0) return;
    if (this.#entries.size >= maxEntries) this.#entries.clear();
    this.#entries.set(path, { stat, at: this.now(), once: false });
  }

  /** The save that has just ended knows what it left. */
  keepOnce(path: string, stat: FileStat): void {
    if (this.lifeMs > 0) this.#entries.set(path, { stat, at: this.now(), once: true });
  }

  get(path: string): FileStat | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined) return undefined;
    if (entry.once || this.now() - entry.at > this.lifeMs) this.#entries.delete(path);
    if (this.now() - entry.at > (entry.once ? Math.min(1000, this.lifeMs) : this.lifeMs)) return undefined;
    if (!entry.once && entry.stat.kind !== 'directory' && this.#isInUse(path)) return undefined;
    return entry.stat;
  }

  /** From now on the pod answers for this file. */
  use(path: string): void {
    if (this.#inUse.size <= maxEntries) this.#inUse.add(path);
  }

  #isInUse(path: string): boolean {
    // Too many to remember: then none is answered from here.
    return this.#inUse.size > maxEntries || this.#inUse.has(path);
  }

  /** `path`, what lies in it and its folder have changed, or are about to. */
  forget(path: string): void {
    this.#generation++;
    this.#entries.delete(dirname(path));
    for (const key of this.#entries.keys()) if (isWithin(key, path)) this.#entries.delete(key);
  }

  forgetAll(): void {
    this.#generation++;
    this.#entries.clear();
  }
}
