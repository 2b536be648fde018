import assert from 'node:assert/strict';
import { command, podNamed, simulator, type PodBody } from './account';

const cheapest = { image: 'runpod/base:1.0.2-ubuntu2404', cpu: { id: 'cpu3c', vcpuCount: 2 }, disk: 10 };

describe('commands with complete arguments', () => {
  it('list the pods', async () => {
    const pods = await command<{ name: string; status: string }[]>('runpod.refreshPods');
    assert.ok(pods.some((p) => p.name === 'llama-ft' && p.status === 'RUNNING'));
    assert.ok(pods.some((p) => p.name === 'old-exp' && p.status === 'EXITED'));
  });

  it('create a pod that can be reached by SSH, and terminate it', async () => {
    const { id } = await command<{ id: string }>('runpod.createPod', { name: 'suite-create', ...cheapest });
    const pod = (await simulator.rest<PodBody>('GET', `pods/${id}`)).body;
    assert.equal(pod.name, 'suite-create');
    assert.ok(pod.ports.includes('22/tcp'));
    assert.match(pod.env['PUBLIC_KEY'] ?? '', /^ssh-ed25519 \S+ runpod-workspaces/);
    await command('runpod.terminatePod', id, { confirmed: true });
    assert.equal((await simulator.rest('GET', `pods/${id}`)).status, 404);
  });

  it('always send a GPU count', async () => {
    const { id } = await command<{ id: string }>('runpod.createPod', { name: 'suite-gpu', image: cheapest.image, gpu: { id: 'NVIDIA GeForce RTX 4090' } });
    assert.equal((await simulator.rest<PodBody>('GET', `pods/${id}`)).body.gpu?.count, 1);
    await command('runpod.terminatePod', id, { confirmed: true });
  });

  it('keep a time limit: the guard is part of the start command of an image known to run it', async () => {
    const { id } = await command<{ id: string }>('runpod.createPod', { name: 'suite-limit', ...cheapest, timeLimitMinutes: 60 });
    const { args } = (await simulator.rest<PodBody>('GET', `pods/${id}`)).body;
    assert.match(args, /guard/);
    assert.match(args, /\/start\.sh/);
    await command('runpod.terminatePod', id, { confirmed: true });
  });

  it('say in RunPod’s words why a create was refused', async () => {
    await assert.rejects(Promise.resolve(command('runpod.createPod', { name: 'suite-wrong', ...cheapest, colour: 'blue' })), /invalid/i);
  });

  it('stop and start a pod, done when RunPod says so', async () => {
    const { id } = await podNamed('llama-ft');
    const stopped = await command<{ status: string }>('runpod.stopPod', 'llama-ft', { confirmed: true });
    assert.equal(stopped.status, 'EXITED');
    assert.equal((await podNamed('llama-ft')).status, 'EXITED');
    assert.deepEqual(await command('runpod.startPod', id), { id });
    assert.notEqual((await podNamed('llama-ft')).status, 'EXITED');
  });

  it('reject with words when the pod is not there', async () => {
    await assert.rejects(Promise.resolve(command('runpod.stopPod', 'no-such-pod', { confirmed: true })), /no longer exists/);
  });

  it('make a pod the active one', async () => {
    const { id } = await podNamed('prep-cpu');
    assert.equal(await command('runpod.setActivePod', 'prep-cpu'), id);
  });
});
