const HOUR_MS = 3_600_000;

/** What a sum was spent on; the names of the components are those of the aggregate billing record. */
export type Component = 'podGpuAmount' | 'podCpuAmount' | 'podDiskAmount' | 'storageStandardAmount' | 'storageHighPerformanceAmount';

export interface Charge {
  /** Start of the hour, milliseconds since the epoch. */
  readonly hour: number;
  readonly resource: string;
  readonly component: Component;
  amount: number;
}

/** All that was ever charged, by hour, resource and component. */
export class Ledger {
  readonly #charges = new Map<string, Charge>();

  /** Charges `perHour` USD from `from` to `to`. @returns the sum. */
  charge(resource: string, component: Component, perHour: number, from: number, to: number): number {
    if (perHour <= 0 || to <= from) return 0;
    for (let start = from; start < to; ) {
      const hour = Math.floor(start / HOUR_MS) * HOUR_MS;
      const end = Math.min(to, hour + HOUR_MS);
      const key = `${hour} ${resource} ${component}`;
      const charge = this.#charges.get(key) ?? { hour, resource, component, amount: 0 };
      charge.amount += (perHour * (end - start)) / HOUR_MS;
      this.#charges.set(key, charge);
      start = end;
    }
    return (perHour * (to - from)) / HOUR_MS;
  }

  /** Charges of hours that begin in `[from, to)`. */
  between(from: number, to: number): Charge[] {
    return [...this.#charges.values()].filter((charge) => charge.hour >= from && charge.hour < to);
  }
}
