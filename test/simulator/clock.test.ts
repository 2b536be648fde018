import assert from 'node:assert/strict';
import { sleep } from '../../src/base/time';
import { PodClock } from './clock';
import { Problem } from './problem';
import { RateLimiter } from './ratelimit';

describe('pod time', () => {
  it('runs at its speed and rings in it, also when the speed changes meanwhile', async () => {
    const clock = new PodClock(1);
    try {
      const rung: string[] = [];
      clock.after(3_600_000, () => rung.push('hour'));
      clock.after(60_000, () => rung.push('minute'));
      const cancelled = clock.after(1000, () => rung.push('cancelled'));
      cancelled.dispose();
      const began = clock.now();
      clock.advance(60_000);
      await sleep(20);
      assert.deepEqual(rung, ['minute']);
      assert.ok(clock.now() - began >= 60_000);
      clock.speed = 360_000;
      await sleep(100);
      assert.deepEqual(rung, ['minute', 'hour']);
      assert.equal(clock.toWall(360_000), 1);
      assert.throws(() => (clock.speed = 0), RangeError);
    } finally {
      clock.dispose();
    }
  });
});

describe('rate limits', () => {
  it('count per user in fixed windows and name the longest that ran out', () => {
    const limiter = new RateLimiter(() => ({ minute: 2, hour: 3, day: 100 }));
    const at = 1_000_000;
    assert.match(limiter.take('a', at)['RateLimit'] ?? '', /^"minute";r=1;t=60, "hour";r=2;t=3600/);
    limiter.take('a', at);
    limiter.take('b', at);
    const refusal = (now: number): Problem => {
      try {
        limiter.take('a', now);
      } catch (error) {
        if (error instanceof Problem) return error;
      }
      throw new Error('it was let through');
    };
    assert.equal(refusal(at + 50_000).headers['Retry-After'], '10');
    limiter.take('a', at + 61_000);
    const hour = refusal(at + 122_000);
    assert.match(hour.detail, /hour window/);
    assert.equal(hour.headers['Retry-After'], String(3600 - 122));
  });
});
