import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { silentLog } from '../../src/base/log';
import { defaultTimings, PodStore, type PodsApi } from '../../src/pods/store';
import { RunPodError } from '../../src/runpod/errors';
import type { PodRow } from '../../src/runpod/types';
import { aPod } from './fixtures';

const rows = (...pods: ReturnType<typeof aPod>[]): PodRow[] => pods.map((pod) => ({ kind: 'pod', pod }));
const api = (over: Partial<PodsApi> = {}): PodsApi => ({ listPods: async () => rows(aPod()), readAccount: async () => ({ balance: 5, spendPerHour: 1 }), ...over });
const storeOf = (a: PodsApi | undefined): PodStore => new PodStore(async () => a, silentLog);

describe('pod store', () => {
  it('knows that there is no key, and asks nothing', async () => {
    const store = storeOf(undefined);
    await store.refresh();
    assert.equal(store.state.phase, 'no-key');
    store.dispose();
  });

  it('keeps the last good list when a poll fails, and says so', async () => {
    let fail = false;
    const error = new RunPodError('server', { method: 'GET', path: '/pods', status: 503 });
    const store = storeOf(api({ listPods: async () => (fail ? Promise.reject(error) : rows(aPod())) }));
    await store.refresh();
    fail = true;
    await store.refresh();
    assert.equal(store.state.pods.length, 1);
    assert.equal(store.state.phase, 'ready');
    assert.equal(store.state.problem?.error, error);
    assert.ok(store.state.fetchedAt);
    fail = false;
    await store.refresh();
    assert.equal(store.state.problem, undefined);
    store.dispose();
  });

  it('never shows the answer for one key under another', async () => {
    let release: (value: PodRow[]) => void = () => undefined;
    let calls = 0;
    const store = storeOf(api({ listPods: () => (calls++ === 0 ? new Promise((resolve) => (release = resolve)) : Promise.resolve(rows(aPod({ id: 'new' })))) }));
    const first = store.refresh();
    await new Promise((resolve) => setImmediate(resolve));
    await store.reset();
    release(rows(aPod({ id: 'old' })));
    await first;
    assert.deepEqual(store.state.pods.map((p) => p.id), ['new']);
    store.dispose();
  });

  it('shares one request among callers', async () => {
    let calls = 0;
    const store = storeOf(api({ listPods: async () => (calls++, rows()) }));
    await Promise.all([store.refresh(), store.refresh(), store.refresh()]);
    assert.equal(calls, 1);
    store.dispose();
  });

  it('shows pods although the balance cannot be read', async () => {
    const store = storeOf(api({ readAccount: () => Promise.reject(new Error('gone')) }));
    await store.refresh();
    assert.equal(store.state.pods.length, 1);
    assert.equal(store.state.account, undefined);
    store.dispose();
  });

  it('finds by id, and by name only where one pod has it', async () => {
    const store = storeOf(api({ listPods: async () => rows(aPod({ id: 'a', name: 'x' }), aPod({ id: 'b', name: 'y' }), aPod({ id: 'c', name: 'y' })) }));
    await store.refresh();
    assert.equal(store.find('a')?.id, 'a');
    assert.equal(store.find('x')?.id, 'a');
    assert.equal(store.find('y'), undefined);
    store.dispose();
  });

  it('puts and removes a pod between polls', async () => {
    const store = storeOf(api());
    await store.refresh();
    store.put(aPod({ status: 'EXITED' }));
    assert.equal(store.state.pods[0]?.status, 'EXITED');
    store.put(aPod({ id: 'fresh' }));
    assert.equal(store.state.pods.length, 2);
    store.remove('fresh');
    store.remove('abc123');
    assert.equal(store.state.rows.length, 0);
    store.dispose();
  });

  it('asks under six times a minute in front and under once in the background', () => {
    const perMinute = (level: keyof typeof defaultTimings.poll): number => 60_000 / defaultTimings.poll[level] + 60_000 / defaultTimings.account[level];
    assert.ok(perMinute('view') < 6);
    assert.ok(perMinute('ticker') < 6);
    assert.ok(perMinute('background') < 1);
  });
});

describe('pod store and a clock that jumps', () => {
  it('looks again in time though the clock was set back by an hour', async () => {
    let now = 1_000_000_000_000;
    let lists = 0;
    const timings = { ...defaultTimings, poll: { view: 30, ticker: 30, background: 30 }, changing: 5 };
    const store = new PodStore(async () => api({ listPods: async () => (lists++, rows()) }), silentLog, timings, () => now);
    await store.refresh();
    now -= 3_600_000;
    store.hurry();
    await new Promise<void>((resolve) => {
      const seen = store.onDidChange(() => {
        if (lists < 3) return;
        seen.dispose();
        resolve();
      });
    });
    store.dispose();
  });
});
