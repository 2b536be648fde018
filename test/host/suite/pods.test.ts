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

  it('start an outbid spot pod with the bid before, with more only within a price, and without one no dearer than that', async () => {
    const start = (options?: object): Promise<unknown> => Promise.resolve(command('runpod.startPod', id, options));
    const cost = async (): Promise<number> => (await simulator.rest<{ cost: number }>('GET', `pods/${id}`)).body.cost;
    const outbid = (settings: object): Promise<void> => simulator.control('PATCH', 'settings', settings).then(() => simulator.control('POST', 'pods/suite-spot/outbid', {}));
    await simulator.control('PATCH', 'settings', { spot: 'on' });
    const { id } = await command<{ id: string }>('runpod.createSpotPod', { name: 'suite-spot', image: cheapest.image, gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 }, disk: 10, bidPerGpu: 0.4 });
    try {
      await outbid({});
      await start();
      assert.equal(await cost(), 0.4);
      await outbid({ spotShare: 0.8 });
      await assert.rejects(start(), /lowest bid for suite-spot that can win now is \$0\.55 .* its bid before was \$0\.40/);
      await assert.rejects(start({ maxPricePerHour: 0.5 }), /lowest bid/);
      await assert.rejects(start({ bidPerGpu: 0.6, maxPricePerHour: 0.5 }), /above the \$0\.50 per hour that are permitted/);
      await assert.rejects(start({ bidPerGpu: -1 }), /bidPerGpu must be a price/);
      await start({ maxPricePerHour: 0.6 });
      assert.equal(await cost(), 0.55);
      await outbid({ spot: 'refuse' });
      await assert.rejects(start({ bidPerGpu: 0.6 }), /would not start suite-spot: “.*no longer any instances.*” Nearest on demand: 4090 at \$0\.69\/hr/, 'not at a price that nobody asked for');
      await simulator.control('PATCH', 'settings', { graphql: 'gone' });
      await assert.rejects(start({ maxPricePerHour: 0.6 }), /takes no bid for suite-spot.*costs \$0\.69\/hr, and \$0\.60 per hour are permitted/);
      assert.deepEqual(await start(), { id });
      assert.notEqual((await podNamed('suite-spot')).status, 'EXITED');
    } finally {
      await simulator.control('PATCH', 'settings', { spot: 'refuse', spotShare: 0.5, graphql: 'on' });
      await command('runpod.terminatePod', id, { confirmed: true });
    }
  });

  it('reject with words when the pod is not there', async () => {
    await assert.rejects(Promise.resolve(command('runpod.stopPod', 'no-such-pod', { confirmed: true })), /no longer exists/);
  });

  it('make a pod the active one', async () => {
    const { id } = await podNamed('prep-cpu');
    assert.equal(await command('runpod.setActivePod', 'prep-cpu'), id);
  });
});
