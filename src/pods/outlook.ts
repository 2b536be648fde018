import type { Pod } from '../runpod/types';
import { balanceEnd, burnOf, mayBill, stoppedStoragePerHour, type Burn } from './money';
import type { PodsState } from './store';
import { timeLeftOf, type TimeLeft } from './timeLeft';

/** What a list of pods means for the purse, worked out once a list so that a clock's tick has nothing to add up. */
export interface Outlook {
  readonly burn: Burn;
  /** USD per hour of the volume disks of pods that do not run. */
  readonly stoppedStoragePerHour: number;
  /** What ends first of all that runs. */
  readonly first?: TimeLeft & { readonly pod: Pod };
  /** When the balance is gone, ms since 1970. */
  readonly balanceEndsAt?: number;
}

export function outlookOf({ pods, account }: Pick<PodsState, 'pods' | 'account'>): Outlook {
  const balanceEndsAt = balanceEnd(account);
  let first: Outlook['first'];
  let stopped = 0;
  for (const pod of pods) {
    if (!mayBill(pod)) stopped += stoppedStoragePerHour(pod);
    const left = timeLeftOf(pod, balanceEndsAt);
    if (left && (!first || left.at < first.at)) first = { ...left, pod };
  }
  return { burn: burnOf(pods), stoppedStoragePerHour: stopped, ...(first ? { first } : {}), ...(balanceEndsAt === undefined ? {} : { balanceEndsAt }) };
}

/**
 * At $0 running pods stop; those without a network volume are deleted with all that is on them, and so is a stopped
 * pod's disk that nobody pays for.
 */
export const isLostAtZero = (pod: Pod): boolean => pod.status !== 'TERMINATED' && pod.mount?.kind !== 'network';
