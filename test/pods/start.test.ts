import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import { silentLog } from '../../src/base/log';
import { besideRequest, nameBeside } from '../../src/pods/beside';
import { guardedArgs } from '../../src/pods/guard/args';
import { keepStarting, startPod, StartRefusedError } from '../../src/pods/start';
import { RunPodClient } from '../../src/runpod/client';
import type { CreatePodRequest, Pod } from '../../src/runpod/types';
import { startSimulator, type Simulator } from '../simulator/simulator';
import { aPod } from './fixtures';

describe('the start of a stopped pod', () => {
  let simulator: Simulator;
  let client: RunPodClient;
  let stopped: Pod;

  before(async () => {
    simulator = await startSimulator({ mode: 'none', speed: 50 });
    client = new RunPodClient({ restUrl: simulator.restUrl, key: async () => simulator.apiKey, userAgent: 'start-test', log: silentLog });
  });
  after(async () => {
    client.dispose();
    await simulator.close();
  });
  beforeEach(async () => {
    simulator.set({ startGpu: 'ok' });
    const pod = simulator.pod('old-exp');
    if (pod.status !== 'EXITED') {
      await client.pods.action(pod.id, 'stop');
      await simulator.until('old-exp', 'EXITED');
    }
    stopped = await client.pods.get(pod.id);
  });

  for (const how of ['refuse-400', 'refuse-409'] as const)
    it(`is told apart as one without a free GPU (${how})`, async () => {
      simulator.set({ startGpu: how });
      await assert.rejects(startPod(client.pods, stopped), (error: unknown) => {
        assert.ok(error instanceof StartRefusedError);
        assert.equal(error.reason, 'no-gpu');
        assert.equal(error.pod.status, 'EXITED');
        return true;
      });
    });

  it('that somebody else was quicker with is no refusal', async () => {
    await client.pods.action(stopped.id, 'start');
    const now = await startPod(client.pods, stopped);
    assert.notEqual(now.status, 'EXITED');
  });

  it('is tried again until a GPU is free', async () => {
    simulator.set({ startGpu: 'refuse-409' });
    const seen: number[] = [];
    const started = await keepStarting(client.pods, stopped, {
      signal: new AbortController().signal,
      everyMs: 5,
      onTry: (tries, next) => {
        if (next === undefined) seen.push(tries);
        if (tries === 3) simulator.set({ startGpu: 'ok' });
      },
    });
    assert.deepEqual(seen, [1, 2, 3]);
    assert.notEqual(started.status, 'EXITED');
  });

  it('is not tried again where waiting is no cure, nor when the person has enough', async () => {
    await assert.rejects(keepStarting(client.pods, { ...stopped, id: 'nosuchpod' }, { signal: new AbortController().signal, everyMs: 5 }), /not-found|404/);
    simulator.set({ startGpu: 'refuse-400' });
    const enough = new AbortController();
    const trying = keepStarting(client.pods, stopped, { signal: enough.signal, everyMs: 60_000, onTry: (_tries, next) => next !== undefined && enough.abort() });
    await assert.rejects(trying, { name: 'CancelledError' });
  });
});

describe('another pod on the same network volume', () => {
  const candidate = { label: 'A40', gpu: { id: 'NVIDIA A40', count: 1 }, cloud: 'SECURE', perHour: 0.4, stock: 'HIGH', dataCenters: [] } as const;

  it('has the same image, ports and environment, without what belonged to the first', () => {
    const pod = aPod({ mount: { kind: 'network', volumeId: 'vol1', path: '/data' }, env: { WANDB_MODE: 'offline', PUBLIC_KEY: 'ssh-ed25519 x', RUNPOD_WORKSPACES_CREATE: 'm' }, args: 'sleep infinity' });
    assert.deepEqual(besideRequest(pod, 'llama-ft-2', candidate, 'US-KS-2'), {
      name: 'llama-ft-2', image: pod.image, gpu: candidate.gpu, cloud: 'SECURE', disk: 50,
      mounts: { network: [{ volumeId: 'vol1', path: '/data' }] }, dataCenterIds: ['US-KS-2'], ports: pod.ports, env: { WANDB_MODE: 'offline' }, args: 'sleep infinity',
    });
    assert.throws(() => besideRequest(aPod(), 'x', candidate, 'US-KS-2'), TypeError);
  });

  it('takes the guard of the other pod out of its start command, and nothing else', () => {
    const mount = { kind: 'network', volumeId: 'v', path: '/workspace' } as const;
    const ours = guardedArgs({ limitMinutes: 240, atLimit: 'terminate' }, '/workspace', { rest: 'http://127.0.0.1:1/v2', graphql: 'http://127.0.0.1:1/graphql' });
    const beside = (more: Partial<Pod>): Partial<CreatePodRequest> => besideRequest(aPod({ mount, args: '', ...more }), 'x', candidate, 'US-KS-2');
    assert.ok(!('args' in beside({ args: ours })));
    assert.equal(beside({ args: ours.replace('exec /start.sh', 'exec /my.sh') }).args, "sh -c 'exec /my.sh'");
    assert.equal(beside({ args: 'bash -c "exec /start.sh"' }).args, 'bash -c "exec /start.sh"');
    assert.ok(!('cmd' in beside({ args: '{}', cmd: ['sh', '-c', ours.slice("sh -c '".length, -1)] })));
    assert.deepEqual(beside({ args: '{}', cmd: ['sh', '-c', 'exec /start.sh'] }).cmd, ['sh', '-c', 'exec /start.sh']);
  });

  it('has a name of its own', () => {
    assert.equal(nameBeside('llama-ft', new Set(['llama-ft'])), 'llama-ft-2');
    assert.equal(nameBeside('llama-ft-2', new Set(['llama-ft', 'llama-ft-2'])), 'llama-ft-3');
  });
});
