import type { HttpAnswer } from './http';
import { header } from './http';

/**
 * The API's time by its `Date` header, because this machine's clock may be off, and time left and time spent are told in
 * the API's time. The header has whole seconds; each answer narrows down the offset (the second began somewhere between
 * sending and receiving), so that after some calls it is known far better than to a second.
 */
export class ServerClock {
  #low = -Infinity;
  #high = Infinity;

  /** @param sentAt and @param receivedAt this machine's time in milliseconds. */
  observe(headers: HttpAnswer['headers'], sentAt: number, receivedAt: number): void {
    // An answer from a cache carries the time at which it was put there.
    if (header(headers, 'age') !== undefined) return;
    const date = Date.parse(header(headers, 'date') ?? '');
    if (Number.isNaN(date)) return;
    const low = date - receivedAt;
    const high = date + 1000 - sentAt;
    // When the spans do not meet, one of the clocks was set meanwhile: what was known no longer holds.
    const meets = low <= this.#high && high >= this.#low;
    this.#low = meets ? Math.max(this.#low, low) : low;
    this.#high = meets ? Math.min(this.#high, high) : high;
  }

  /** How far the API's clock is ahead of this machine's, in milliseconds; 0 as long as nothing is known. */
  get offsetMs(): number {
    return Number.isFinite(this.#low) ? (this.#low + this.#high) / 2 : 0;
  }

  /** True once an answer has told the time. */
  get known(): boolean {
    return Number.isFinite(this.#low);
  }

  now(): Date {
    return new Date(Date.now() + this.offsetMs);
  }
}
