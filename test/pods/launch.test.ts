import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import { silentLog } from '../../src/base/log';
import { createFirst, CreateUncertainError } from '../../src/pods/create';
import { LAUNCH_STEPS, LaunchBook, launchJournal, podOfLaunch, runLaunch, stepsLeft, type Launch, type LaunchStep, type LaunchWork } from '../../src/pods/launch';
import { PendingCreates, type PendingCreate } from '../../src/pods/pendingCreates';
import { RunPodClient } from '../../src/runpod/client';
import type { CreatePodRequest, PodRow } from '../../src/runpod/types';
import { startSimulator, type Simulator } from '../simulator/simulator';

const fresh: Launch = { id: 'l1', folder: 'file:///home/me/llama-ft', account: 'o', at: 0, marks: [], done: [], skipped: [] };

/** What outlives a window. */
class Shelf {
  all: readonly Launch[] = [];
  read(): readonly Launch[] {
    return this.all;
  }
  async write(all: readonly Launch[]): Promise<void> {
    this.all = JSON.parse(JSON.stringify(all)) as Launch[];
  }
  get only(): Launch {
    return this.all[0] ?? assert.fail('nothing is kept');
  }
}

/** Steps that note that they were made, and fail when told. */
function steps(made: string[], fails: () => LaunchStep | undefined = () => undefined, skips: readonly LaunchStep[] = []): LaunchWork {
  const work = (step: LaunchStep) => async (launch: Launch) => {
    made.push(step);
    if (fails() === step) throw new Error(`no ${step}`);
    if (step === 'create') return { found: { podId: `pod-of-${launch.id}`, podName: 'llama-ft' } };
    return step === 'send' ? { found: { target: '/workspace/llama-ft' } } : { skipped: skips.includes(step) };
  };
  return Object.fromEntries(LAUNCH_STEPS.map((step) => [step, work(step)])) as unknown as LaunchWork;
}

describe('the way from a folder to its pod', () => {
  it('is gone in order, and forgotten at its end', async () => {
    const shelf = new Shelf();
    const made: string[] = [];
    const launch = await runLaunch(new LaunchBook(shelf), fresh, steps(made, undefined, ['setup']));
    assert.deepEqual(made, LAUNCH_STEPS);
    assert.deepEqual([launch.podId, launch.target, launch.skipped], ['pod-of-l1', '/workspace/llama-ft', ['setup']]);
    assert.deepEqual(shelf.all, []);
  });

  for (const failing of LAUNCH_STEPS)
    it(`goes on at “${failing}” when that has failed, with the same pod`, async () => {
      const shelf = new Shelf();
      const made: string[] = [];
      let broken = true;
      const work = steps(made, () => (broken ? failing : undefined));
      await assert.rejects(runLaunch(new LaunchBook(shelf), fresh, work), { message: `no ${failing}` });
      assert.deepEqual(shelf.only.stopped, { step: failing, why: `no ${failing}` });
      assert.ok(!shelf.only.done.includes(failing));
      broken = false;
      made.length = 0;
      // Another window, with nothing but what was kept.
      const launch = await runLaunch(new LaunchBook(shelf), shelf.only, work);
      const from = LAUNCH_STEPS.indexOf(failing);
      assert.deepEqual(made, failing === 'setup' ? ['send', 'setup', 'open', 'terminal'] : LAUNCH_STEPS.slice(from), 'what a set-up needs is sent again: it may have been mended here');
      assert.equal(launch.podId, 'pod-of-l1');
    });

  for (const dying of LAUNCH_STEPS)
    it(`goes on when the window closed during “${dying}”`, async () => {
      const shelf = new Shelf();
      let kept: readonly Launch[] = [];
      const work = steps([]);
      const dies: LaunchWork = { ...work, [dying]: async (launch: Launch) => (kept = shelf.all, work[dying](launch)) };
      await runLaunch(new LaunchBook(shelf), fresh, dies);
      shelf.all = kept;
      const left = stepsLeft(shelf.only);
      // The folder that opens closes the window: it is not opened twice.
      assert.equal(left[0], dying === 'open' ? 'terminal' : dying === 'setup' ? 'send' : dying);
      assert.equal(shelf.only.podId, dying === 'create' ? undefined : 'pod-of-l1');
    });

  it('leaves others’ ways alone', async () => {
    const shelf = new Shelf();
    const other = { ...fresh, id: 'l2' };
    shelf.all = [other];
    await runLaunch(new LaunchBook(shelf), fresh, steps([]));
    assert.deepEqual(shelf.all, [other]);
  });
});

