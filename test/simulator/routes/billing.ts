import type { Charge, Component } from '../ledger';
import { badRequest } from '../problem';
import { ok } from '../reply';
import type { Call, Route } from '../rest';

type Bucket = 'hour' | 'day' | 'week' | 'month' | 'year';

const DAY_MS = 86_400_000;

/** Start of the bucket that holds `at`, UTC; weeks begin on Monday. */
export function bucketStart(at: number, bucket: Bucket): number {
  const date = new Date(at);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (bucket) {
    case 'hour':
      return Math.floor(at / 3_600_000) * 3_600_000;
    case 'day':
      return Date.UTC(year, month, day);
    case 'week':
      return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7));
    case 'month':
      return Date.UTC(year, month, 1);
    case 'year':
      return Date.UTC(year, 0, 1);
  }
}

/** Start of the bucket `steps` after the one that begins at `start`. */
function step(start: number, bucket: Bucket, steps: number): number {
  const date = new Date(start);
  switch (bucket) {
    case 'hour':
      return start + steps * 3_600_000;
    case 'day':
      return start + steps * DAY_MS;
    case 'week':
      return start + steps * 7 * DAY_MS;
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + steps, 1);
    case 'year':
      return Date.UTC(date.getUTCFullYear() + steps, 0, 1);
  }
}

interface Window {
  readonly from: number;
  readonly to: number;
  readonly bucket: Bucket;
}

/** The window that a query means, widened to whole buckets. @throws Problem 400 */
function windowOf(call: Call): Window {
  const { query } = call;
  const now = call.world.clock.now();
  const bucket = (query['bucketSize'] as Bucket | undefined) ?? 'day';
  if (query['lastN'] !== undefined) {
    if (query['startTime'] !== undefined || query['endTime'] !== undefined) throw badRequest('lastN and startTime/endTime are mutually exclusive');
    const current = bucketStart(now, bucket);
    return { from: step(current, bucket, 1 - (query['lastN'] as number)), to: step(current, bucket, 1), bucket };
  }
  const time = (name: string, otherwise: number): number => (typeof query[name] === 'string' ? Date.parse(query[name]) : otherwise);
  const from = bucketStart(time('startTime', now - 30 * DAY_MS), bucket);
  const end = time('endTime', now);
  if (end <= from) throw badRequest('endTime must be after startTime');
  const last = bucketStart(end, bucket);
  return { from, to: last === end ? end : step(last, bucket, 1), bucket };
}

type Amounts = Record<string, number>;

/** What a report adds up: its fields, and which component of a charge goes into which. */
interface Report {
  readonly fields: readonly string[];
  readonly fieldOf: (component: Component) => string | undefined;
  /** The name of the resource's id in a record; absent for the report over all of them. */
  readonly resource?: string;
}

const POD_FIELDS: Readonly<Partial<Record<Component, string>>> = { podGpuAmount: 'gpuAmount', podCpuAmount: 'cpuAmount', podDiskAmount: 'diskAmount' };
const VOLUME_FIELDS: Readonly<Partial<Record<Component, string>>> = { storageStandardAmount: 'standardAmount', storageHighPerformanceAmount: 'highPerformanceAmount' };
const ALL_FIELDS = [
  'podGpuAmount', 'podCpuAmount', 'podDiskAmount', 'serverlessGpuAmount', 'serverlessCpuAmount', 'serverlessDiskAmount', 'serverlessFeeAmount',
  'storageStandardAmount', 'storageHighPerformanceAmount', 'endpointAmount', 'clusterGpuAmount', 'clusterDiskAmount', 'clusterNetworkingAmount',
] as const;

const nothing = (report: Report): Amounts => Object.fromEntries(['totalAmount', ...report.fields].map((field) => [field, 0]));

const rounded = (amounts: Amounts): Amounts => Object.fromEntries(Object.entries(amounts).map(([field, usd]) => [field, Math.round(usd * 1e6) / 1e6]));

function reportOn(call: Call, report: Report): { records: Record<string, unknown>[]; metadata: Record<string, unknown> } {
  call.lifecycle.meter.settle();
  const window = windowOf(call);
  const filter = report.resource === undefined ? undefined : (call.query[report.resource] as string | undefined);
  const totals = nothing(report);
  const records = new Map<string, { start: number; resource: string; amounts: Amounts }>();
  for (const charge of call.world.ledger.between(window.from, window.to)) {
    const field = report.fieldOf(charge.component);
    if (field === undefined || (filter !== undefined && filter !== charge.resource)) continue;
    const start = bucketStart(charge.hour, window.bucket);
    const key = report.resource === undefined ? String(start) : `${start} ${charge.resource}`;
    const record = records.get(key) ?? { start, resource: charge.resource, amounts: nothing(report) };
    records.set(key, record);
    for (const amounts of [record.amounts, totals]) add(amounts, field, charge);
  }
  const resource = report.resource;
  const rows = [...records.values()]
    .sort((a, b) => a.start - b.start || a.resource.localeCompare(b.resource))
    .map((record) => ({
      startTime: new Date(record.start).toISOString(),
      endTime: new Date(step(record.start, window.bucket, 1)).toISOString(),
      ...(resource === undefined ? {} : { [resource]: record.resource }),
      ...rounded(record.amounts),
    }));
  return {
    records: rows,
    metadata: {
      query: {
        startTime: new Date(window.from).toISOString(),
        endTime: new Date(window.to).toISOString(),
        bucketSize: window.bucket,
        ...(resource === undefined || filter === undefined ? {} : { [resource]: filter }),
      },
      recordCount: rows.length,
      ...(resource === undefined ? {} : { [`unique${resource.charAt(0).toUpperCase()}${resource.slice(1, -2)}Count`]: new Set([...records.values()].map((r) => r.resource)).size }),
      totals: rounded(totals),
    },
  };
}

function add(amounts: Amounts, field: string, charge: Charge): void {
  amounts[field] = (amounts[field] ?? 0) + charge.amount;
  amounts['totalAmount'] = (amounts['totalAmount'] ?? 0) + charge.amount;
}

const route = (template: string, report: Report): Route => ({ method: 'GET', template, handle: (call) => ok(reportOn(call, report)) });
const none = (): undefined => undefined;

export const billingRoutes: readonly Route[] = [
  route('/v2/billing', { fields: ALL_FIELDS, fieldOf: (component) => component }),
  route('/v2/billing/pods', { fields: Object.values(POD_FIELDS), fieldOf: (component) => POD_FIELDS[component], resource: 'podId' }),
  route('/v2/billing/network-volumes', { fields: Object.values(VOLUME_FIELDS), fieldOf: (component) => VOLUME_FIELDS[component], resource: 'networkVolumeId' }),
  route('/v2/billing/serverless', { fields: ['gpuAmount', 'cpuAmount', 'diskAmount', 'feeAmount'], fieldOf: none, resource: 'serverlessId' }),
  route('/v2/billing/endpoints', { fields: [], fieldOf: none }),
  route('/v2/billing/clusters', { fields: ['gpuAmount', 'diskAmount', 'networkingAmount'], fieldOf: none, resource: 'clusterId' }),
];
