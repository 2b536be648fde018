import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import { silentLog } from '../../src/base/log';
import { bidTerms, bidWithin, proposedBid, startWithBid, takesNoBids } from '../../src/pods/bid';
import { rentSpot } from '../../src/pods/spot';
import { keepStarting, StartRefusedError } from '../../src/pods/start';
import { RunPodClient } from '../../src/runpod/client';
import type { Pod } from '../../src/runpod/types';
import { atOnce } from '../simulator/apiClient';
import { startSimulator, type Simulator } from '../simulator/simulator';

const RTX = 'NVIDIA GeForce RTX 4090';

describe('an outbid spot pod', () => {
  let simulator: Simulator;
  let client: RunPodClient;
  let pod: Pod;
  before(async () => {
    simulator = await startSimulator({ mode: 'none', empty: true, settings: { timings: atOnce } });
    client = new RunPodClient({ restUrl: simulator.restUrl, graphqlUrl: simulator.graphqlUrl, key: async () => simulator.apiKey, userAgent: 'runpod-workspaces/test', log: silentLog, timings: { attempts: 1 } });
  });
  after(async () => {
    client.dispose();
    await simulator.close();
  });
  beforeEach(async () => {
    simulator.set({ spot: 'on', graphql: 'on', startGpu: 'ok', spotShare: 0.5 });
    simulator.clearFaults();
    const request = { name: 'spot', image: 'runpod/base:1', gpu: { id: RTX, count: 2 }, disk: 20, ports: ['22/tcp'], mounts: { persistent: { size: 20, path: '/workspace' } } };
    const { id } = await rentSpot({ rent: (r, b) => client.spot.rent(r, b), get: (i) => client.pods.get(i), list: () => client.pods.list() }, request, 0.4);
    await simulator.until(id, 'RUNNING');
    simulator.outbid(id);
    pod = await client.pods.get(id);
    assert.equal(pod.status, 'EXITED');
  });
  const start = (bid: number): Promise<Pod> => startWithBid(client.pods, client.spot, pod, bid, 2);
  const refused = async (bid: number): Promise<StartRefusedError> => {
    const error: unknown = await start(bid).catch((e: unknown) => e);
    assert.ok(error instanceof StartRefusedError, String(error));
    return error;
  };

  it('is known by the market’s price now and by what was bid before', async () => {
    assert.deepEqual(await bidTerms(client.spot, pod), { gpuCount: 2, lowest: 0.35, onDemand: 0.69, last: 0.4 });
  });

  it('is started with a bid, and costs it', async () => {
    const now = await start(0.45);
    assert.notEqual(now.status, 'EXITED');
    assert.equal(now.costPerHour, 0.9);
    assert.deepEqual(await client.spot.standing(pod.id), { interruptible: true, bidPerGpu: 0.45 });
  });

  it('stays stopped where others bid more, in RunPod’s words, and is bid for until they do not', async () => {
    simulator.set({ spotShare: 0.9 });
    const error = await refused(0.4);
    assert.deepEqual([error.reason, error.pod.status, takesNoBids(error.cause)], ['no-gpu', 'EXITED', false]);
    assert.match(error.cause.detail ?? '', /no longer any instances available/);
    const again = await keepStarting({ get: (id) => client.pods.get(id), action: () => start(0.4) }, pod, {
      signal: new AbortController().signal,
      everyMs: 5,
      onTry: (tries, next) => next === undefined && tries === 2 && simulator.set({ spotShare: 0.5 }),
    });
    assert.notEqual(again.status, 'EXITED');
  });

  it('has no terms where the old API is gone, refuses or errs, and where RunPod says that it is none', async () => {
    for (const graphql of ['gone', 'forbidden', 'errors'] as const) {
      simulator.set({ graphql });
      assert.equal(await bidTerms(client.spot, pod), undefined, graphql);
    }
    simulator.set({ graphql: 'on' });
    const { id } = await client.pods.create({ name: 'bought', image: 'runpod/base:1', gpu: { id: RTX, count: 1 }, disk: 20, ports: ['22/tcp'] });
    assert.equal(await bidTerms(client.spot, { ...pod, id }), undefined);
    assert.equal(await bidTerms(client.spot, { ...pod, id: 'nosuch' }), undefined);
  });

  it('that the old API takes no bid for says so: switched off, or not with this key', async () => {
    for (const [graphql, code] of [['gone', 'gone'], ['forbidden', 'forbidden']] as const) {
      simulator.set({ graphql });
      const { cause, reason } = await refused(0.4);
      assert.deepEqual([cause.code, reason, takesNoBids(cause)], [code, 'refused', true]);
    }
    simulator.set({ graphql: 'errors' });
    assert.equal(takesNoBids((await refused(0.4)).cause), false);
  });

  it('is bid for once though the answer is lost', async () => {
    const asked = (): number => simulator.requests.filter(({ path }) => path === '/graphql').length;
    const before = asked();
    simulator.fault({ method: 'POST', path: '/graphql', when: 'after', effect: { kind: 'reset' } });
    assert.notEqual((await start(0.4)).status, 'EXITED');
    assert.equal(asked(), before + 1);
  });
});

describe('a bid that nobody is asked about', () => {
  const terms = { gpuCount: 2, lowest: 0.3, last: 0.4 };
  it('is the one before, and more only within a cap', () => {
    assert.equal(bidWithin(terms, undefined), 0.4);
    assert.equal(bidWithin({ ...terms, lowest: 0.5 }, undefined), undefined);
    assert.equal(bidWithin({ ...terms, lowest: 0.5 }, 1.2), 0.5);
    assert.equal(bidWithin(terms, 0.7), 0.35);
    assert.equal(bidWithin(terms, 0.5), undefined);
    assert.equal(bidWithin({ gpuCount: 1 }, undefined), undefined);
    assert.equal(bidWithin({ gpuCount: 1, lowest: 0.2 }, 0.5), 0.2);
    assert.equal(bidWithin({ gpuCount: 1, last: 0.2 }, undefined), 0.2);
  });
  it('is proposed in whole cents that are enough', () => {
    assert.deepEqual([proposedBid({ lowest: 0.345, last: 0.2 }), proposedBid({ lowest: 0.3, last: 0.4 }), proposedBid({ lowest: 0.29 }), proposedBid({ onDemand: 0.69 })], [0.35, 0.4, 0.29, 0.35]);
  });
});