describe('the pod of a folder', () => {
  let simulator: Simulator;
  let client: RunPodClient;
  let shelf: Shelf;
  let pending: PendingCreate[];
  const request: CreatePodRequest = { name: 'llama-ft', image: 'runpod/base:1.0.2-ubuntu2404', cpu: { id: 'cpu3c', vcpuCount: 2 }, ports: ['22/tcp'] };
  /** The list does not show the new pod. */
  let blind: boolean;
  const list = async (): Promise<PodRow[]> => (blind ? [] : client.pods.list());

  before(async () => {
    simulator = await startSimulator({ mode: 'none', empty: true });
    client = new RunPodClient({ restUrl: simulator.restUrl, key: async () => simulator.apiKey, userAgent: 'launch-test', log: silentLog });
  });
  after(async () => {
    client.dispose();
    await simulator.close();
  });
  beforeEach(() => {
    shelf = new Shelf();
    pending = [];
    blind = false;
  });

  /** Creates as a window does, or takes what an earlier one has made. */
  function work(looks: number, dies = false): LaunchWork {
    const book = new LaunchBook(shelf);
    const journal = launchJournal(book, fresh.id, new PendingCreates({ read: () => pending, write: async (all) => void (pending = [...all]) }));
    return {
      ...steps([]),
      create: async (launch) => {
        const pod = (await podOfLaunch(list, launch, { lookMs: 20 })) ?? (await createFirst({ create: (r) => client.pods.create(r), list }, [request], { journal, looks: { count: looks, everyMs: 20 }, onUncertain: () => (blind = true) })).pod;
        if (dies) throw new Error('the window closed');
        return { found: { podId: pod.id, podName: pod.name } };
      },
    };
  }

  it('is found again by the window after, when the one that made it closed before it knew', async () => {
    const before = simulator.world.pods.size;
    await assert.rejects(runLaunch(new LaunchBook(shelf), fresh, work(3, true)));
    assert.equal(shelf.only.podId, undefined);
    const launch = await runLaunch(new LaunchBook(shelf), shelf.only, work(3));
    assert.ok(launch.podId !== undefined && simulator.world.pods.has(launch.podId));
    assert.equal(simulator.world.pods.size, before + 1);
  });

  it('is one, however often the answer is lost', async () => {
    const before = simulator.world.pods.size;
    simulator.fault({ method: 'POST', path: '/v2/pods', when: 'after', effect: { kind: 'reset' } });
    await assert.rejects(runLaunch(new LaunchBook(shelf), fresh, work(1)), (error) => error instanceof CreateUncertainError);
    blind = false;
    assert.equal(shelf.only.marks.length, 1, 'noted before the request left');
    const launch = await runLaunch(new LaunchBook(shelf), shelf.only, work(1));
    assert.ok(launch.podId);
    assert.equal(simulator.world.pods.size, before + 1);
  });

  it('is waited for as long as it may still show up, and no longer', async () => {
    let now = 1_000_000;
    let looks = 0;
    const none = async () => (looks++, (now += 50_000), []);
    assert.equal(await podOfLaunch(none, { marks: [{ mark: 'm', at: now }] }, { now: () => now, lookMs: 1 }), undefined);
    assert.equal(looks, 3);
    looks = 0;
    assert.equal(await podOfLaunch(none, { marks: [] }), undefined);
    assert.equal(looks, 0, 'nothing was ever asked for');
    const enough = new AbortController();
    enough.abort();
    await assert.rejects(podOfLaunch(none, { marks: [{ mark: 'm', at: now }] }, { now: () => now, signal: enough.signal }), { name: 'CancelledError' });
  });
});
