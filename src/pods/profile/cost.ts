import { HOURS_A_MONTH, networkVolumePerMonth, STORAGE_PRICE } from '../money';
import type { Disks } from './resolve';

/** A working month: eight hours on twenty-two days. */
export const WORKING_HOURS = 8 * 22;

/** What one candidate would cost, in USD. `undefined` where the compute price is not known. */
export interface Cost {
  /** Compute alone. */
  readonly computePerHour: number | undefined;
  /** Container and volume disk while it runs. */
  readonly storageRunningPerHour: number;
  /** The volume disk while it is stopped, at twice the price; the container disk is gone then. */
  readonly storageStoppedPerHour: number;
  /** The network volume, which bills by itself, with or without a pod. */
  readonly networkPerMonth: number;
  /** Compute and disks of a running pod. */
  readonly perHour: number | undefined;
  /** Eight hours on twenty-two days, stopped the rest of the month; without the network volume. */
  readonly perWorkingMonth: number | undefined;
  /** From start to the time limit, where there is one. */
  readonly atLimit?: number | undefined;
}

export function costOf(computePerHour: number | undefined, disks: Disks, limitMinutes?: number): Cost {
  const running = (disks.containerGb * STORAGE_PRICE.containerDisk + disks.volumeGb * STORAGE_PRICE.volumeRunning) / HOURS_A_MONTH;
  const stopped = (disks.volumeGb * STORAGE_PRICE.volumeStopped) / HOURS_A_MONTH;
  const perHour = computePerHour === undefined ? undefined : computePerHour + running;
  return {
    computePerHour,
    storageRunningPerHour: running,
    storageStoppedPerHour: stopped,
    networkPerMonth: disks.networkGb === 0 ? 0 : networkVolumePerMonth({ sizeGb: disks.networkGb }),
    perHour,
    perWorkingMonth: perHour === undefined ? undefined : perHour * WORKING_HOURS + stopped * (HOURS_A_MONTH - WORKING_HOURS),
    ...(limitMinutes === undefined ? {} : { atLimit: perHour === undefined ? undefined : (perHour * limitMinutes) / 60 }),
  };
}
