import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CreateCancelledError, createFirst, createPod, CreateUncertainError, NothingPlacedError } from '../../src/pods/create';
import { CREATE_MARK } from '../../src/pods/createMark';
import { PendingCreates, type PendingCreate } from '../../src/pods/pendingCreates';
import { RunPodError } from '../../src/runpod/errors';
import type { CreatePodRequest, Pod, PodRow } from '../../src/runpod/types';
import { aPod } from './fixtures';

const request: CreatePodRequest = { name: 'llama-ft', image: 'runpod/base:1.0.2-ubuntu2404', gpu: { id: 'NVIDIA A40', count: 1 } };
const fail = (code: RunPodError['code'], status: number, maybeDone = false): RunPodError => new RunPodError(code, { method: 'POST', path: '/pods', status, maybeDone });
const row = (pod: Pod): PodRow => ({ kind: 'pod', pod });

/** What two windows, or one before and after its reload, share. */
class Shelf {
  all: readonly PendingCreate[] = [];
  now = 1_000_000;
  open(): PendingCreates {
    return new PendingCreates({ read: () => this.all, write: async (all) => void (this.all = all) }, () => this.now, { patienceMs: 90_000, forgetMs: 1_800_000 });
  }
}

describe('several candidates', () => {
  it('are tried in order, after clean refusals only, under one name and one mark', async () => {
    const sent: CreatePodRequest[] = [];
    const answers = [fail('no-capacity', 400), fail('forbidden', 403), undefined];
    const create = async (r: CreatePodRequest): Promise<Pod> => {
      const answer = answers[sent.push(r) - 1];
      if (answer) throw answer;
      return aPod({ id: 'new', name: r.name, env: r.env ?? {} });
    };
    const { pod, index } = await createFirst({ create, list: async () => [row(aPod())] }, [request, request, request, request]);
    assert.equal(pod.id, 'new');
    assert.equal(index, 2);
    assert.equal(sent.length, 3);
    assert.deepEqual([...new Set(sent.map((r) => r.name))], ['llama-ft-2']);
    assert.equal(new Set(sent.map((r) => r.env?.[CREATE_MARK])).size, 1);
  });

  it('end with every refusal when none is placed', async () => {
    await assert.rejects(createFirst({ create: () => Promise.reject(fail('no-capacity', 400)), list: async () => [] }, [request, request]), (e) => e instanceof NothingPlacedError && e.refusals.length === 2);
  });

  it('that are cancelled on their way hand over what came of them, so that it is ended', async () => {
    for (const lost of [false, true]) {
      const cancelled = new AbortController();
      const made: Pod[] = [];
      const shelf = new Shelf();
      const create = async (r: CreatePodRequest): Promise<Pod> => {
        cancelled.abort();
        const pod = aPod({ id: 'new', name: r.name, env: r.env ?? {} });
        made.push(pod);
        if (lost) throw fail('server', 502, true);
        return pod;
      };
      await assert.rejects(
        createFirst({ create, list: async () => made.map(row) }, [request, request], { signal: cancelled.signal, journal: shelf.open(), looks: { count: 2, everyMs: 1 } }),
        (e) => e instanceof CreateCancelledError && e.pod.id === 'new',
      );
      assert.equal(made.length, 1);
      assert.equal(shelf.all.length, 0, 'its end is known');
    }
    const before = new AbortController();
    before.abort();
    await assert.rejects(createFirst({ create: () => assert.fail('sent'), list: async () => [] }, [request], { signal: before.signal }), { name: 'CancelledError' });
  });

  it('are not gone on with after a lost answer or an empty purse', async () => {
    for (const error of [fail('server', 502, true), fail('payment-required', 402), fail('unauthorized', 401)]) {
      let creates = 0;
      const create = (): Promise<Pod> => (creates++, Promise.reject(error));
      await assert.rejects(createFirst({ create, list: async () => [] }, [request, request], { looks: { count: 1, everyMs: 1 } }));
      assert.equal(creates, 1, error.code);
    }
  });
});

describe('creates that are written down', () => {
  it('are there before the request leaves, and gone when its end is certain', async () => {
    const shelf = new Shelf();
    const journal = shelf.open();
    let during = 0;
    const create = async (r: CreatePodRequest): Promise<Pod> => ((during = shelf.all.length), aPod({ name: r.name }));
    await createPod({ create, list: async () => [] }, request, { journal, origin: 'o' });
    assert.equal(during, 1);
    assert.deepEqual(shelf.all, []);
    await assert.rejects(createPod({ create: () => Promise.reject(fail('invalid', 422)), list: async () => [] }, request, { journal }));
    assert.deepEqual(shelf.all, []);
  });

  it('outlive a window that was reloaded in the middle, and show up in the next lists', async () => {
    const shelf = new Shelf();
    const dying = shelf.open();
    await dying.note({ mark: 'm1', name: 'llama-ft', origin: 'o' });
    const next = shelf.open();
    const late = row(aPod({ id: 'late', env: { [CREATE_MARK]: 'm1' } }));
    assert.deepEqual(await next.reconcile([late], 'o'), [], 'whoever sent it may be looking still');
    shelf.now += 91_000;
    assert.deepEqual(await next.reconcile([late], 'another account'), []);
    await assert.rejects(next.reconcile([late], 'o', () => Promise.reject(new Error('disk full'))), /disk full/);
    assert.deepEqual((await next.reconcile([late], 'o')).map((p) => p.id), ['late'], 'what was not kept is told again');
    assert.deepEqual(await next.reconcile([late], 'o'), [], 'told once');
  });

  it('are looked for by every window once the one that sent them has given up', async () => {
    const shelf = new Shelf();
    const journal = shelf.open();
    await assert.rejects(createPod({ create: () => Promise.reject(fail('server', 502, true)), list: async () => [] }, request, { journal, origin: 'o', looks: { count: 1, everyMs: 1 } }), CreateUncertainError);
    assert.equal(shelf.all.length, 1);
    shelf.now += 100_000;
    const late = aPod({ id: 'late', env: { [CREATE_MARK]: shelf.all[0]?.mark ?? '' } });
    assert.deepEqual((await journal.reconcile([row(late)], 'o')).map((p) => p.id), ['late']);
  });

  it('are given up after half an hour without a pod', async () => {
    const shelf = new Shelf();
    await shelf.open().note({ mark: 'm', name: 'x', origin: 'o' });
    shelf.now += 1_799_000;
    const other = shelf.open();
    await other.reconcile([], 'o');
    assert.equal(shelf.all.length, 1);
    shelf.now += 2000;
    await other.reconcile([], 'o');
    assert.equal(shelf.all.length, 0);
  });
});
