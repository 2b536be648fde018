import assert from 'node:assert/strict';
import { sleep } from '../../src/base/time';
import { watchLiveness } from '../../src/ssh/liveness';
import { until } from '../support/until';

describe('watching a link for signs of life', () => {
  /** A watch whose other side does what the test says. */
  const watch = (answers: () => Promise<unknown>, now: () => number = Date.now) => {
    const state = { received: 0, pings: [] as number[], deadAfter: [] as number[] };
    const watched = watchLiveness({
      intervalMs: 10,
      countMax: 3,
      received: () => state.received,
      ping: (deadlineMs) => {
        state.pings.push(deadlineMs);
        return answers();
      },
      onDead: (ms) => state.deadAfter.push(ms),
      now,
    });
    return { state, watched };
  };

  it('asks a silent one, and gives it up after as many questions as agreed, once', async () => {
    const { state } = watch(() => Promise.reject(new Error('nothing')));
    await until(() => state.deadAfter.length > 0, 'it is given up');
    assert.equal(state.pings.length, 3);
    await sleep(50);
    assert.deepEqual([state.pings.length, state.deadAfter.length], [3, 1]);
  });

  it('does not ask one that talks', async () => {
    const { state, watched } = watch(() => Promise.reject(new Error('nothing')));
    const talking = setInterval(() => state.received++, 1);
    await sleep(150);
    clearInterval(talking);
    watched.dispose();
    assert.deepEqual(state.deadAfter, []);
  });

  it('asks at once after the computer has slept, and believes no answer', async () => {
    let slept = 0;
    const dead = watch(() => Promise.reject(new Error('nothing')), () => Date.now() + slept);
    await until(() => dead.state.pings.length > 0, 'the first question');
    slept = 3_600_000;
    await until(() => dead.state.deadAfter.length > 0, 'it is given up');
    assert.equal(dead.state.deadAfter.length, 1);
    assert.ok(dead.state.pings.includes(5_000));
  });

  it('keeps a link that outlived the sleep', async () => {
    let slept = 0;
    const { state, watched } = watch(
      async () => {
        state.received++;
      },
      () => Date.now() + slept,
    );
    await until(() => state.pings.length > 0, 'the first question');
    slept = 3_600_000;
    await until(() => state.pings.includes(5_000), 'the question after the sleep');
    await sleep(50);
    watched.dispose();
    assert.deepEqual(state.deadAfter, []);
    const asked = state.pings.length;
    await sleep(30);
    assert.equal(state.pings.length, asked, 'nothing after its disposal');
  });
});
