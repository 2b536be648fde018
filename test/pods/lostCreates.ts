import assert from 'node:assert/strict';
import { silentLog } from '../../src/base/log';
import { sleep } from '../../src/base/time';
import { createFirst, CreateUncertainError, NothingPlacedError } from '../../src/pods/create';
import { CREATE_MARK } from '../../src/pods/createMark';
import { PendingCreates, type PendingCreate } from '../../src/pods/pendingCreates';
import { RunPodClient } from '../../src/runpod/client';
import { RunPodError } from '../../src/runpod/errors';
import type { CreatePodRequest } from '../../src/runpod/types';
import type { Effect, FaultRule } from '../simulator/faults';
import { startSimulator } from '../simulator/simulator';

const GPUS = ['NVIDIA GeForce RTX 4090', 'NVIDIA A40', 'NVIDIA L4'];
const AT_A_TIME = 4;

const lost: readonly Effect[] = [{ kind: 'status', status: 500 }, { kind: 'status', status: 503 }, { kind: 'html', status: 502 }, { kind: 'html', status: 504 }, { kind: 'reset' }, { kind: 'truncated' }, { kind: 'hang' }];
const refused: readonly Effect[] = [{ kind: 'status', status: 400, detail: 'There are no longer any instances available with the requested specifications. Please refresh and try again.' }, { kind: 'status', status: 402, detail: 'balance too low' }];

/** A repeatable sequence of numbers in [0, 1), so that a failure can be seen again. */
function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Makes `count` requests for a pod while answers are lost before and after the work, lists fail, stock runs out, and new
 * pods show up late; then holds every pod of the account against what was said of it.
 * @returns how the requests ended, by kind
 */
export async function loseCreates(count: number, seed = 1): Promise<Record<string, number>> {
  const random = sequence(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const quota = 1_000_000;
  const simulator = await startSimulator({ mode: 'none', empty: true, balance: 1e6, settings: { quotas: { minute: quota, hour: quota, day: quota }, unlistedAfterCreateMs: 30 } });
  const client = new RunPodClient({ restUrl: simulator.restUrl, graphqlUrl: simulator.graphqlUrl, key: async () => simulator.apiKey, userAgent: 'runpod-workspaces/test', log: silentLog, timings: { createMs: 400, callMs: 400, attempts: 2, backoffBaseMs: 5 } });
  let shelf: readonly PendingCreate[] = [];
  const pending = new PendingCreates({ read: () => shelf, write: async (all) => void (shelf = [...all]) }, Date.now, { patienceMs: 0 });
  const ends: Record<string, number> = {};
  const seen = new Map<string, string>();
  const marks = new Set<string>();

  const one = async (n: number): Promise<void> => {
    const name = `pod-${n}`;
    const request = (id: string): CreatePodRequest => ({ name, image: 'runpod/base:1.0.2-ubuntu2404', gpu: { id, count: 1 }, disk: 10, ports: ['22/tcp'] });
    let mark = '';
    const tell = (kind: string): void => void (ends[kind] = (ends[kind] ?? 0) + 1);
    try {
      const { pod } = await createFirst({ create: (r) => client.pods.create(r), list: () => client.pods.list() }, GPUS.map(request), {
        looks: { count: 3, everyMs: 25 },
        journal: { note: async (create) => (marks.add((mark = create.mark)), pending.note(create)), settle: (m) => pending.settle(m), letGo: (m) => pending.letGo(m) },
        origin: 'test',
      });
      seen.set(mark, pod.id);
      tell('placed');
    } catch (error) {
      if (error instanceof CreateUncertainError) tell('uncertain');
      else if (error instanceof NothingPlacedError) tell('nothing free');
      else if (error instanceof RunPodError) tell(error.method === 'GET' ? 'not asked' : error.code);
      else throw error;
    }
  };

  try {
    for (let n = 0; n < count; n += AT_A_TIME) {
      simulator.clearFaults();
      const fault = (rule: FaultRule): void => void simulator.fault(rule);
      if (random() < 0.7) fault({ method: 'POST', path: '/v2/pods', when: random() < 0.7 ? 'after' : 'before', times: 1 + Math.floor(random() * 3), effect: pick(lost) });
      if (random() < 0.4) fault({ method: 'POST', path: '/v2/pods', when: 'before', times: 1 + Math.floor(random() * 5), effect: pick(refused) });
      // The list fails as well, often enough that some looks all miss.
      if (random() < 0.2) fault({ method: 'GET', path: '/v2/pods**', times: 1 + Math.floor(random() * 24), effect: { kind: 'status', status: 503 } });
      simulator.set({ shortages: GPUS.filter(() => random() < 0.3).map((gpu) => ({ gpu })), hiddenAfterCreateMs: random() < 0.2 ? 150 : 0 });
      await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count - n) }, (_, i) => one(n + i)));
      // What is proven good is ended, so that the account stays small; what is lost lies on.
      simulator.clearFaults();
      for (const pod of [...simulator.world.pods.values()]) if (seen.get(pod.env[CREATE_MARK] ?? '') === pod.id && n % 40 !== 0) simulator.lifecycle.act(pod, 'terminate');
    }
    simulator.set({ hiddenAfterCreateMs: 0, unlistedAfterCreateMs: 0, shortages: [] });
    await sleep(200);
    const surfaced = await pending.reconcile(await client.pods.list(), 'test');
    for (const pod of surfaced) {
      const mark = pod.env[CREATE_MARK] ?? '';
      assert.ok(!seen.has(mark), `${pod.name} is told twice`);
      seen.set(mark, pod.id);
    }
    const byMark = new Map<string, string[]>();
    for (const pod of simulator.world.pods.values()) {
      const mark = pod.env[CREATE_MARK] ?? '';
      byMark.set(mark, [...(byMark.get(mark) ?? []), pod.id]);
      assert.equal(seen.get(mark), pod.id, `${pod.name} bills and nobody knows of it`);
    }
    for (const [mark, ids] of byMark) assert.equal(ids.length, 1, `request ${mark} made ${ids.length} pods`);
    // The account's own record: every pod that ever was, also those ended meanwhile.
    const made = simulator.requests.filter((r) => r.method === 'POST' && r.path === '/v2/pods').length;
    assert.ok(made >= (ends['placed'] ?? 0));
    assert.equal(Object.values(ends).reduce((a, b) => a + b, 0), count);
    return ends;
  } finally {
    client.dispose();
    await simulator.close();
  }
}
