import type { ConflictChoice } from '../../src/sync/decide';

/** A file's content, and the second it was edited in, which no two edits share. */
export interface Version {
  readonly text: string;
  readonly edit: number;
}
export type Side = ReadonlyMap<string, Version>;

/** What one push or pull may do to the side it writes to: per file, what is there afterwards; `undefined` for nothing. */
export type Outcome = Map<string, Version | undefined>;

const sameText = (a: Version, b: Version): boolean => a.text.length === b.text.length && a.text === b.text;

/** What a push and a pull must do, by what both sides were last seen to have in common. Knows nothing of how they do it. */
export class Model {
  here = new Map<string, Version>();
  there = new Map<string, Version>();
  /** Versions of a file that both sides had: either may replace them. */
  readonly #common = new Map<string, Set<number>>();
  /** The edit that the local file has unless it was changed here since. */
  readonly #base = new Map<string, number>();
  readonly #alike = new Map<string, readonly [number, number]>();

  #agree(file: string, { edit }: Version): void {
    this.#common.set(file, (this.#common.get(file) ?? new Set()).add(edit));
    this.#base.set(file, edit);
  }
  #isCommon = (file: string, { edit }: Version): boolean => this.#common.get(file)?.has(edit) === true;

  #sort(file: string): 'none' | 'same' | 'send' | 'newer' | 'conflict' | 'deleted' | 'theirs' {
    const [mine, theirs] = [this.here.get(file), this.there.get(file)];
    if (mine === undefined) return theirs === undefined ? 'none' : this.#isCommon(file, theirs) ? 'deleted' : 'theirs';
    if (theirs === undefined) return 'send';
    const common = this.#isCommon(file, theirs);
    if (mine.edit === theirs.edit && common) return 'same';
    const alike = this.#alike.get(file);
    if (alike?.[0] === mine.edit && alike[1] === theirs.edit && this.#base.get(file) === mine.edit) return 'same';
    if (common) return 'send';
    if (this.#base.get(file) === mine.edit) return 'newer';
    return sameText(mine, theirs) ? 'same' : 'conflict';
  }

  /** Both sides have been compared: what is alike is known to be. */
  looked(): void {
    for (const file of this.#files()) {
      const [mine, theirs] = [this.here.get(file), this.there.get(file)];
      if (mine === undefined || theirs === undefined || this.#sort(file) !== 'same') continue;
      if (mine.edit === theirs.edit) this.#agree(file, mine);
      else if (this.#alike.get(file)?.[0] !== mine.edit || this.#alike.get(file)?.[1] !== theirs.edit) {
        this.#agree(file, theirs);
        this.#base.set(file, mine.edit);
        this.#alike.set(file, [mine.edit, theirs.edit]);
      }
    }
  }

  push(conflicts: ConflictChoice, mirror: boolean, aside: (file: string) => string): { outcome: Outcome; recycled: readonly string[] } {
    const outcome: Outcome = new Map();
    const recycled: string[] = [];
    for (const file of this.#files()) {
      const [kind, mine, theirs] = [this.#sort(file), this.here.get(file), this.there.get(file)];
      if (kind === 'send' || (kind === 'conflict' && conflicts !== 'keep')) outcome.set(file, mine);
      if (kind === 'conflict' && conflicts === 'both') outcome.set(aside(file), theirs);
      if (mirror && (kind === 'deleted' || kind === 'theirs')) {
        outcome.set(file, undefined);
        recycled.push(file);
      }
    }
    return { outcome, recycled };
  }

  pull(conflicts: ConflictChoice, aside: (file: string) => string): Outcome {
    const outcome: Outcome = new Map();
    for (const file of this.#files()) {
      const [kind, theirs] = [this.#sort(file), this.there.get(file)];
      if (kind === 'newer' || kind === 'theirs' || (kind === 'conflict' && conflicts === 'overwrite')) outcome.set(file, theirs);
      if (kind === 'conflict' && conflicts === 'both') outcome.set(aside(file), theirs);
    }
    return outcome;
  }

  /** What a push has put on the pod. @param knows whether it lived to learn that a file has arrived */
  pushed(outcome: Outcome, seen: Side, knows: (file: string) => boolean): void {
    for (const [file, version] of outcome) {
      const found = seen.get(file);
      if (found?.edit !== version?.edit) continue;
      if (version === undefined) {
        if (knows(file)) this.#forget(file);
      } else if (this.here.get(file)?.edit === version.edit) {
        if (knows(file)) this.#agree(file, version);
        else this.#common.set(file, (this.#common.get(file) ?? new Set()).add(version.edit));
      }
    }
    this.there = new Map(seen);
  }

  /** What a pull has brought. */
  pulled(outcome: Outcome, seen: Side, aside: (file: string) => string): void {
    const before = this.here;
    for (const [file, version] of outcome)
      if (version !== undefined && seen.get(file)?.edit === version.edit && before.get(file)?.edit !== version.edit && this.there.get(file)?.edit === version.edit) this.#agree(file, version);
    for (const [file, theirs] of this.there)
      if (outcome.get(aside(file))?.edit === theirs.edit && seen.get(aside(file))?.edit === theirs.edit) {
        // The pod's version is kept beside, so replacing it loses nothing.
        this.#common.set(file, (this.#common.get(file) ?? new Set()).add(theirs.edit));
        this.#base.delete(file);
      }
    this.here = new Map(seen);
  }

  #forget(file: string): void {
    for (const known of [this.#common, this.#base, this.#alike]) known.delete(file);
  }

  #files(): string[] {
    return [...new Set([...this.here.keys(), ...this.there.keys()])].sort();
  }
}
