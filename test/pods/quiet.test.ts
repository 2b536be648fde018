import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { Disposable } from '../../src/base/disposable';
import { silentLog } from '../../src/base/log';
import { defaultTimings, PodStore, type Attention } from '../../src/pods/store';
import { RunPodClient } from '../../src/runpod/client';
import { startSimulator, type Simulator } from '../simulator/simulator';

const MINUTE = 60_000;

/** A clock that stands still until it is told to go on; the requests made at its times are real. */
class TestClock {
  #now = Date.parse('2026-10-01T12:00:00Z');
  #timers = new Set<{ readonly at: number; readonly run: () => void }>();
  readonly now = (): number => this.#now;

  readonly after = (ms: number, run: () => void): Disposable => {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return { dispose: () => this.#timers.delete(timer) };
  };

  /** Goes on for `ms`, from timer to timer, waiting each time until `settled`. */
  async pass(ms: number, settled: () => Promise<void>): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.#now = next.at;
      this.#timers.delete(next);
      next.run();
      await settled();
    }
    this.#now = end;
  }
}

describe('requests of windows that nobody works in', () => {
  let simulator: Simulator;
  let clock: TestClock;
  let windows: { readonly store: PodStore; readonly client: RunPodClient }[];

  before(async () => {
    // Its quotas go by the wall clock, in which the half hours take a second.
    simulator = await startSimulator({ mode: 'none', settings: { quotas: { minute: 100_000, hour: 100_000, day: 1_000_000 } } });
  });
  after(() => simulator.close());
  beforeEach(() => {
    clock = new TestClock();
    windows = [];
  });
  afterEach(() => {
    for (const { store, client } of windows) {
      store.dispose();
      client.dispose();
    }
  });

  /** A window's own client and list, as activation makes them. */
  async function open(attention: Attention): Promise<void> {
    const client = new RunPodClient({ restUrl: simulator.restUrl, graphqlUrl: simulator.graphqlUrl, key: async () => simulator.apiKey, userAgent: 'quiet-test', log: silentLog, timings: { backoffBaseMs: 1, backoffCapMs: 2 } });
    const store = new PodStore(async () => ({ listPods: (how) => client.pods.list({ background: true, ...how }), readAccount: (how) => client.account(how) }), silentLog, defaultTimings, clock.now, clock.after);
    store.attention = attention;
    windows.push({ store, client });
    await store.refresh();
  }

  /** Each timer asks once and sets the state once; its successor is planned in the same turn. */
  const oneLook = (): Promise<void> =>
    new Promise((resolve) => {
      const listeners = windows.map(({ store }) =>
        store.onDidChange(() => {
          for (const l of listeners) l.dispose();
          setImmediate(resolve);
        }),
      );
    });

  /** How many requests the simulator sees in a minute, on the average of half an hour, after the windows have opened. */
  async function perMinute(): Promise<number> {
    let seen = 0;
    for (let minute = 0; minute < 30; minute++) {
      // It keeps the last ones only.
      simulator.forgetRequests();
      await clock.pass(MINUTE, oneLook);
      seen += simulator.requests.length;
    }
    return seen / 30;
  }

  it('are under one a minute for a window in the background', async () => {
    await open('background');
    const rate = await perMinute();
    assert.ok(rate > 0.3 && rate < 1, `${rate} a minute`);
  });

  for (const attention of ['view', 'ticker'] as const)
    it(`are under six a minute for a window in front (${attention})`, async () => {
      await open(attention);
      const rate = await perMinute();
      assert.ok(rate > 2 && rate < 6, `${rate} a minute`);
    });

  it('are within sixty a minute for ten windows together, one of them in front', async () => {
    for (let i = 0; i < 10; i++) await open(i === 0 ? 'view' : 'background');
    const rate = await perMinute();
    assert.ok(rate > 8 && rate < 15, `${rate} a minute`);
  });

  describe('while RunPod fails', () => {
    beforeEach(() => {
      for (const path of ['/v2/pods', '/graphql']) simulator.fault({ path, times: 0, effect: { kind: 'status', status: 503 } });
    });
    afterEach(() => simulator.clearFaults());

    it('are under one a minute in the background', async () => {
      await open('background');
      const rate = await perMinute();
      assert.ok(rate > 0.3 && rate < 1, `${rate} a minute`);
    });

    it('are within sixty a minute for ten windows together, one of them in front', async () => {
      for (let i = 0; i < 10; i++) await open(i === 0 ? 'view' : 'background');
      const rate = await perMinute();
      assert.ok(rate > 5 && rate < 20, `${rate} a minute`);
    });

    it('come at once when somebody looks again', async () => {
      await open('background');
      await clock.pass(10 * MINUTE, oneLook);
      const [first] = windows;
      assert.ok(first?.store.state.problem);
      simulator.clearFaults();
      // Half of the pause: the last look is long enough ago for a window in front.
      await clock.pass(75_000, oneLook);
      first.store.attention = 'view';
      await clock.pass(1_000, oneLook);
      assert.equal(first.store.state.problem, undefined);
    });
  });

  it('are within sixty a minute even if all ten were looked at', async () => {
    for (let i = 0; i < 10; i++) await open('view');
    const rate = await perMinute();
    assert.ok(rate > 40 && rate < 60, `${rate} a minute`);
  });
});
