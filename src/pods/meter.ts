import type { Pod } from '../runpod/types';
import { mayBill } from './money';

/**
 * Adds up what the pods have cost since the editor opened. The rates come from the API, the time from the caller's
 * clock; between two answers the last known rates go on, so the figure is an estimate until the next answer.
 */
export class SpendMeter {
  #settled = 0;
  #rates = new Map<string, { perHour: number; since: number }>();

  /** @param carried USD counted before, when the editor's window was reloaded within one session */
  constructor(carried = 0) {
    this.#settled = carried;
  }

  /**
   * Takes a fresh list. A pod counts from when it was first seen or, if later, from its own start; one that has
   * stopped or gone since is counted to this moment, which is at most one poll too much.
   * @param now ms since 1970
   */
  update(pods: readonly Pod[], now: number): void {
    this.#settled = this.total(now);
    const before = this.#rates;
    this.#rates = new Map();
    for (const pod of pods) {
      if (!mayBill(pod) || pod.costPerHour === undefined) continue;
      const started = pod.startedAt?.getTime() ?? pod.createdAt?.getTime();
      // A pod made while we were open bills from its start, which lies between two answers.
      const since = !before.has(pod.id) && this.#seenBefore && started !== undefined ? Math.min(now, Math.max(started, this.#lastUpdate)) : now;
      this.#rates.set(pod.id, { perHour: pod.costPerHour, since });
    }
    this.#seenBefore = true;
    this.#lastUpdate = now;
  }

  #seenBefore = false;
  #lastUpdate = 0;

  /** USD spent up to `now` (ms since 1970). Never falls, also when the clock is set back. */
  total(now: number): number {
    let sum = this.#settled;
    for (const { perHour, since } of this.#rates.values()) sum += (Math.max(0, now - since) / 3_600_000) * perHour;
    return sum;
  }
}
