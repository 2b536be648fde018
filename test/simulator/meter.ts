import type { Disposable } from '../../src/base/disposable';
import type { PodClock } from './clock';
import type { Component, Ledger } from './ledger';
import { isBilled, type Pod } from './pod';

export interface NetworkVolume {
  readonly id: string;
  name: string;
  /** GB. */
  size: number;
  readonly dataCenter: string;
  readonly type: 'STANDARD' | 'HIGH_PERFORMANCE';
  readonly createdAt: number;
}

const HOUR_MS = 3_600_000;
/** Storage is priced by the month; a month has this many hours. */
export const HOURS_A_MONTH = 730;
const CONTAINER_DISK_GB_MONTH = 0.1;
const VOLUME_DISK_GB_MONTH = { running: 0.1, stopped: 0.2 };
const HIGH_PERFORMANCE_GB_MONTH = 0.14;
/** Below this a balance is gone; what is left is rounding. */
const NOTHING_USD = 1e-6;

/** USD per hour of a pod's disks. */
export function diskRate(pod: Pick<Pod, 'disk' | 'mounts' | 'status'>): number {
  const running = isBilled(pod);
  const container = running ? pod.disk * CONTAINER_DISK_GB_MONTH : 0;
  const volume = (pod.mounts.persistent?.size ?? 0) * VOLUME_DISK_GB_MONTH[running ? 'running' : 'stopped'];
  return (container + volume) / HOURS_A_MONTH;
}

/** USD per hour of a network volume: cheaper above the first TB. */
export function volumeRate(volume: Pick<NetworkVolume, 'size' | 'type'>): number {
  if (volume.type === 'HIGH_PERFORMANCE') return (volume.size * HIGH_PERFORMANCE_GB_MONTH) / HOURS_A_MONTH;
  return (Math.min(volume.size, 1000) * 0.07 + Math.max(0, volume.size - 1000) * 0.05) / HOURS_A_MONTH;
}

/** Runs the account's balance down and says when it is gone. */
export class Meter implements Disposable {
  #settledAt: number;
  #alarm: Disposable | undefined;

  constructor(
    private readonly clock: PodClock,
    private readonly ledger: Ledger,
    private readonly account: { balance: number },
    private readonly pods: () => Iterable<Pod>,
    private readonly volumes: () => Iterable<NetworkVolume>,
    private readonly onEmpty: () => void,
  ) {
    this.#settledAt = clock.now();
  }

  /** USD per hour over all resources, storage included. */
  get spendPerHour(): number {
    return this.#rates().reduce((sum, { perHour }) => sum + perHour, 0);
  }

  get balance(): number {
    this.settle();
    return this.account.balance;
  }

  set balance(usd: number) {
    this.settle();
    this.account.balance = usd;
    this.plan();
  }

  /** Charges what ran since the last call. Call it before anything that changes a rate. */
  settle(): void {
    const now = this.clock.now();
    for (const { resource, component, perHour } of this.#rates())
      this.account.balance -= this.ledger.charge(resource, component, perHour, this.#settledAt, now);
    this.account.balance = Math.max(0, this.account.balance);
    this.#settledAt = now;
  }

  /** Looks ahead to the moment when the money is gone. Call it after anything that changed a rate. */
  plan(): void {
    this.#alarm?.dispose();
    const rate = this.spendPerHour;
    const gone = this.account.balance <= NOTHING_USD;
    // Storage alone goes on unpaid; there is nothing left to end.
    if (rate <= 0 || (gone && ![...this.pods()].some(isBilled))) return;
    const left = gone ? 0 : (this.account.balance / rate) * HOUR_MS;
    this.#alarm = this.clock.after(left, () => {
      this.settle();
      if (this.account.balance <= NOTHING_USD) this.onEmpty();
      else this.plan();
    });
  }

  dispose(): void {
    this.#alarm?.dispose();
  }

  #rates(): { resource: string; component: Component; perHour: number }[] {
    const rates: { resource: string; component: Component; perHour: number }[] = [];
    for (const pod of this.pods()) {
      if (isBilled(pod)) rates.push({ resource: pod.id, component: pod.cpu === undefined ? 'podGpuAmount' : 'podCpuAmount', perHour: computeRate(pod) });
      rates.push({ resource: pod.id, component: 'podDiskAmount', perHour: diskRate(pod) });
    }
    for (const volume of this.volumes())
      rates.push({
        resource: volume.id,
        component: volume.type === 'STANDARD' ? 'storageStandardAmount' : 'storageHighPerformanceAmount',
        perHour: volumeRate(volume),
      });
    return rates;
  }
}

/** USD per hour for a GPU pod that came back without a GPU: little CPU, little money. */
const WITHOUT_GPU_RATE = 0.05;

/** What `pod.cost` says: compute alone, nothing while stopped. */
export function computeRate(pod: Pick<Pod, 'status' | 'gpu' | 'gpusFound' | 'rate'>): number {
  if (!isBilled(pod)) return 0;
  return pod.gpu !== undefined && pod.gpusFound === 0 ? WITHOUT_GPU_RATE : pod.rate;
}
