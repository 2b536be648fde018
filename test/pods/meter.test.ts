import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { SpendMeter, utcDay, type MeterRecord } from '../../src/pods/meter';
import { aPod } from './fixtures';

const HOUR = 3_600_000;
const start = Date.parse('2026-10-01T12:00:00Z');
/** A pod without disks, so that the figures are round. */
const bare = (over: Parameters<typeof aPod>[0] = {}): ReturnType<typeof aPod> => {
  const { mount: _mount, ...pod } = aPod({ diskGb: 0, costPerHour: 1, ...over });
  return pod;
};
const stopped = (over: Parameters<typeof aPod>[0] = {}): ReturnType<typeof aPod> => bare({ status: 'EXITED', costPerHour: 0, ...over });
const near = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, not ${expected}`);

describe('spend meter', () => {
  it('counts from the first sight on, and a pod made later from its start', () => {
    const meter = new SpendMeter();
    meter.update([bare()], start);
    assert.equal(meter.total(start), 0);
    assert.equal(meter.total(start + HOUR), 1);
    meter.update([bare(), bare({ id: 'b', costPerHour: 2, startedAt: new Date(start + HOUR / 2) })], start + HOUR);
    assert.equal(meter.total(start + HOUR), 2);
  });

  it('goes on while no answer comes, stops with the pod, and never falls when the clock is set back', () => {
    const meter = new SpendMeter();
    meter.update([bare()], start);
    assert.equal(meter.total(start + 3 * HOUR), 3);
    assert.equal(meter.total(start - HOUR), 0);
    meter.update([stopped()], start + HOUR);
    assert.equal(meter.total(start + 9 * HOUR), 1);
    meter.update([bare({ startedAt: new Date(start) })], start);
    assert.ok(meter.total(start) >= 1);
  });

  it('counts what ran today before the editor opened as today’s, not as this session’s', () => {
    const meter = new SpendMeter();
    const noon = new Date(2026, 9, 1, 12).getTime();
    meter.update([bare({ startedAt: new Date(noon - 20 * HOUR) })], noon);
    near(meter.total(noon), 0);
    near(meter.today(noon), 12);
    near(meter.today(noon + HOUR), 13);
  });

  it('takes the start before for nothing while a start is under way', () => {
    const noon = new Date(2026, 9, 1, 12).getTime();
    const starting = bare({ status: 'STARTING', startedAt: new Date(noon - 5 * HOUR) });
    const first = new SpendMeter();
    first.update([starting], noon);
    near(first.today(noon), 0);
    const seen = new SpendMeter();
    seen.update([stopped({ startedAt: new Date(noon - 5 * HOUR) })], noon);
    seen.update([starting], noon + HOUR / 60);
    near(seen.total(noon + HOUR / 60), 1 / 60);
  });

  it('begins a day at its midnight', () => {
    const meter = new SpendMeter();
    const evening = new Date(2026, 9, 1, 22).getTime();
    const pod = bare({ startedAt: new Date(evening) });
    meter.update([pod], evening);
    meter.update([pod], evening + 5 * HOUR);
    near(meter.today(evening + 5 * HOUR), 3);
    near(meter.total(evening + 5 * HOUR), 5);
  });

  it('keeps each pod’s part of the UTC day for the billing history, storage apart', () => {
    const meter = new SpendMeter();
    meter.update([bare(), aPod({ id: 'old', status: 'EXITED', costPerHour: 0, mount: { kind: 'persistent', sizeGb: 730, path: '/workspace' } })], start);
    const day = meter.inUtcDay(utcDay(start), start + HOUR);
    near(day.get('abc123')?.compute ?? 0, 1);
    near(day.get('abc123')?.storage ?? -1, 0);
    near(day.get('old')?.compute ?? -1, 0);
    // From its making to now at the price of a stopped disk, two minutes and an hour.
    near(day.get('old')?.storage ?? 0, 0.2 * (1 + 2 / 60));
  });

  it('counts a pod that ended while nobody looked to its own limit', () => {
    const meter = new SpendMeter();
    const limited = bare({ args: 'bash -c "sleep 7200; runpodctl stop pod x"' });
    meter.update([limited], start);
    near(meter.total(start + 10 * HOUR), 2);
    meter.update([stopped()], start + 10 * HOUR);
    near(meter.total(start + 10 * HOUR), 2);
  });

  it('counts each hour once however many windows count', () => {
    let shelf: MeterRecord | undefined;
    const windows = Array.from({ length: 10 }, () => new SpendMeter());
    for (let minute = 0; minute <= 60; minute++)
      for (const [i, meter] of windows.entries()) {
        // Each at its own moment, and not every time with the newest record in hand.
        if (shelf && (minute === 0 || (minute + i) % 3 === 0)) meter.adopt(shelf);
        meter.update([bare()], start + minute * 60_000 + i * 1000);
        shelf = structuredClone(meter.record);
      }
    for (const meter of windows) near(meter.total(start + HOUR + 9000), 1 + 9 / 3600);
  });

  it('goes on with the session after a reload, and begins another after a longer pause', () => {
    const before = new SpendMeter();
    before.update([bare()], start);
    before.update([bare()], start + HOUR);
    const record = JSON.parse(JSON.stringify(before.record)) as MeterRecord;
    const reloaded = new SpendMeter(record);
    reloaded.update([bare()], start + HOUR + 60_000);
    near(reloaded.total(start + 2 * HOUR), 2);
    const nextDay = new SpendMeter(record);
    nextDay.update([bare()], start + 20 * HOUR);
    near(nextDay.total(start + 21 * HOUR), 1);
  });

  it('counts from the moment a balance was typed in', () => {
    const meter = new SpendMeter();
    meter.update([bare()], start);
    meter.update([bare()], start + HOUR);
    meter.restart('typed', start + HOUR);
    assert.equal(meter.since('typed'), start + HOUR);
    near(meter.spent('typed', start + 3 * HOUR), 2);
    near(meter.total(start + 3 * HOUR), 3);
  });
});
