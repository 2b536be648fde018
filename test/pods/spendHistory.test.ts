import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { byDay, byPod, monthOutlook, spendCsv, spendRows } from '../../src/pods/spendHistory';
import { UseHistory } from '../../src/pods/useHistory';
import type { BillingRecord, PodRuntime } from '../../src/runpod/types';
import { aPod } from './fixtures';

const DAY = 86_400_000;
const oct = (day: number, hour = 0): number => Date.UTC(2026, 9, day, hour);
const bill = (podId: string, day: number, total: number | undefined, more: Partial<BillingRecord> = {}): BillingRecord => ({ podId, start: new Date(oct(day)), end: new Date(oct(day + 1)), total, ...more });
const counted = (day: number, pods: Record<string, number>) => ({ day: oct(day), pods: new Map(Object.entries(pods).map(([id, compute]) => [id, { compute, storage: 0 }])) });

describe('spend history', () => {
  it('takes for a day what was billed or what was counted, whichever is more', () => {
    const rows = spendRows([bill('a', 1, 5), bill('a', 2, 3), bill('b', 2, 4)], [counted(2, { a: 3.5, b: 1, c: 2 })]);
    assert.deepEqual(rows.map((r) => [r.podId, (r.day - oct(1)) / DAY, r.billed, r.unbilled]), [['a', 0, 5, 0], ['a', 1, 3, 0.5], ['b', 1, 4, 0], ['c', 1, 0, 2]]);
  });

  it('adds up spans shorter than a day, and keeps an unreadable amount apart from nothing', () => {
    const hour = (h: number, total: number | undefined): BillingRecord => ({ podId: 'a', start: new Date(oct(1, h)), end: new Date(oct(1, h + 1)), total, gpu: 1 });
    assert.deepEqual(spendRows([hour(0, 1), hour(1, 2)]), [{ day: oct(1), podId: 'a', billed: 3, gpu: 2, unbilled: 0 }]);
    const [row] = spendRows([hour(0, 1), hour(1, undefined)]);
    assert.equal(row?.billed, undefined);
    assert.equal(byPod(row ? [row] : [], oct(1))[0]?.unreadable, 1);
  });

  it('has a bar for every day, also for one without spending', () => {
    const rows = spendRows([bill('a', 1, 5), bill('b', 3, 2)], [counted(3, { b: 2.5 })]);
    assert.deepEqual(byDay(rows, oct(1), oct(3, 12)).map((d) => [d.billed, d.unbilled]), [[5, 0], [0, 0], [2, 0.5]]);
    assert.deepEqual(byDay(rows, oct(1), oct(3, 12), 'a').map((d) => d.billed), [5, 0, 0]);
  });

  it('sums by pod, the dearest first', () => {
    const rows = spendRows([bill('a', 1, 5, { gpu: 4, disk: 1 }), bill('b', 1, 7), bill('b', 2, 1)]);
    assert.deepEqual(byPod(rows, oct(1)).map((p) => [p.podId, p.total, p.gpu, p.disk]), [['b', 8, 0, 0], ['a', 5, 4, 1]]);
    assert.deepEqual(byPod(rows, oct(2)).map((p) => p.total), [1]);
  });

  it('projects to the end of the UTC month, at the present rate and at the last week’s', () => {
    const rows = spendRows([bill('a', 1, 10), ...Array.from({ length: 7 }, (_, i) => bill('a', 4 + i, 24))]);
    const month = monthOutlook([...rows, { day: Date.UTC(2026, 8, 30), podId: 'a', billed: 100, unbilled: 0 }], 0.5, oct(11));
    assert.equal(month.toDate, 10 + 7 * 24);
    assert.equal(month.projected, month.toDate + 21 * 24 * 0.5);
    assert.equal(month.projectedByWeek, month.toDate + 21 * 24);
  });

  it('writes a table that a spreadsheet takes for text and numbers only', () => {
    const rows = spendRows([bill('a', 1, 5, { gpu: 4.5 }), bill('b', 1, undefined)]);
    assert.equal(
      spendCsv(rows, (id) => (id === 'a' ? '=1+1, "x"' : undefined)),
      'day_utc,pod_id,pod,billed_usd,gpu_usd,cpu_usd,disk_usd,not_billed_yet_usd_estimate\r\n2026-10-01,a,"\'=1+1, ""x""",5.000000,4.500000,,,0.000000\r\n2026-10-01,b,,,,,,0.000000\r\n',
    );
  });
});

describe('use of a pod over time', () => {
  const runtime = (util: number): PodRuntime => ({ gpus: [{ util, memoryUtil: 10 }, { util: util + 10 }], cpuUtil: 5, ports: [] });

  it('keeps the mean of the GPUs, sample by sample, and forgets a pod that is gone', () => {
    const history = new UseHistory();
    const start = oct(2);
    history.add([aPod({ runtime: runtime(50) })], start);
    history.add([aPod({ runtime: runtime(50) })], start + 10);
    history.add([aPod({ runtime: runtime(70) })], start + 15_000);
    assert.deepEqual(history.of('abc123').map((s) => [s.gpu, s.gpuMemory, s.cpu, s.memory]), [[55, 10, 5, undefined], [75, 10, 5, undefined]]);
    history.add([aPod({ status: 'EXITED' })], start + 30_000);
    assert.equal(history.of('abc123').length, 2);
    history.add([], start + 45_000);
    assert.deepEqual(history.podIds, []);
  });

  it('begins anew with a new start, and is bounded', () => {
    const history = new UseHistory();
    for (let i = 0; i < 500; i++) history.add([aPod({ runtime: runtime(1) })], oct(2) + i * 2000);
    assert.equal(history.of('abc123').length, 240);
    history.add([aPod({ runtime: runtime(1), startedAt: new Date(oct(3)) })], oct(3) + 1000);
    assert.equal(history.of('abc123').length, 1);
  });
});
