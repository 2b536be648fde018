import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import { silentLog } from '../../src/base/log';
import { endPod, type Ended } from '../../src/pods/endPod';
import { CONFIRM_MS, PendingEnds, type EndKind, type PendingEnd } from '../../src/pods/pendingEnds';
import { RunPodClient } from '../../src/runpod/client';
import { RunPodError } from '../../src/runpod/errors';
import type { Pod, PodRow } from '../../src/runpod/types';
import { atOnce } from '../simulator/apiClient';
import { startSimulator, type Simulator } from '../simulator/simulator';

const HOUR = 3_600_000;

describe('the end of a pod', () => {
  let simulator: Simulator;
  let client: RunPodClient;
  let shelf: readonly PendingEnd[];
  let pending: PendingEnds;
  let pod: Pod;
  let news: string[];
  const now = (): number => client.serverClock.now().getTime();
  const list = (): Promise<PodRow[]> => client.pods.list();

  before(async () => {
    simulator = await startSimulator({ mode: 'none', settings: { timings: atOnce } });
    client = new RunPodClient({ restUrl: simulator.restUrl, key: async () => simulator.apiKey, userAgent: 'end-test', log: silentLog, timings: { callMs: 2000, backoffBaseMs: 5, backoffCapMs: 10 } });
  });
  after(async () => {
    client.dispose();
    await simulator.close();
  });
  beforeEach(async () => {
    simulator.set({ ignoredActions: [] });
    simulator.clearFaults();
    shelf = [];
    news = [];
    pending = new PendingEnds({ read: () => shelf, write: async (all) => void (shelf = all) }, now);
    const { id } = await client.pods.create({ name: 'job', image: 'runpod/base:1', gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 }, disk: 10, ports: ['22/tcp'] });
    await simulator.until(id, 'RUNNING');
    pod = await client.pods.get(id);
  });

  const end = (kind: EndKind): Promise<Ended> => endPod(client.pods, pod, kind, { pending, origin: 'o', now, onNews: ({ status }) => news.push(status) });
  /** Lets RunPod have had its time, once the request has been accepted. */
  const unconfirmed = async (kind: EndKind): Promise<void> => {
    simulator.set({ ignoredActions: ['stop', 'terminate'] });
    const ended = end(kind);
    await until(() => news.length > 0);
    simulator.advance(CONFIRM_MS);
    assert.deepEqual((await ended).confirmed, false);
  };

  it('is confirmed when RunPod says so, and then forgotten', async () => {
    const { confirmed, pod: now } = await end('stop');
    assert.deepEqual([confirmed, now?.status, shelf], [true, 'EXITED', []]);
    assert.deepEqual(await end('terminate'), { confirmed: true });
    assert.deepEqual(shelf, []);
  });

  it('is written down before it is asked for', async () => {
    simulator.fault({ method: 'POST', path: '/v2/pods/*/action', effect: { kind: 'delay', ms: 50 } });
    const ended = end('stop');
    await Promise.resolve();
    assert.deepEqual(shelf.map(({ podId, kind, asks }) => [podId, kind, asks]), [[pod.id, 'stop', 1]]);
    await ended;
  });

  it('is not confirmed because it was accepted, and is measured on the API’s clock', async () => {
    await unconfirmed('stop');
    const [late] = pending.unconfirmed('o');
    assert.deepEqual([late?.podId, late?.kind, late?.asks, late?.name], [pod.id, 'stop', 1, 'job']);
    assert.ok(now() - (late?.since ?? 0) >= CONFIRM_MS);
    assert.deepEqual(pending.unconfirmed('other'), []);
  });

  it('is asked for again, and once more in vain; then a list confirms it late', async () => {
    await unconfirmed('stop');
    const since = shelf[0]?.since;
    simulator.advance(10 * 60_000);
    await list();
    news = [];
    await unconfirmed('stop');
    assert.deepEqual([shelf[0]?.asks, shelf[0]?.since], [2, since]);
    assert.deepEqual(pending.reconcile(await list(), 'o'), { confirmed: [], missing: [] });
    simulator.set({ ignoredActions: [] });
    await client.pods.action(pod.id, 'stop');
    assert.deepEqual(pending.reconcile(await list(), 'other').confirmed, []);
    assert.deepEqual(pending.reconcile(await list(), 'o').confirmed.map(({ podId }) => podId), [pod.id]);
    assert.deepEqual(shelf, []);
  });

  it('is not over with a list that lacks the pod: RunPod is asked for it by its id', async () => {
    await unconfirmed('terminate');
    const rows = (await list()).filter((r) => r.kind === 'pod' && r.pod.id !== pod.id);
    assert.deepEqual(pending.reconcile(rows, 'o').missing.map(({ podId }) => podId), [pod.id]);
    assert.equal(shelf.length, 1);
    assert.deepEqual(pending.reconcile([...rows, { kind: 'unreadable', row: { problem: 'no id', raw: null } }], 'o').missing, [], 'it may be the row that cannot be read');
    assert.deepEqual(pending.reconcile([...rows, { kind: 'unreadable', row: { id: pod.id, problem: 'nonsense', raw: null } }], 'o').missing, []);
  });

  it('is not wanted any more by a later start, which is not the one that was to end', async () => {
    await unconfirmed('stop');
    const startedAt = new Date(now() + 5 * 60_000);
    assert.equal(pending.reconcile([{ kind: 'pod', pod: { ...pod, status: 'RUNNING', startedAt } }], 'o').confirmed.length, 0);
    assert.deepEqual(shelf, []);
    pod = { ...pod, status: 'STARTING' };
    await unconfirmed('stop');
    pending.reconcile([{ kind: 'pod', pod: { ...pod, status: 'RUNNING', startedAt: new Date(now() + HOUR) } }], 'o');
    assert.equal(shelf.length, 1, 'it was to end before it ran, and it runs');
  });

  it('is looked after though its answer is lost', async () => {
    simulator.fault({ method: 'POST', path: '/v2/pods/*/action', when: 'after', effect: { kind: 'reset' } });
    assert.deepEqual([(await end('stop')).confirmed, shelf], [true, []]);
  });

  it('that was never heard of stays wanted; one that RunPod refused does not', async () => {
    const nowhere = new RunPodClient({ restUrl: 'http://127.0.0.1:1/v2', key: async () => 'k', userAgent: 'end-test', log: silentLog, timings: { callMs: 500, attempts: 1 } });
    await assert.rejects(endPod(nowhere.pods, pod, 'stop', { pending, origin: 'o', now }), (e) => e instanceof RunPodError && e.code === 'network' && !e.maybeDone);
    nowhere.dispose();
    assert.equal(shelf.length, 1);
    await client.pods.update(pod.id, { locked: true });
    await assert.rejects(end('stop'), (e) => e instanceof RunPodError && e.code === 'conflict');
    assert.equal(shelf.length, 1, 'the refusal of this request does not take back the one before');
    shelf = [];
    await assert.rejects(end('stop'), (e) => e instanceof RunPodError && e.code === 'conflict');
    assert.deepEqual(shelf, []);
  });

  it('is not doubted where somebody else was quicker', async () => {
    await client.pods.action(pod.id, 'stop');
    assert.deepEqual([(await end('stop')).confirmed, shelf], [true, []]);
    await client.pods.terminate(pod.id);
    assert.deepEqual([await end('stop'), shelf], [{ confirmed: true }, []]);
  });

  it('is remembered again when another window’s write has lost it', async () => {
    simulator.set({ ignoredActions: ['stop'] });
    const ended = end('stop');
    await until(() => news.length > 0);
    shelf = [];
    await until(() => shelf.length > 0);
    simulator.set({ ignoredActions: [] });
    await client.pods.action(pod.id, 'stop');
    assert.equal((await ended).confirmed, true);
  });
});

async function until(done: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !done(); await new Promise((resolve) => setTimeout(resolve, 10))) assert.ok(Date.now() < end, 'in time');
}
