import { maskOf, scoreWord } from './score';

interface Known {
  readonly path: string;
  readonly lower: string;
  readonly mask: number;
  /** Where the name begins. */
  readonly base: number;
}

/** The paths of a tree, ready to be found by a few letters. */
export class PathIndex {
  readonly #known = new Map<string, Known>();
  #all: readonly Known[] | undefined;
  /** What the last query left over: one that goes on from it looks no further. */
  #narrowed: { readonly words: readonly string[]; readonly known: readonly Known[] } | undefined;

  constructor(paths: Iterable<string> = []) {
    this.add(paths);
  }

  get size(): number {
    return this.#known.size;
  }

  has(path: string): boolean {
    return this.#known.has(path);
  }

  add(paths: Iterable<string>): void {
    for (const path of paths) {
      if (this.#known.has(path)) continue;
      const lower = path.toLowerCase();
      // Lower case of some letters is longer than they are; then positions are those of the path as it is.
      const fit = lower.length === path.length ? lower : path;
      this.#known.set(path, { path, lower: fit, mask: maskOf(fit), base: path.lastIndexOf('/') + 1 });
    }
    this.#forgetQuery();
  }

  /** A file, or a folder with all that lies in it. */
  remove(path: string): void {
    if (!this.#known.delete(path)) for (const known of this.#known.keys()) if (known.startsWith(`${path}/`)) this.#known.delete(known);
    this.#forgetQuery();
  }

  /**
   * The best paths first.
   * @param query words that must all be found, `/` in a word meaning a folder. Without one, what `favoured` names and then the rest.
   * @param favoured paths that come before others as good, for example those open.
   */
  find(query: string, limit: number, favoured: ReadonlySet<string> = new Set()): string[] {
    const words = query.toLowerCase().replaceAll('\\', '/').split(/\s+/).filter(Boolean);
    const all = (this.#all ??= [...this.#known.values()]);
    if (words.length === 0) {
      const first = [...favoured].filter((path) => this.#known.has(path));
      return [...first, ...all.slice(0, limit).map(({ path }) => path).filter((path) => !favoured.has(path))].slice(0, limit);
    }
    const from = this.#narrowed !== undefined && goesOn(this.#narrowed.words, words) ? this.#narrowed.known : all;
    const mask = words.reduce((sum, word) => sum | maskOf(word), 0);
    const matching: Known[] = [];
    const best = new Best(limit);
    for (const known of from) {
      if ((known.mask & mask) !== mask) continue;
      let score = 0;
      for (const word of words) {
        const one = scoreWord(word, known.path, known.lower, known.base);
        if (one === 0) {
          score = 0;
          break;
        }
        score += one;
      }
      if (score === 0) continue;
      matching.push(known);
      best.offer(known.path, score + (favoured.has(known.path) ? 150 : 0));
    }
    this.#narrowed = { words, known: matching };
    return best.paths;
  }

  #forgetQuery(): void {
    this.#all = undefined;
    this.#narrowed = undefined;
  }
}

/** Whether all that matches `after` matches `before` too. */
const goesOn = (before: readonly string[], after: readonly string[]): boolean => before.length <= after.length && before.every((word, i) => (after[i] ?? '').startsWith(word));

/** The few best of many. */
class Best {
  readonly #found: { readonly path: string; readonly score: number }[] = [];

  constructor(readonly limit: number) {}

  offer(path: string, score: number): void {
    const found = this.#found;
    const last = found.at(-1);
    if (found.length >= this.limit && last !== undefined && !isBefore(score, path, last)) return;
    let low = 0;
    let high = found.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = found[middle];
      if (there !== undefined && isBefore(score, path, there)) high = middle;
      else low = middle + 1;
    }
    found.splice(low, 0, { path, score });
    if (found.length > this.limit) found.pop();
  }

  get paths(): string[] {
    return this.#found.map(({ path }) => path);
  }
}

const isBefore = (score: number, path: string, other: { readonly path: string; readonly score: number }): boolean =>
  score > other.score || (score === other.score && (path.length < other.path.length || (path.length === other.path.length && path < other.path)));
