import type { Pod } from '../runpod/types';
import { sameAddress, startedFor, startOf, type PodAddress } from './address';

/**
 * What one window has seen of a pod's addresses. For a while after a start the API may still tell the address of the start
 * before, where by now another tenant's pod may answer; so what fails there is no alarm, and nobody is trusted there unproven.
 */
export class Whereabouts {
  #address: PodAddress | undefined;
  #start: string | undefined;
  /** When the API began to tell this address in place of another for one and the same start. */
  #changedAt: number | undefined;
  #seenAt = 0;
  #good: { readonly start: string; readonly address: PodAddress } | undefined;

  /** @param freshMs how long a start counts as fresh */
  constructor(private readonly freshMs: number) {}

  /** Takes in what the API said at `now` (its own clock, ms). */
  see(pod: Pod, now: number): void {
    const start = startOf(pod);
    const address = pod.ssh.direct;
    if (start === this.#start && sameAddress(address, this.#address)) return;
    const moved = start === this.#start && address !== undefined && this.#address !== undefined;
    this.#changedAt = moved ? now : undefined;
    this.#seenAt = now;
    this.#start = start;
    this.#address = address;
  }

  /** A login succeeded there. */
  reached(pod: Pod, address: PodAddress): void {
    this.#good = { start: startOf(pod), address };
  }

  /** Whether the address may still be that of the start before. */
  fresh(pod: Pod, now: number): boolean {
    const age = startedFor(pod, now);
    if (age !== undefined && age < this.freshMs) return true;
    return this.#changedAt !== undefined && now - this.#changedAt < this.freshMs;
  }

  /** Whether the API has kept to this address for `settleMs`, and it is not where the start before was reached. */
  settled(pod: Pod, address: PodAddress, settleMs: number, now: number): boolean {
    const good = this.#good;
    if (good !== undefined && good.start !== startOf(pod) && sameAddress(good.address, address)) return false;
    return sameAddress(address, this.#address) && now - this.#seenAt >= settleMs;
  }
}
