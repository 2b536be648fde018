import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { newerAccount, typedAccount, type KnownAccount } from '../../src/pods/balance';
import { crossings, type Thresholds, type Told } from '../../src/pods/thresholds';
import { aPod } from './fixtures';

const HOUR = 3_600_000;
const start = Date.parse('2026-10-01T12:00:00Z');
const limits: Thresholds = { balanceUsd: 5, runwayMs: 6 * HOUR, runningMs: 12 * HOUR };
const account = (balance: number, spendPerHour = 0.1): KnownAccount => ({ balance, spendPerHour, at: start });
const kinds = (pods: Parameters<typeof crossings>[0], known: KnownAccount | undefined, told: Told = {}, now = start): string[] => crossings(pods, known, limits, told, now).due.map((a) => a.kind);

describe('thresholds of cost', () => {
  it('are quiet while all is well, and while nothing is known', () => {
    assert.deepEqual(kinds([aPod()], account(18)), []);
    assert.deepEqual(kinds([aPod()], undefined), []);
  });

  it('tell the runway before the balance', () => {
    assert.deepEqual(kinds([aPod()], account(2, 0.7)), ['runway', 'balance']);
    assert.deepEqual(kinds([aPod()], account(4)), ['balance']);
  });

  it('tell once, hold while the value hovers, and tell again after it has recovered', () => {
    let told: Told = { balance: start };
    const next = (balance: number): string[] => {
      const { due, told: stands } = crossings([], account(balance), limits, told, start);
      told = stands;
      return due.map((a) => a.kind);
    };
    assert.deepEqual(next(4.9), []);
    assert.deepEqual(next(5.1), []);
    assert.deepEqual(next(4.9), []);
    assert.deepEqual(next(20), []);
    assert.deepEqual(next(4.9), ['balance']);
  });

  it('neither tell nor re-arm while the balance cannot be read', () => {
    const told = { balance: start, runway: start };
    assert.deepEqual(crossings([], undefined, limits, told, start), { due: [], told });
  });

  it('tell of a pod that runs long without a limit, once a start', () => {
    const long = aPod({ startedAt: new Date(start - 13 * HOUR) });
    const [alarm] = crossings([long], undefined, limits, {}, start).due;
    assert.equal(alarm?.kind, 'running');
    const told = { [alarm?.key ?? '']: start };
    assert.deepEqual(kinds([long], undefined, told), []);
    assert.deepEqual(kinds([aPod({ startedAt: new Date(start) })], undefined, told, start + 12 * HOUR), ['running']);
    assert.deepEqual(crossings([], undefined, limits, told, start).told, {});
  });

  it('take the start before for no long run while a start is under way', () => {
    assert.deepEqual(kinds([aPod({ status: 'STARTING', startedAt: new Date(start - 240 * HOUR) })], undefined), []);
  });

  it('leave a pod with a limit alone, and what is set to 0', () => {
    const long = { startedAt: new Date(start - 13 * HOUR) };
    assert.deepEqual(kinds([aPod({ ...long, args: 'bash -c "sleep 90000; runpodctl stop pod x"' })], undefined), []);
    assert.deepEqual(crossings([aPod(long)], account(0.01, 1), { balanceUsd: 0, runwayMs: 0, runningMs: 0 }, {}, start).due, []);
  });
});

describe('a balance typed in', () => {
  const typed = { kind: 'balance', usd: 10, at: start } as const;

  it('falls by what was counted since, at the pods’ rates', () => {
    const { mount: _mount, ...pod } = aPod({ diskGb: 0, costPerHour: 2 });
    assert.deepEqual(typedAccount(typed, 4, [pod], start + 2 * HOUR), { balance: 6, spendPerHour: 2, at: start + 2 * HOUR, typed });
  });

  it('gives way to RunPod’s own word when that is newer', () => {
    const mine = typedAccount(typed, 0, [], start);
    assert.equal(newerAccount({ ...account(3), at: start + 1 }, mine)?.balance, 3);
    assert.equal(newerAccount({ ...account(3), at: start - 1 }, mine)?.balance, 10);
    assert.equal(newerAccount(undefined, mine)?.balance, 10);
    assert.deepEqual(newerAccount({ spendPerHour: 7, at: start + 1 }, mine), { ...mine, spendPerHour: 7 });
    assert.equal(newerAccount(account(3), undefined)?.balance, 3);
  });
});
