import type { Pod } from '../runpod/types';
import { mayBill, storagePerHour } from './money';
import { timeLeftOf } from './timeLeft';

/** USD that one pod has cost in one span of time. */
export interface Spent {
  readonly compute: number;
  readonly storage: number;
}

/** What has been counted since a moment, by pod id. */
interface Sum {
  readonly since: number;
  /** Exclusive; a sum without it goes on. */
  readonly until?: number;
  readonly pods: Record<string, [compute: number, storage: number]>;
}

/** What is kept between windows. Sums are named `session`, `typed`, `day:<start>` and `utc:<start>`. */
export interface MeterRecord {
  readonly upTo: number;
  readonly sums: Readonly<Record<string, Sum>>;
}

interface Rates {
  readonly compute: number;
  readonly storage: number;
  /** The pod's own limit: it cannot have billed beyond. */
  readonly endsBy: number | undefined;
}

/** A window that opens so soon after the last one was counting goes on with the same session. */
const SESSION_GAP_MS = 10 * 60_000;
/** Clocks of two windows, or of this computer and the API, differ by less than this; more means that the clock was set. */
const CLOCK_SET_MS = 2 * 60_000;
const DAY_MS = 86_400_000;

const localDay = (at: number): number => new Date(at).setHours(0, 0, 0, 0);
export const utcDay = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS;

/**
 * Adds up what the pods cost: in this session of the editor, today, by the billing history's UTC days, and since a
 * balance was typed in. Rates come from the API, the time from the caller's clock; between two answers the last known
 * rates go on, so every figure is an estimate.
 *
 * All windows count the same pods. Each span of time is counted once, up to `upTo`: a window takes the furthest record
 * before it adds its own span, so that ten windows do not count ten times.
 */
export class SpendMeter {
  #upTo = 0;
  #sums: Record<string, Sum> = {};
  #rates = new Map<string, Rates>();
  #begun = false;

  /** @param record what was counted before, by this window or another */
  constructor(record?: MeterRecord) {
    if (record) this.adopt(record);
  }

  /** Goes on from what another window has counted, where that is further. */
  adopt(record: MeterRecord): void {
    if (record.upTo <= this.#upTo) return;
    this.#upTo = record.upTo;
    this.#sums = structuredClone(record.sums);
  }

  get record(): MeterRecord {
    return { upTo: this.#upTo, sums: this.#sums };
  }

  /**
   * Takes a fresh list. What ran while nobody counted is added from the pod's own start on (not to the session). A pod
   * that has ended since the last list is counted to its limit or to this moment, which is at most one poll too much.
   * @param now ms since 1970
   */
  update(pods: readonly Pod[], now: number): void {
    const setBack = this.#upTo - now > CLOCK_SET_MS;
    if (setBack) this.#upTo = now;
    const to = Math.max(now, this.#upTo);
    this.#open(to);
    const rates = new Map<string, Rates>();
    for (const pod of pods) {
      const next = ratesOf(pod);
      const known = this.#rates.get(pod.id);
      const begin = beganAt(pod) ?? (known ? this.#upTo : undefined);
      if (known && (known.compute === 0) === (next.compute === 0)) this.#add(pod.id, known, this.#upTo, to);
      // It has stopped since: until then it cost what it cost before.
      else if (known && next.compute === 0) this.#add(pod.id, known, this.#upTo, Math.min(to, known.endsBy ?? to));
      else if (begin !== undefined) this.#add(pod.id, next, Math.max(this.#upTo, begin), to);
      rates.set(pod.id, next);
    }
    for (const [id, known] of this.#rates) if (!rates.has(id)) this.#add(id, known, this.#upTo, Math.min(to, known.endsBy ?? to));
    this.#rates = rates;
    this.#upTo = to;
    this.#begun = true;
  }

  /** Counts anew from `now` on under that name. */
  restart(name: 'session' | 'typed', now: number): void {
    this.#sums[name] = { since: now, pods: {} };
  }

  /** When that count began, ms since 1970. */
  since(name: 'session' | 'typed'): number | undefined {
    return this.#sums[name]?.since;
  }

  /** USD in this session up to `now`. Never falls, also when the clock is set back. */
  total(now: number): number {
    return this.spent('session', now);
  }

  /** USD since the person's own midnight. */
  today(now: number): number {
    return this.spent(`day:${localDay(now)}`, now);
  }

  /** USD under that name up to `now`, with what the last known rates add since the last list. */
  spent(name: string, now: number): number {
    let sum = 0;
    for (const { compute, storage } of this.byPod(name, now).values()) sum += compute + storage;
    return sum;
  }

  /** By pod, what was spent in the UTC day that begins at `day`. */
  inUtcDay(day: number, now: number): Map<string, Spent> {
    return this.byPod(`utc:${day}`, now);
  }

  byPod(name: string, now: number): Map<string, Spent> {
    const sum = this.#sums[name];
    const spent = new Map<string, Spent>();
    if (!sum) return spent;
    for (const [id, [compute, storage]] of Object.entries(sum.pods)) spent.set(id, { compute, storage });
    for (const [id, rates] of this.#rates) {
      const hours = hoursIn(sum, this.#upTo, Math.min(now, rates.endsBy ?? now));
      if (hours === 0) continue;
      const before = spent.get(id) ?? { compute: 0, storage: 0 };
      spent.set(id, { compute: before.compute + rates.compute * hours, storage: before.storage + rates.storage * hours });
    }
    return spent;
  }

  /** Opens the sums of today where there are none, and drops those that nobody asks for any more. */
  #open(now: number): void {
    const day = localDay(now);
    // By the calendar: a day may have 23 or 25 hours.
    this.#sums[`day:${day}`] ??= { since: day, until: localDay(day + 1.5 * DAY_MS), pods: {} };
    this.#sums[`utc:${utcDay(now)}`] ??= { since: utcDay(now), until: utcDay(now) + DAY_MS, pods: {} };
    for (const [name, sum] of Object.entries(this.#sums)) if (sum.until !== undefined && sum.until < now - DAY_MS) delete this.#sums[name];
    if (!this.#sums['session'] || (!this.#begun && now - this.#upTo > SESSION_GAP_MS)) this.restart('session', now);
  }

  #add(podId: string, rates: Rates, from: number, to: number): void {
    for (const sum of Object.values(this.#sums)) {
      const hours = hoursIn(sum, from, to);
      if (hours === 0) continue;
      const spent = (sum.pods[podId] ??= [0, 0]);
      spent[0] += rates.compute * hours;
      spent[1] += rates.storage * hours;
    }
  }
}

/** A rate that RunPod did not say counts nothing here; the ticker says how many pods that are. */
function ratesOf(pod: Pod): Rates {
  const limit = timeLeftOf(pod, undefined);
  return { compute: mayBill(pod) ? (pod.costPerHour ?? 0) : 0, storage: storagePerHour(pod), endsBy: limit?.by === 'limit' ? limit.at : undefined };
}

/** Since when a pod costs what it costs now, as far as it is told: while a start is under way, RunPod still tells the start before. */
function beganAt(pod: Pod): number | undefined {
  if (!mayBill(pod)) return pod.createdAt?.getTime();
  const starting = pod.status === 'PROVISIONING' || pod.status === 'STARTING';
  return starting && pod.startedAt !== undefined ? undefined : (pod.startedAt ?? pod.createdAt)?.getTime();
}

const hoursIn = (sum: Sum, from: number, to: number): number => Math.max(0, Math.min(to, sum.until ?? to) - Math.max(from, sum.since)) / 3_600_000;
