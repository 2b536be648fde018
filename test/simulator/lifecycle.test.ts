import assert from 'node:assert/strict';
import { sleep } from '../../src/base/time';
import { until } from '../support/until';
import { ApiClient, atOnce, type PodJson } from './apiClient';
import { CAPACITY_DETAIL } from './problem';
import { startSimulator, type Simulator } from './simulator';

describe('a pod lives as RunPod lets it live', () => {
  let simulator: Simulator;
  let api: ApiClient;
  beforeEach(async () => {
    simulator = await startSimulator({ mode: 'none', empty: true, settings: { timings: atOnce } });
    api = new ApiClient(simulator);
  });
  afterEach(async () => {
    await simulator.close();
    assert.deepEqual(simulator.violations, []);
  });

  const running = async (body: Record<string, unknown> = {}): Promise<PodJson> => {
    const { id } = await api.create(body);
    await simulator.until(id, 'RUNNING');
    await until(async () => (await api.pod(id)).ssh.direct !== null || !(await api.pod(id)).ports.includes('22/tcp'), 'a direct address');
    return api.pod(id);
  };

  it('PROVISIONING, STARTING, RUNNING; the address comes after', async () => {
    // Time goes on in steps far shorter than a phase, so that a busy machine misses none.
    simulator.set({ timings: { ...atOnce, provisioningMs: 60_000, pullMs: 60_000, directDelayMs: 60_000 } });
    const created = await api.create();
    assert.equal(created.status, 'PROVISIONING');
    assert.deepEqual(created.actions, ['stop', 'terminate']);
    assert.equal(created.startedAt, null);
    assert.equal(created.template, null);
    const seen: string[] = [];
    await until(async () => {
      const pod = await api.pod(created.id);
      const what = pod.status + (pod.ssh.direct === null ? '' : ' with address');
      if (seen.at(-1) !== what) seen.push(what);
      simulator.advance(5_000);
      return pod.ssh.direct !== null;
    }, 'RUNNING with an address');
    assert.deepEqual(seen, ['PROVISIONING', 'STARTING', 'RUNNING', 'RUNNING with address']);
    const pod = await api.pod(created.id);
    assert.equal(pod.ssh.direct?.port, pod.runtime?.ports.find((port) => port.private === 22)?.public);
    const http = pod.runtime?.ports.find((port) => port.type === 'http');
    assert.match(http?.ip ?? '', /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./);
  });

  it('stop makes it cost nothing; a new start has a new port, and tells the old one for a moment', async () => {
    simulator.set({ timings: { ...atOnce, oldPortMs: 600_000 } });
    const first = await running();
    const stopped = (await api.act(first.id, 'stop')).body as PodJson;
    assert.deepEqual([stopped.status, stopped.cost, stopped.ssh.direct, stopped.runtime], ['EXITED', 0, null, null]);
    assert.deepEqual(stopped.actions, ['start', 'terminate']);
    assert.equal(((await api.act(first.id, 'start')).body as PodJson).status, 'STARTING');
    await simulator.until(first.id, 'RUNNING');
    assert.deepEqual((await api.pod(first.id)).ssh.direct, first.ssh.direct);
    simulator.advance(600_000);
    await until(async () => (await api.pod(first.id)).ssh.direct?.port !== first.ssh.direct?.port, 'the new address');
    const second = await api.pod(first.id);
    assert.equal(second.ssh.direct?.port, simulator.port(first.id).port);
    assert.ok((second.startedAt ?? '') > (first.startedAt ?? ''));
  });

  it('tells RUNNING, and an address, from the moment a machine is found where so set: runtime comes with the container', async () => {
    simulator.set({ runningFrom: 'placement', timings: { ...atOnce, pullMs: 3000 } });
    const { id } = await api.create();
    await simulator.until(id, 'RUNNING');
    await until(async () => (await api.pod(id)).ssh.direct !== null, 'an address');
    const early = await api.pod(id);
    assert.equal(early.runtime, null);
    await until(async () => (await api.pod(id)).runtime !== null, 'the container');
    const up = await api.pod(id);
    assert.deepEqual([up.startedAt, up.ssh.direct?.port], [early.startedAt, early.ssh.direct?.port]);
    simulator.set({ runningFrom: 'container' });
  });

  it('never starts an image on a driver that is too old for it, and bills', async () => {
    simulator.set({ drivers: 'old', runningFrom: 'placement', timings: atOnce });
    const { id } = await api.create();
    const frames = await api.log(id, '?tail=5000&source=system', (all) => all.filter((frame) => frame.line.startsWith('error starting container')).length === 2);
    assert.match(frames.at(-1)?.line ?? '', /unsatisfied condition: cuda>=12\.8/);
    const pod = await api.pod(id);
    assert.deepEqual([pod.status, pod.runtime], ['RUNNING', null]);
    assert.ok(pod.cost > 0);
    await api.act(id, 'terminate');
    simulator.set({ drivers: 'new', runningFrom: 'container' });
  });

  it('restarts in place without a word where so set: only the uptime tells', async () => {
    const before = await running();
    simulator.set({ silentRestarts: true, timings: { ...atOnce, startMs: 50 } });
    simulator.advance(600_000);
    assert.ok(Number((await api.pod(before.id)).runtime?.['uptime']) >= 600);
    await api.act(before.id, 'restart');
    await until(async () => Number((await api.pod(before.id)).runtime?.['uptime']) < 600, 'a new container');
    const after = await api.pod(before.id);
    assert.deepEqual([after.startedAt, after.status], [before.startedAt, 'RUNNING']);
    assert.ok(!(await api.log(before.id, '?tail=5000', (frames) => frames.length > 3)).some((frame) => frame.line === 'restart container'));
    simulator.set({ silentRestarts: false });
  });

  it('restart keeps the address and moves startedAt', async () => {
    const before = await running();
    assert.equal(((await api.act(before.id, 'restart')).body as PodJson).status, 'STARTING');
    await simulator.until(before.id, 'RUNNING');
    const after = await api.pod(before.id);
    assert.equal(after.ssh.direct?.port, before.ssh.direct?.port);
    assert.ok((after.startedAt ?? '') > (before.startedAt ?? ''));
  });

  it('a stop while it boots ends the boot', async () => {
    simulator.set({ timings: { ...atOnce, pullMs: 400 } });
    const { id } = await api.create();
    await simulator.until(id, 'STARTING');
    assert.equal((await api.act(id, 'stop')).status, 200);
    await sleep(500);
    assert.equal((await api.pod(id)).status, 'EXITED');
    await api.act(id, 'start');
    await simulator.until(id, 'RUNNING');
  });

  it('an image that cannot be pulled keeps it STARTING and says why; a failed pod can be started or terminated', async () => {
    const { id } = await api.create({ image: 'runpod/does-not-exist:1' });
    await simulator.until(id, 'STARTING');
    await api.log(id, '?source=system', (frames) => frames.some((frame) => frame.line.startsWith('error pulling image')));
    simulator.fail(id, 'OCI runtime create failed');
    const failed = await api.pod(id);
    assert.deepEqual([failed.status, failed.actions, failed.runtime], ['ERROR', ['start', 'terminate'], null]);
    assert.equal((await api.act(id, 'terminate')).status, 204);
  });

  it('terminate leaves nothing, by action or by DELETE', async () => {
    const one = await running();
    const two = await api.create();
    assert.equal((await api.act(one.id, 'terminate')).status, 204);
    assert.equal((await api.call('DELETE', `/v2/pods/${two.id}`)).status, 204);
    assert.equal((await api.get(`/v2/pods/${one.id}`)).status, 404);
    assert.equal((await api.get(`/v2/pods/${one.id}/logs`)).status, 404);
    assert.deepEqual(await api.pods(), []);
  });

  it('the list is newest first', async () => {
    for (const name of ['a', 'b', 'c']) {
      await api.create({ name });
      await sleep(3);
    }
    assert.deepEqual((await api.pods()).map((pod) => pod.name), ['c', 'b', 'a']);
  });

  for (const restarts of [false, true])
    it(`a change of ports alone ${restarts ? 'restarts a running pod' : 'leaves a running pod alone'}, as told: the sources disagree`, async () => {
      simulator.set({ portsPatchRestarts: restarts });
      const before = await running();
      const patched = (await api.call('PATCH', `/v2/pods/${before.id}`, { ports: ['22/tcp', '8000/http'] })).body as PodJson;
      assert.equal(patched.status, restarts ? 'STARTING' : 'RUNNING');
      await simulator.until(before.id, 'RUNNING');
      const after = await api.pod(before.id);
      assert.deepEqual(after.ports, ['22/tcp', '8000/http']);
      assert.equal(after.startedAt !== before.startedAt, restarts);
    });

  it('a locked pod is neither stopped nor restarted', async () => {
    const { id } = await running();
    const locked = (await api.call('PATCH', `/v2/pods/${id}`, { locked: true })).body as PodJson;
    assert.deepEqual(locked.actions, ['terminate']);
    assert.equal((await api.act(id, 'stop')).status, 409);
    assert.equal((await api.act(id, 'restart')).status, 409);
    await api.call('PATCH', `/v2/pods/${id}`, { locked: false });
    assert.equal((await api.act(id, 'stop')).status, 200);
  });

  it('PATCH of env resets a running pod; of ports alone it maps them in place', async () => {
    const pod = await running({ ports: ['8888/http'] });
    const mapped = (await api.call('PATCH', `/v2/pods/${pod.id}`, { ports: ['22/tcp'] })).body as PodJson;
    assert.equal(mapped.status, 'RUNNING');
    await until(async () => (await api.pod(pod.id)).ssh.direct !== null, 'its address');
    const reset = (await api.call('PATCH', `/v2/pods/${pod.id}`, { env: { A: 'b' } })).body as PodJson;
    assert.equal(reset.status, 'STARTING');
    assert.deepEqual(reset.env, { A: 'b' });
  });

  it('startSsh injects the account keys, unless the request sets its own', async () => {
    assert.equal((await api.create()).env['PUBLIC_KEY'], simulator.accountKey.publicKey);
    assert.equal((await api.create({ env: { PUBLIC_KEY: 'ssh-ed25519 AAAA mine' } })).env['PUBLIC_KEY'], 'ssh-ed25519 AAAA mine');
    assert.equal((await api.create({ startSsh: false })).env['PUBLIC_KEY'], undefined);
    await api.call('PUT', '/v2/account/ssh-keys', { keys: [] });
    assert.equal((await api.create()).env['PUBLIC_KEY'], undefined);
    assert.ok((await api.create({ startJupyter: true })).env['JUPYTER_PASSWORD']);
  });

  it('templateId copies a template once; the body goes before it and env merges', async () => {
    const template = (await api.call('POST', '/v2/templates', {
      name: 't', image: 'runpod/base:1.0.2-ubuntu2204', disk: 33, env: { A: 'template', B: 'template' }, ports: ['22/tcp'],
      mounts: { persistent: { size: 44, path: '/data' } },
    })).body as { id: string };
    const created = await api.call('POST', '/v2/pods', { name: 'x', templateId: template.id, gpu: { id: 'NVIDIA L4', count: 1 }, env: { A: 'body' } });
    const pod = created.body as PodJson & { disk: number; mounts: unknown };
    assert.equal(pod.disk, 33);
    assert.deepEqual(pod.mounts, { persistent: { size: 44, path: '/data' } });
    assert.deepEqual([pod.env['A'], pod.env['B']], ['body', 'template']);
    assert.ok(pod.env['PUBLIC_KEY']);
    const of = (templateId: string): Promise<{ status: number }> => api.call('POST', '/v2/pods', { name: 'x', templateId, gpu: { id: 'NVIDIA L4', count: 1 } });
    assert.equal((await of('nope')).status, 404);
    assert.equal((await of('runpod-worker-vllm')).status, 422);
  });

  it('refuses what the rules refuse', async () => {
    const volume = (await api.call('POST', '/v2/network-volumes', { name: 'v', size: 10, dataCenter: 'US-KS-2' })).body as { id: string };
    const network = [{ volumeId: volume.id, path: '/workspace' }];
    const cases: [body: Record<string, unknown>, status: number, detail?: string][] = [
      [{ gpu: { id: 'NVIDIA L4' } }, 400, CAPACITY_DETAIL],
      [{ gpu: { id: 'NVIDIA Voodoo', count: 1 } }, 400, CAPACITY_DETAIL],
      [{ gpu: { id: 'NVIDIA L4', count: 9 } }, 400, CAPACITY_DETAIL],
      [{ dataCenterIds: ['US-KS-2'] }, 400, CAPACITY_DETAIL],
      [{ gpu: { id: 'NVIDIA L4', count: 1, allowedCudaVersions: ['11.1'] } }, 400, CAPACITY_DETAIL],
      [{ mounts: { network }, dataCenterIds: ['EU-RO-1'] }, 400, CAPACITY_DETAIL],
      [{ cpu: { id: 'cpu5c', vcpuCount: 4 } }, 400],
      [{ gpu: undefined }, 400],
      [{ gpu: undefined, cpu: { id: 'cpu5c', vcpuCount: 4 }, mounts: { persistent: { size: 10, path: '/a' } } }, 400],
      [{ gpu: undefined, cpu: { id: 'cpu5c', vcpuCount: 6 }, mounts: {} }, 400],
      [{ gpu: undefined, cpu: { id: 'cpu5c', vcpuCount: 64 }, mounts: {} }, 400],
      [{ mounts: { network, persistent: { size: 10, path: '/a' } } }, 400],
      [{ mounts: { network: [{ volumeId: 'none', path: '/a' }] } }, 404],
      [{ mounts: { network }, cloud: 'COMMUNITY' }, 400],
      [{ gpu: { id: 'NVIDIA L4', count: 1, allowedCudaVersions: ['12.8'], minCudaVersion: '12.4' } }, 400],
      [{ registry: 'none' }, 404],
      [{ ports: ['22'] }, 400],
      [{ mounts: { persistent: { size: 5, path: '/a' } } }, 422],
      [{ image: undefined }, 422],
    ];
    for (const [body, status, detail] of cases) {
      const answer = await api.call('POST', '/v2/pods', { name: 'x', image: 'runpod/base:1', gpu: { id: 'NVIDIA L4', count: 1 }, ...body });
      assert.equal(answer.status, status, `${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`);
      if (detail !== undefined) assert.equal((answer.body as { detail: string }).detail, detail);
    }
    assert.deepEqual(await api.pods(), []);
  });

  it('a CPU pod has a cpu, no gpu', async () => {
    const pod = (await api.create({ gpu: undefined, cpu: { id: 'cpu5c', vcpuCount: 4 }, mounts: {} })) as PodJson & { cpu: unknown };
    assert.deepEqual(pod.cpu, { id: 'cpu5c', vcpuCount: 4, memory: 8 });
    assert.equal(pod.gpu, undefined);
    assert.equal(pod.cost, 0.14);
  });

  it("a pod's own key reads and acts on its own pod and nothing else", async () => {
    const own = await running();
    const other = await api.create();
    const inPod = new ApiClient(simulator, simulator.pod(own.id).key);
    assert.equal((await inPod.get(`/v2/pods/${own.id}`)).status, 200);
    for (const [method, path, body] of [
      ['GET', '/v2/pods', undefined],
      ['GET', `/v2/pods/${other.id}`, undefined],
      ['DELETE', `/v2/pods/${other.id}`, undefined],
      ['POST', `/v2/pods/${other.id}/action`, { action: 'stop' }],
      ['PATCH', `/v2/pods/${own.id}`, { name: 'x' }],
      ['GET', '/v2/account/ssh-keys', undefined],
    ] as const)
      assert.equal((await inPod.call(method, path, body)).status, 403, `${method} ${path}`);
    assert.match((await inPod.graphql('{ myself { clientBalance } }')).errors?.[0]?.message ?? '', /Not authorized/);
    simulator.set({ podKeyMayStop: false });
    assert.equal((await inPod.act(own.id, 'stop')).status, 403);
    simulator.set({ podKeyMayStop: true });
    assert.equal((await inPod.act(own.id, 'stop')).status, 200);
    assert.equal((await inPod.act(own.id, 'terminate')).status, 204);
    assert.equal((await inPod.get(`/v2/pods/${own.id}`)).status, 401);
  });

  it('keys are missing, wrong or not enough', async () => {
    assert.equal((await new ApiClient(simulator, 'nope').get('/v2/pods')).status, 401);
    assert.equal((await api.call('GET', '/v2/pods', undefined, { Authorization: 'Basic x' })).status, 401);
    const reader = new ApiClient(simulator, simulator.newKey('read'));
    assert.equal((await reader.get('/v2/pods')).status, 200);
    assert.equal((await reader.call('POST', '/v2/pods', {})).status, 403);
  });
});

