import assert from 'node:assert/strict';
import { readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../../src/base/time';
import { startSimulator, type RunningSimulator } from '../host/driver/simulator';

interface PodView {
  readonly id: string;
  readonly status: string;
  readonly cost: number;
  readonly ssh?: { readonly direct?: { readonly host: string; readonly port: number } | null };
}

/** Starts in all, over this many pods at a time. */
const starts = 200;
const podsAtATime = 4;

describe('two hundred starts of pods', () => {
  const folder = mkdtempSync(join(tmpdir(), 'runpod-soak-'));
  let simulator: RunningSimulator;
  const mounts = (): number => readFileSync('/proc/self/mounts', 'utf8').split('\n').filter((line) => line.includes('runpod-simulator')).length;
  const mountsBefore = process.platform === 'linux' ? mounts() : 0;

  before(async () => {
    // Twenty times as fast: a pod is up in a moment.
    simulator = await startSimulator(join(folder, 'simulator.log'), ['--empty', '--speed', '20']);
  });
  after(async () => {
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function reaches(id: string, status: string): Promise<PodView> {
    for (const end = Date.now() + 60_000; ; await sleep(50)) {
      const pod = await call<PodView>('GET', `pods/${id}`);
      if (pod.status === status) return pod;
      assert.ok(Date.now() < end, `pod ${id} is ${pod.status}, not ${status}, after a minute`);
    }
  }

  /** A call that waits where the API's request quota is used up, as a client must. */
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (;;) {
      try {
        return await simulator.rest<T>(method, path, body);
      } catch (error) {
        if (!(error instanceof Error && error.message.includes(': 429 '))) throw error;
        await sleep(500);
      }
    }
  }

  async function liveThrough(number: number, rounds: number): Promise<void> {
    const { id } = await call<PodView>('POST', 'pods', {
      name: `soak-${number}`, image: 'runpod/base:1.0.2-ubuntu2204', cpu: { id: 'cpu5c', vcpuCount: 2 }, disk: 5, ports: ['22/tcp'], startSsh: true,
    });
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await call('POST', `pods/${id}/action`, { action: 'start' });
      const running = await reaches(id, 'RUNNING');
      assert.ok(running.cost > 0, 'a running pod costs');
      await call('POST', `pods/${id}/action`, { action: 'stop' });
      const stopped = await reaches(id, 'EXITED');
      assert.equal(stopped.cost, 0);
    }
    await call('DELETE', `pods/${id}`);
    await assert.rejects(call('GET', `pods/${id}`), /: 404 /);
  }

  it('each runs, costs, stops and costs no more', async () => {
    await Promise.all(Array.from({ length: podsAtATime }, (_, number) => liveThrough(number, starts / podsAtATime)));
  });

  it('leave no mount behind', async () => {
    await simulator.stop();
    if (process.platform === 'linux') assert.equal(mounts(), mountsBefore);
  });
});
