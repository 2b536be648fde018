import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { balanceEnd, burnOf, costSoFar, networkVolumePerMonth, storagePerHour } from '../../src/pods/money';
import { limitInArgs, timeLeftOf } from '../../src/pods/timeLeft';
import { aPod } from './fixtures';

const HOUR = 3_600_000;
const start = Date.parse('2026-10-01T12:00:00Z');

describe('money', () => {
  it('charges a volume twice while stopped and the container disk only while running', () => {
    const running = storagePerHour(aPod());
    const stopped = storagePerHour(aPod({ status: 'EXITED', costPerHour: 0 }));
    assert.ok(Math.abs(running - (100 * 0.1 + 50 * 0.1) / 730) < 1e-9);
    assert.ok(Math.abs(stopped - (100 * 0.2) / 730) < 1e-9);
  });

  it('prices a network volume in two steps', () => {
    assert.equal(networkVolumePerMonth({ sizeGb: 100 }).toFixed(6), "7.000000");
    assert.equal(networkVolumePerMonth({ sizeGb: 2000 }).toFixed(6), "120.000000");
  });

  it('adds up what runs, and counts a pod of unknown rate rather than taking it for free', () => {
    const burn = burnOf([aPod(), aPod({ id: 'b', costPerHour: undefined }), aPod({ id: 'c', status: 'EXITED', costPerHour: 0 }), aPod({ id: 'd', status: 'UNKNOWN', costPerHour: 0.31 })]);
    assert.equal(burn.computePerHour, 1);
    assert.equal(burn.unknown, 1);
    assert.equal(burn.running, 3);
  });

  it('knows when the balance is gone, and that it does not know', () => {
    assert.equal(balanceEnd({ balance: 10, spendPerHour: 2, at: start }), start + 5 * HOUR);
    assert.equal(balanceEnd({ balance: -1, spendPerHour: 2, at: start }), start);
    assert.equal(balanceEnd({ balance: 10, spendPerHour: 0, at: start }), undefined);
    assert.equal(balanceEnd({ spendPerHour: 1, at: start }), undefined);
    assert.equal(balanceEnd(undefined), undefined);
  });

  it('tells the cost of this start, never a negative one', () => {
    assert.equal(costSoFar(aPod(), start + 2 * HOUR), 1.38);
    assert.equal(costSoFar(aPod(), start - HOUR), 0);
    assert.equal(costSoFar(aPod({ costPerHour: undefined }), start + HOUR), undefined);
  });
});

describe('time left', () => {
  it('reads the limit that community tools write into the start command', () => {
    const args = (text: string): number | undefined => limitInArgs(aPod({ args: text }));
    assert.equal(args('bash -c "/start.sh & sleep 3600; runpodctl stop pod $RUNPOD_POD_ID"'), start + HOUR);
    assert.equal(args('sh -c "sleep 2h && runpodctl pod stop $RUNPOD_POD_ID"'), start + 2 * HOUR);
    assert.equal(args('bash -c "sleep 90m; curl -X DELETE https://api.runpod.io/v2/pods/$RUNPOD_POD_ID"'), start + 1.5 * HOUR);
  });

  it('takes no other sleep for a limit', () => {
    for (const text of ['', 'sleep infinity', 'bash -c "sleep 5; python train.py"', 'sleep 3600'])
      assert.equal(limitInArgs(aPod({ args: text })), undefined, text);
  });

  it('names whichever comes first, and nothing for a pod that does not bill', () => {
    const limited = aPod({ args: 'bash -c "sleep 3600; runpodctl stop pod x"' });
    assert.deepEqual(timeLeftOf(limited, start + 2 * HOUR), { at: start + HOUR, by: 'limit' });
    assert.deepEqual(timeLeftOf(limited, start + 60_000), { at: start + 60_000, by: 'balance' });
    assert.equal(timeLeftOf(aPod({ status: 'EXITED' }), start), undefined);
    assert.equal(timeLeftOf(aPod(), undefined), undefined);
  });
});