describe('time and money', () => {
  let simulator: Simulator;
  let api: ApiClient;
  beforeEach(async () => {
    simulator = await startSimulator({ mode: 'none', settings: { timings: atOnce } });
    api = new ApiClient(simulator);
  });
  afterEach(() => simulator.close());

  const account = async (): Promise<{ clientBalance: number; currentSpendPerHr: number }> =>
    (await api.graphql('{ myself { clientBalance currentSpendPerHr } }')).data?.['myself'] as { clientBalance: number; currentSpendPerHr: number };

  it('spends what the pods and their disks cost, hour by hour', async () => {
    const before = await account();
    assert.ok(before.currentSpendPerHr > 0.83 && before.currentSpendPerHr < 1, JSON.stringify(before));
    simulator.advance(2 * 3_600_000);
    const after = await account();
    assert.ok(Math.abs(before.clientBalance - after.clientBalance - 2 * before.currentSpendPerHr) < 0.001);
    const billed = (await api.get('/v2/billing?bucketSize=hour&lastN=3')).body as { metadata: { totals: { totalAmount: number } } };
    assert.ok(billed.metadata.totals.totalAmount > 1.7);
  });

  it('runs faster when told, and uptime with it', async () => {
    const before = (await api.pod('gfj8b292vyg08g')).runtime?.uptime ?? 0;
    simulator.set({ speed: 3600 });
    await sleep(100);
    assert.ok(((await api.pod('gfj8b292vyg08g')).runtime?.uptime ?? 0) - before > 300);
  });

  it('at zero, pods with a network volume stop and the others are gone', async () => {
    simulator.set({ balance: 0.5 });
    simulator.advance(3_600_000);
    await until(async () => (await api.pods()).every((pod) => pod.status === 'EXITED'), 'the end');
    assert.deepEqual((await api.pods()).map((pod) => pod.name).sort(), ['old-exp', 'prep-cpu']);
    const pods = (await api.graphql('{ myself { clientBalance pods { name lastStatusChange } } }')).data?.['myself'] as { clientBalance: number; pods: { name: string; lastStatusChange: string }[] };
    assert.equal(pods.clientBalance, 0);
    assert.match(pods.pods.find((pod) => pod.name === 'prep-cpu')?.lastStatusChange ?? '', /^Exited by Runpod: /);
    const refused = await api.call('POST', '/v2/pods', { name: 'x', image: 'runpod/base:1', gpu: { id: 'NVIDIA L4', count: 1 } });
    assert.equal(refused.status, 402);
  });

  it('wants an hour of credit for a create', async () => {
    simulator.set({ balance: 0.3 });
    const create = (gpu: string): Promise<{ status: number }> => api.call('POST', '/v2/pods', { name: 'x', image: 'runpod/base:1', gpu: { id: gpu, count: 1 } });
    assert.equal((await create('NVIDIA L4')).status, 402);
    assert.equal((await create('NVIDIA RTX 2000 Ada Generation')).status, 201);
  });

  it('has a month of bills that fit the fleet', async () => {
    const bills = (await api.get('/v2/billing/pods')).body as { records: { podId: string; gpuAmount: number; totalAmount: number; startTime: string }[]; metadata: { uniquePodCount: number; recordCount: number } };
    assert.equal(bills.metadata.recordCount, bills.records.length);
    assert.equal(bills.metadata.uniquePodCount, 4);
    const llama = bills.records.filter((record) => record.podId === 'gfj8b292vyg08g').reduce((sum, record) => sum + record.gpuAmount, 0);
    assert.ok(Math.abs(llama - 0.69 * (8 + 11 + 7 + 3.2)) < 0.01, String(llama));
    const one = (await api.get('/v2/billing/pods?podId=k3v9mzt5x1q8re&bucketSize=month')).body as typeof bills & { metadata: { query: { podId: string } } };
    assert.equal(one.metadata.query.podId, 'k3v9mzt5x1q8re');
    assert.ok(one.records.every((record) => record.podId === 'k3v9mzt5x1q8re'));
    const volumes = (await api.get('/v2/billing/network-volumes')).body as { metadata: { totals: { standardAmount: number } } };
    assert.ok(Math.abs(volumes.metadata.totals.standardAmount - (200 * 0.07 * 26 * 24) / 730) < 0.01);
  });
});
