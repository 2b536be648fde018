import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isDue, keyOf, type Told } from '../../../src/pods/guard/reminder';
import type { Finding } from '../../../src/pods/guard/secondLook';
import { aPod } from '../fixtures';

const MINUTE = 60_000;
const T = Date.parse('2026-11-20T12:00:00Z');
const pod = aPod();
const late = (asks = 1, askedAt = T): Finding => ({ kind: 'unconfirmed', pod, since: T, end: { podId: pod.id, name: pod.name, kind: 'stop', since: T, askedAt, asks, origin: 'o' } });

/** The minutes at which it is told when somebody looks every ten seconds and puts each notification away. */
function toldAt(finding: Finding, minutes: number): number[] {
  const at: number[] = [];
  let told: Told | undefined;
  for (let now = T; now <= T + minutes * MINUTE; now += 10_000) {
    if (!isDue(finding, told, now)) continue;
    told = { at: now, times: (told?.times ?? 0) + 1 };
    at.push((now - T) / MINUTE);
  }
  return at;
}

describe('what somebody has to decide on', () => {
  it('is said again at growing intervals where RunPod does not confirm', () => {
    assert.deepEqual(toldAt(late(), 240), [1.5, 3.5, 8.5, 18.5, 38.5, 78.5, 138.5, 198.5]);
  });

  it('is said again once an hour where it is advice', () => {
    assert.deepEqual(toldAt({ kind: 'past-limit', pod, since: T }, 130), [0, 60, 120]);
  });

  it('has its time when it is asked for once more, and is told anew when that was in vain', () => {
    const again = late(2, T + 10 * MINUTE);
    assert.notEqual(keyOf(again), keyOf(late()));
    assert.equal(isDue(again, undefined, T + 11 * MINUTE), false);
    assert.equal(isDue(again, undefined, T + 11.5 * MINUTE), true);
  });

  it('is not put off by a clock that was set back, nor hastened by one that was put right by a second', () => {
    assert.equal(isDue(late(), { at: T + 5 * 60 * MINUTE, times: 1 }, T + 3 * MINUTE), true);
    assert.equal(isDue(late(1, T - 10 * MINUTE), { at: T + 1000, times: 1 }, T), false);
  });
});
