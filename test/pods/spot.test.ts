import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { silentLog } from '../../src/base/log';
import { guardInArgs, withGuard } from '../../src/pods/guard/args';
import { standingOf } from '../../src/pods/guard/standing';
import { readWish, wishOf } from '../../src/pods/guard/wish';
import { rentSpot, SPOT_MARK, SpotEnds } from '../../src/pods/spot';
import { RunPodClient } from '../../src/runpod/client';
import { RunPodError } from '../../src/runpod/errors';
import { endingIn } from '../../src/runpod/spot';
import type { CreatePodRequest, Pod } from '../../src/runpod/types';
import { startSimulator, type Simulator } from '../simulator/simulator';
import { aPod } from './fixtures';

const RTX = 'NVIDIA GeForce RTX 4090';
const request: CreatePodRequest = { name: 'spot-1', image: 'runpod/base:1.0.2-ubuntu2404', gpu: { id: RTX, count: 1 }, disk: 20, ports: ['22/tcp'], mounts: { persistent: { size: 20, path: '/workspace' } } };

describe('spot pods', () => {
  let simulator: Simulator;
  let client: RunPodClient;
  before(async () => {
    simulator = await startSimulator({ mode: 'none', empty: true, settings: { spot: 'on' } });
    client = new RunPodClient({ restUrl: simulator.restUrl, graphqlUrl: simulator.graphqlUrl, key: async () => simulator.apiKey, userAgent: 'runpod-workspaces/test', log: silentLog });
  });
  after(async () => {
    client.dispose();
    await simulator.close();
  });
  const rent = (bid: number, asked = request): Promise<Pod> =>
    rentSpot({ rent: (r, b) => client.spot.rent(r, b), get: (id) => client.pods.get(id), list: () => client.pods.list() }, asked, bid, { looks: { count: 3, everyMs: 20 } });

  it('have a market price', async () => {
    const market = await client.spot.market(RTX, 1, 'SECURE');
    assert.equal(market.onDemand, 0.69);
    assert.ok((market.minimumBid ?? 1) < 0.69);
  });

  it('are bid for, and cost the bid', async () => {
    const pod = await rent(0.5);
    assert.equal(pod.costPerHour, 0.5);
    assert.equal(pod.env[SPOT_MARK], '0.5');
    assert.equal(pod.name, 'spot-1');
  });

  it('carry their limits as any other pod does: in the start command where the image obeys it, and in a variable', async () => {
    const wish = { limitMinutes: 120, atLimit: 'terminate' } as const;
    const { request: limited } = withGuard(request, wish, { rest: simulator.restUrl, graphql: simulator.graphqlUrl });
    const pod = await rent(0.5, { ...limited, name: 'limited' });
    assert.deepEqual([readWish(guardInArgs(pod) ?? ''), wishOf(pod)], [wish, wish]);
    assert.equal(standingOf({ ...pod, status: 'RUNNING' }, undefined)?.kind, 'expected');
    const other = await rent(0.5, withGuard({ ...request, name: 'own-image', image: 'me/own:1' }, wish, { rest: simulator.restUrl, graphql: simulator.graphqlUrl }).request);
    assert.deepEqual([other.args, wishOf(other), standingOf({ ...other, status: 'RUNNING' }, undefined)?.kind], ['', wish, 'awaited']);
  });

  it('are made once though the answer is lost', async () => {
    const before = simulator.world.pods.size;
    simulator.fault({ method: 'POST', path: '/graphql', when: 'after', effect: { kind: 'reset' } });
    const pod = await rent(0.5);
    assert.equal(pod.name, 'spot-1-2');
    assert.equal(simulator.world.pods.size, before + 1);
  });

  it('are refused in RunPod’s own words where the bid is too low, or the account does not get them', async () => {
    await assert.rejects(rent(0.01), (e) => e instanceof RunPodError && e.code === 'no-capacity' && /no longer any instances/.test(e.detail ?? ''));
    simulator.set({ spot: 'refuse' });
    await assert.rejects(rent(0.6), (e) => e instanceof RunPodError && e.code === 'no-capacity');
    simulator.set({ graphql: 'gone' });
    await assert.rejects(rent(0.6), (e) => e instanceof RunPodError && e.code === 'gone');
    await assert.rejects(client.spot.market(RTX, 1, 'SECURE'));
    simulator.set({ graphql: 'on', spot: 'on' });
  });

  it('tell how they ended', async () => {
    assert.deepEqual(['Outbid: Fri Nov 20 2026', 'Exited by user: Fri', 'Exited by Runpod: Fri', 'Rented by User: x', ''].map(endingIn), ['outbid', 'by-user', 'by-runpod', 'by-user', 'unknown']);
    const pod = simulator.pod('spot-1');
    await simulator.until('spot-1', 'RUNNING');
    simulator.lifecycle.act(pod, 'stop');
    assert.equal(await client.spot.ending(pod.id), 'by-user');
    simulator.lifecycle.act(pod, 'start');
    await simulator.until('spot-1', 'RUNNING');
    simulator.outbid('spot-1');
    assert.equal(await client.spot.ending(pod.id), 'outbid');
  });

  it('are noticed when they end between two lists', () => {
    const ends = new SpotEnds();
    const spot = aPod({ id: 's', env: { [SPOT_MARK]: '0.3' } });
    const other = aPod({ id: 'o' });
    assert.deepEqual(ends.update([spot, other]), []);
    assert.deepEqual(ends.update([{ ...spot, status: 'EXITED' }, { ...other, status: 'EXITED' }]).map((p) => `${p.id} ${p.status}`), ['s EXITED']);
    assert.deepEqual(ends.update([{ ...spot, status: 'EXITED' }]), []);
    ends.update([spot]);
    assert.deepEqual(ends.update([]).map((p) => p.id), ['s']);
  });
});
