export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The bytes of a file that have not been moved yet. What a lost link leaves undone comes back and is taken again. */
export class Ranges {
  #open: Range[];

  constructor(start: number, end: number) {
    this.#open = start < end ? [{ start, end }] : [];
  }

  /** The next bytes, at most `max`; `undefined` when none are left to take. */
  take(max: number): Range | undefined {
    const first = this.#open.shift();
    if (first === undefined) return undefined;
    const end = Math.min(first.end, first.start + max);
    if (end < first.end) this.#open.unshift({ start: end, end: first.end });
    return { start: first.start, end };
  }

  giveBack(range: Range): void {
    if (range.start < range.end) this.#open.unshift(range);
  }
}
