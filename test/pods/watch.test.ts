import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { silentLog } from '../../src/base/log';
import { RunPodClient } from '../../src/runpod/client';
import { GpuWatch, isTimeToAsk, liveOrders, questionsOf, sightings, WATCH_MS, type WatchOrder } from '../../src/pods/watch';
import { startSimulator } from '../simulator/simulator';
import { until } from '../support/until';

const RTX = 'NVIDIA GeForce RTX 4090';
const order = (more: Partial<WatchOrder> = {}): WatchOrder => ({
  id: 'w1', name: 'llama-ft', label: 'RTX 4090', createOnSight: false, since: 0, until: Number.MAX_SAFE_INTEGER, origin: 'o',
  requests: [{ name: 'llama-ft', image: 'x', gpu: { id: RTX, count: 1 }, cloud: 'SECURE' }],
  ...more,
});

describe('watching for a GPU', () => {
  it('asks one question for all that share it', () => {
    const two = order({ requests: [...order().requests, { name: 'a', gpu: { id: 'NVIDIA L4', count: 1 } }, { name: 'a', gpu: { id: 'NVIDIA L4', count: 2 }, cloud: 'COMMUNITY' }] });
    assert.deepEqual(questionsOf([order(), two]).map((q) => `${q.count} ${q.cloud}`), ['1 SECURE', '2 COMMUNITY']);
  });

  it('sees nothing above the cap or elsewhere', () => {
    const type = { id: RTX, name: 'RTX 4090', secure: true, community: false, price: { secure: 0.69 }, maxCount: {}, availability: 'LOW' as const, dataCenters: [{ id: 'US-KS-2', name: 'Kansas', availability: 'LOW' as const }] };
    assert.equal(sightings(order(), 'SECURE', [type]).length, 1);
    assert.equal(sightings(order({ cap: 0.69 }), 'SECURE', [type]).length, 1);
    assert.equal(sightings(order({ cap: 0.5 }), 'SECURE', [type]).length, 0);
    assert.equal(sightings(order(), 'COMMUNITY', [type]).length, 0);
    const elsewhere = order({ requests: [{ ...order().requests[0], name: 'a', dataCenterIds: ['EU-RO-1'] }] });
    assert.equal(sightings(elsewhere, 'SECURE', [type]).length, 0);
  });

  it('tells when it comes, rests while that is dealt with, and ends with its last order', async () => {
    const simulator = await startSimulator({ mode: 'none', empty: true, settings: { shortages: [{ gpu: RTX }] } });
    const client = new RunPodClient({ restUrl: simulator.restUrl, graphqlUrl: simulator.graphqlUrl, key: async () => simulator.apiKey, userAgent: 'runpod-workspaces/test', log: silentLog });
    let orders: WatchOrder[] = [order()];
    let sights = 0;
    let asked = 0;
    const seen = new Promise<void>((resolve) => {
      const watch = new GpuWatch({
        api: { gpus: (cloud, count) => { if (++asked === 3) simulator.set({ shortages: [] }); return client.catalog.gpus({ availability: { cloud, count } }); } },
        orders: () => orders,
        onSight: async (o, sighted) => {
          sights++;
          assert.equal(o.id, 'w1');
          assert.equal(sighted[0]?.candidate.perHour, sighted[0]?.candidate.perHour ?? assert.fail());
          orders = [];
          resolve();
        },
        everyMs: () => 5,
        log: silentLog,
      });
      watch.wake(1);
    });
    try {
      await seen;
      await new Promise((resolve) => setTimeout(resolve, 60));
      assert.equal(sights, 1);
      assert.ok(asked >= 3 && asked <= 5, String(asked));
    } finally {
      client.dispose();
      await simulator.close();
    }
  });

  it('ends at its time, rests while somebody is being told, and is of one account', () => {
    const hour = 3_600_000;
    const orders = [order({ id: 'live', until: 2 * hour }), order({ id: 'over', until: hour }), order({ id: 'told', until: 9 * hour, toldAt: hour - 60_000 }), order({ id: 'forgotten', until: 9 * hour, toldAt: 1 }), order({ id: 'elsewhere', origin: 'p', until: 9 * hour })];
    assert.deepEqual(liveOrders(orders, 'o', hour).map((o) => o.id), ['live', 'forgotten']);
  });

  it('is asked for as rarely by ten windows that come to the front in turn as by one', () => {
    let askedAt: number | undefined;
    let asked = 0;
    // An hour in which the person changes the window every five seconds, and each looks as soon as it is in front.
    for (let now = 1_000; now < 3_600_000; now += 5_000)
      if (isTimeToAsk(askedAt, now, WATCH_MS.front, [order()])) {
        asked++;
        askedAt = now;
      }
    assert.ok(asked <= 3600 / 67 + 1, String(asked));
    assert.equal(isTimeToAsk(1_000_000, 1_005_000, WATCH_MS.front, [order({ since: 1_002_000 })]), true, 'ordered since');
    assert.equal(isTimeToAsk(9_000_000, 1_000_000, WATCH_MS.front, [order()]), true, 'a clock that was set back');
  });

  it('is asked for by one window of several, and taken over when that one closes', async () => {
    let holder = 'a';
    const asked: string[] = [];
    const windows = ['a', 'b', 'c'].map((name) => new GpuWatch({ api: { gpus: async () => (asked.push(name), []) }, orders: () => [order()], onSight: async () => undefined, mayAsk: async () => holder === name, everyMs: () => 2, log: silentLog }));
    for (const one of windows) one.wake(0);
    await until(() => asked.length >= 3, 'three questions');
    assert.deepEqual([...new Set(asked)], ['a']);
    holder = 'b';
    await until(() => asked.includes('b'), 'a question of the other');
    windows.forEach((one) => one.dispose());
    assert.ok(!asked.includes('c'));
  });

  it('goes on after failures, more slowly', async () => {
    const asked: number[] = [];
    const watch = new GpuWatch({ api: { gpus: async () => { asked.push(performance.now()); throw new Error('503'); } }, orders: () => [order()], onSight: async () => undefined, everyMs: () => 10, log: silentLog });
    watch.wake(1);
    await until(() => asked.length >= 4, 'four questions');
    watch.dispose();
    // Twice, four times, eight times as far apart, at least.
    for (const [i, floor] of [18, 38, 78].entries()) assert.ok((asked[i + 1] ?? 0) - (asked[i] ?? 0) >= floor, asked.join(' '));
  });
});
