import type { BillingRecord } from '../runpod/types';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What one pod cost in one UTC day, in USD: RunPod bills by UTC days. */
export interface SpendRow {
  /** Start of the day, ms since 1970. */
  readonly day: number;
  readonly podId: string;
  /** undefined: RunPod sent an amount that cannot be read, which is not 0. */
  readonly billed: number | undefined;
  readonly gpu?: number;
  readonly cpu?: number;
  readonly disk?: number;
  /** An estimate of what the bills lack yet: counted here beyond what was billed. */
  readonly unbilled: number;
}

/** Counted by this editor for one UTC day, USD by pod id. */
export interface CountedDay {
  readonly day: number;
  readonly pods: ReadonlyMap<string, { readonly compute: number; readonly storage: number }>;
}

/**
 * Joins the bills with what was counted here. Bills lag behind by an unknown time, so a day costs what was billed or
 * what was counted, whichever is more; never both.
 */
export function spendRows(records: readonly BillingRecord[], counted: readonly CountedDay[] = []): SpendRow[] {
  const rows = new Map<string, { day: number; podId: string; billed: number | undefined; gpu?: number; cpu?: number; disk?: number; unbilled: number }>();
  for (const record of records) {
    const day = Math.floor(record.start.getTime() / DAY_MS) * DAY_MS;
    const key = `${day} ${record.podId}`;
    const row = rows.get(key);
    if (!row) {
      rows.set(key, { day, podId: record.podId, billed: record.total, ...parts(record), unbilled: 0 });
      continue;
    }
    row.billed = row.billed === undefined || record.total === undefined ? undefined : row.billed + record.total;
    for (const part of ['gpu', 'cpu', 'disk'] as const) {
      const more = record[part];
      if (more !== undefined) row[part] = (row[part] ?? 0) + more;
    }
  }
  for (const { day, pods } of counted)
    for (const [podId, { compute, storage }] of pods) {
      const key = `${day} ${podId}`;
      const row = rows.get(key) ?? { day, podId, billed: 0, unbilled: 0 };
      row.unbilled = Math.max(0, compute + storage - (row.billed ?? 0));
      // A hundredth of a cent is rounding, not money.
      if (row.unbilled < 1e-4) row.unbilled = 0;
      if (row.unbilled > 0 || rows.has(key)) rows.set(key, row);
    }
  return [...rows.values()].sort((a, b) => a.day - b.day || a.podId.localeCompare(b.podId));
}

const parts = ({ gpu, cpu, disk }: BillingRecord): { gpu?: number; cpu?: number; disk?: number } => ({
  ...(gpu === undefined ? {} : { gpu }),
  ...(cpu === undefined ? {} : { cpu }),
  ...(disk === undefined ? {} : { disk }),
});

export interface DaySpend {
  readonly day: number;
  readonly billed: number;
  readonly unbilled: number;
}

/** One entry for every UTC day from the one of `from` to the one of `to`, also where nothing was spent. */
export function byDay(rows: readonly SpendRow[], from: number, to: number, podId?: string): DaySpend[] {
  const days = new Map<number, { day: number; billed: number; unbilled: number }>();
  for (let day = Math.floor(from / DAY_MS) * DAY_MS; day <= to; day += DAY_MS) days.set(day, { day, billed: 0, unbilled: 0 });
  for (const row of rows) {
    const at = days.get(row.day);
    if (!at || (podId !== undefined && row.podId !== podId)) continue;
    at.billed += row.billed ?? 0;
    at.unbilled += row.unbilled;
  }
  return [...days.values()];
}

export interface PodSpend {
  readonly podId: string;
  readonly total: number;
  readonly unbilled: number;
  readonly gpu: number;
  readonly cpu: number;
  readonly disk: number;
  /** Days whose amount could not be read; the sums lack them. */
  readonly unreadable: number;
}

/** Sums by pod from `from` (ms since 1970) on, the dearest first. `total` holds `unbilled`. */
export function byPod(rows: readonly SpendRow[], from: number): PodSpend[] {
  const pods = new Map<string, { -readonly [K in keyof PodSpend]: PodSpend[K] }>();
  for (const row of rows) {
    if (row.day + DAY_MS <= from) continue;
    const sum = pods.get(row.podId) ?? { podId: row.podId, total: 0, unbilled: 0, gpu: 0, cpu: 0, disk: 0, unreadable: 0 };
    pods.set(row.podId, sum);
    sum.total += (row.billed ?? 0) + row.unbilled;
    sum.unbilled += row.unbilled;
    sum.gpu += row.gpu ?? 0;
    sum.cpu += row.cpu ?? 0;
    sum.disk += row.disk ?? 0;
    if (row.billed === undefined) sum.unreadable++;
  }
  return [...pods.values()].sort((a, b) => b.total - a.total || a.podId.localeCompare(b.podId));
}

export interface MonthOutlook {
  /** USD from the first of the UTC month to `now`, with what is not billed yet. */
  readonly toDate: number;
  /** USD at the month's end if everything goes on as it does now. */
  readonly projected: number;
  /** USD at the month's end at the average of the last seven days. */
  readonly projectedByWeek: number;
  /** Amounts in it that could not be read; the sums lack them. */
  readonly unreadable: number;
}

export const monthStart = (at: number): number => Date.UTC(new Date(at).getUTCFullYear(), new Date(at).getUTCMonth(), 1);
const monthEnd = (at: number): number => Date.UTC(new Date(at).getUTCFullYear(), new Date(at).getUTCMonth() + 1, 1);

/** @param perHour what the pods cost now, storage included, USD per hour */
export function monthOutlook(rows: readonly SpendRow[], perHour: number, now: number): MonthOutlook {
  const first = monthStart(now);
  const hoursLeft = (monthEnd(now) - now) / HOUR_MS;
  let toDate = 0;
  let unreadable = 0;
  let week = 0;
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  for (const row of rows) {
    const usd = (row.billed ?? 0) + row.unbilled;
    if (row.day >= first) {
      toDate += usd;
      if (row.billed === undefined) unreadable++;
    }
    // Seven whole days: today is not over yet.
    if (row.day >= today - 7 * DAY_MS && row.day < today) week += usd;
  }
  return { toDate, projected: toDate + perHour * hoursLeft, projectedByWeek: toDate + (week / (7 * 24)) * hoursLeft, unreadable };
}

/** The rows as a table for a spreadsheet (RFC 4180); amounts in USD with six digits, as RunPod gives them. */
export function spendCsv(rows: readonly SpendRow[], nameOf: (podId: string) => string | undefined): string {
  const head = ['day_utc', 'pod_id', 'pod', 'billed_usd', 'gpu_usd', 'cpu_usd', 'disk_usd', 'not_billed_yet_usd_estimate'];
  const usd = (amount: number | undefined): string => (amount === undefined ? '' : amount.toFixed(6));
  const lines = rows.map((row) =>
    [new Date(row.day).toISOString().slice(0, 10), cell(row.podId), cell(nameOf(row.podId) ?? ''), usd(row.billed), usd(row.gpu), usd(row.cpu), usd(row.disk), usd(row.unbilled)].join(','),
  );
  return [head.join(','), ...lines, ''].join('\r\n');
}

/** A name comes from outside: a spreadsheet must take it for text, not for a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
