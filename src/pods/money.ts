import type { Pod } from '../runpod/types';

/** USD per GB and month (RunPod's published storage prices, late 2026; a month is billed as 730 hours here). */
export const STORAGE_PRICE = { containerDisk: 0.1, volumeRunning: 0.1, volumeStopped: 0.2, networkFirstTb: 0.07, networkAbove: 0.05 } as const;
export const HOURS_A_MONTH = 730;

/** Compute is billed from placement to stop; what is not EXITED or TERMINATED may bill. */
export const mayBill = (pod: Pod): boolean => pod.status !== 'EXITED' && pod.status !== 'TERMINATED';

/**
 * Estimated storage cost of a pod in USD per hour: its container disk while it runs, and its volume disk, which costs
 * twice as much while stopped. A network volume bills by itself, with or without pods; see `networkVolumePerMonth`.
 */
export function storagePerHour(pod: Pod): number {
  const running = mayBill(pod);
  const volume = pod.mount?.kind === 'persistent' ? pod.mount.sizeGb * (running ? STORAGE_PRICE.volumeRunning : STORAGE_PRICE.volumeStopped) : 0;
  const disk = running ? (pod.diskGb ?? 0) * STORAGE_PRICE.containerDisk : 0;
  return (volume + disk) / HOURS_A_MONTH;
}

/** What a pod's volume disk will cost in USD per hour once the pod is stopped. */
export const stoppedStoragePerHour = (pod: Pod): number =>
  pod.mount?.kind === 'persistent' ? (pod.mount.sizeGb * STORAGE_PRICE.volumeStopped) / HOURS_A_MONTH : 0;

/** USD per month of a volume disk of `sizeGb` attached to a running pod. */
export const volumeDiskPerMonth = (sizeGb: number): number => sizeGb * STORAGE_PRICE.volumeRunning;

/** Estimated USD per month of a network volume: the first TB has one price, the rest a lower one. */
export const networkVolumePerMonth = (volume: { readonly sizeGb: number }): number =>
  Math.min(volume.sizeGb, 1000) * STORAGE_PRICE.networkFirstTb + Math.max(0, volume.sizeGb - 1000) * STORAGE_PRICE.networkAbove;

export interface Burn {
  /** Sum of the running pods' compute rates, USD per hour. */
  readonly computePerHour: number;
  /** Estimated storage of all listed pods, USD per hour. */
  readonly storagePerHour: number;
  /** Pods that may bill but whose rate RunPod did not say; the sums above lack them. */
  readonly unknown: number;
  /** Pods that run or are on their way. */
  readonly running: number;
}

/** What the listed pods cost now. */
export function burnOf(pods: readonly Pod[]): Burn {
  let compute = 0;
  let storage = 0;
  let unknown = 0;
  let running = 0;
  for (const pod of pods) {
    storage += storagePerHour(pod);
    if (!mayBill(pod)) continue;
    running++;
    if (pod.costPerHour === undefined) unknown++;
    else compute += pod.costPerHour;
  }
  return { computePerHour: compute, storagePerHour: storage, unknown, running };
}

/**
 * When the balance reaches zero at the present burn.
 * @param account what RunPod last said, with the moment (ms since 1970) of the answer; balance in USD, spend in USD per hour
 * @returns ms since 1970, or undefined when RunPod did not say enough or nothing is spent
 */
export function balanceEnd(account: { balance?: number; spendPerHour?: number; at: number } | undefined): number | undefined {
  if (account?.balance === undefined || account.spendPerHour === undefined || account.spendPerHour <= 0) return undefined;
  return account.at + (Math.max(0, account.balance) / account.spendPerHour) * 3_600_000;
}

/** Compute cost of this start so far, in USD, by the API's clock; undefined when a part is unknown. */
export function costSoFar(pod: Pod, apiNow: number): number | undefined {
  if (pod.costPerHour === undefined || pod.startedAt === undefined || !mayBill(pod)) return undefined;
  return (Math.max(0, apiNow - pod.startedAt.getTime()) / 3_600_000) * pod.costPerHour;
}
