import { backoff } from '../base/time';
import type { SessionTimings } from './sessionTimings';

/** When a lost connection is tried again: soon, and later the more often it was lost in a row, most of all where nobody looks. */
export class ComeBack {
  #losses = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly timings: Pick<SessionTimings, 'comeBackMs' | 'comeBackCapMs' | 'comeBackUnwatchedCapMs'>,
    private readonly watched: () => boolean,
    private readonly now: () => void,
  ) {}

  get planned(): boolean {
    return this.#timer !== undefined;
  }

  plan(): void {
    this.stop();
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.now();
      },
      backoff(this.#losses++, this.timings.comeBackMs, this.watched() ? this.timings.comeBackCapMs : this.timings.comeBackUnwatchedCapMs),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A connection that lasted says nothing against the next; one that is cut at once again and again does. */
  lost(lastedMs: number): void {
    if (lastedMs >= 10 * this.timings.comeBackMs) this.forget();
  }

  /** What was lost before counts no more. */
  forget(): void {
    this.#losses = 0;
  }
}
