import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient, atOnce, gpuPod } from './apiClient';
import { Contract } from './contract';
import type { ContractVersion } from './settings';
import { startSimulator, type Simulator } from './simulator';

for (const contract of ['2026-08', '2026-10'] as const satisfies ContractVersion[])
  describe(`every route answers to the letter of the contract of ${contract}`, () => {
    let simulator: Simulator;
    let api: ApiClient;
    before(async () => {
      simulator = await startSimulator({ mode: 'none', settings: { contract, timings: atOnce } });
      api = new ApiClient(simulator);
    });
    after(() => simulator.close());
    afterEach(() => assert.deepEqual(simulator.violations, []));

    const reads: [path: string, status: number][] = [
      ['/v2/account/ssh-keys', 200],
      ['/v2/pods?includeClusterPods=true&unknown=1', 200],
      ['/v2/pods/gfj8b292vyg08g', 200],
      ['/v2/pods/nowhere', 404],
      ['/v2/pods/nowhere/logs', 404],
      ['/v2/pods/gfj8b292vyg08g/logs?tail=5001', 422],
      ['/v2/pods/gfj8b292vyg08g/logs?source=kernel', 422],
      ['/v2/catalog/gpus', 200],
      ['/v2/catalog/gpus?include=AVAILABILITY&product=POD,CLUSTER&count=2&cloud=SECURE&countryCodes=US,RO&minCudaVersion=12', 200],
      ['/v2/catalog/gpus?include=AVAILABILITY', 400],
      ['/v2/catalog/gpus?product=POD', 400],
      ['/v2/catalog/gpus?count=2', 400],
      ['/v2/catalog/gpus?include=AVAILABILITY&product=MOON', 422],
      ['/v2/catalog/gpus?include=AVAILABILITY&product=POD&cudaVersions=12.8&minCudaVersion=12.4', 400],
      ['/v2/catalog/gpus?include=AVAILABILITY&product=POD&cloud=COMMUNITY', 200],
      ['/v2/catalog/gpus/NVIDIA%20GeForce%20RTX%204090?include=AVAILABILITY&product=POD', 200],
      ['/v2/catalog/gpus/unknown', 404],
      ['/v2/catalog/cpus?include=AVAILABILITY&product=POD&vcpuCount=4', 200],
      ['/v2/catalog/cpus?include=AVAILABILITY&product=POD&vcpuCount=6', 400],
      ['/v2/catalog/cpus/cpu5c', 200],
      ['/v2/catalog/cpus/cpu9z', 404],
      ['/v2/catalog/datacenters?include=GPU_AVAILABILITY,CPU_AVAILABILITY&regions=EUROPE,ASIA', 200],
      ['/v2/catalog/datacenters?networkVolumeTypes=STANDARD,HIGH_PERFORMANCE&compliance=SOC_2_TYPE_2&globalNetwork=true', 200],
      ['/v2/catalog/datacenters/US-KS-2?include=GPU_AVAILABILITY', 200],
      ['/v2/catalog/datacenters/XX-1', 404],
      ['/v2/catalog/templates', 200],
      ['/v2/catalog/templates?source=verified', 200],
      ['/v2/catalog/templates?source=mine', 422],
      ['/v2/templates', 200],
      ['/v2/templates/runpod-torch-v280', 200],
      ['/v2/templates/none', 404],
      ['/v2/network-volumes', 200],
      ['/v2/network-volumes/agv6w2qcg7', 200],
      ['/v2/network-volumes/none', 404],
      ['/v2/registries', 200],
      ['/v2/registries/none', 404],
      ['/v2/registries/delegations', 200],
      ['/v2/billing', 200],
      ['/v2/billing?lastN=3&bucketSize=week', 200],
      ['/v2/billing?lastN=3&startTime=2026-01-01T00:00:00Z', 400],
      ['/v2/billing/pods?podId=gfj8b292vyg08g&bucketSize=hour', 200],
      ['/v2/billing/pods?bucketSize=decade', 422],
      ['/v2/billing/network-volumes', 200],
      ['/v2/billing/serverless', 200],
      ['/v2/billing/endpoints', 200],
      ['/v2/billing/clusters', 200],
      ['/v2/clusters', 200],
      ['/v2/clusters/none', 404],
      ['/v2/clusters/none/pods', 404],
      ['/v2/serverless', 200],
      ['/v2/serverless/none', 404],
      ['/v2/tags', 404],
      ['/v2/networkvolumes', 404],
      ['/v1/pods', 410],
    ];
    for (const [path, status] of reads)
      it(`GET ${path} → ${status}`, async () => {
        const answer = await api.get(path);
        assert.equal(answer.status, status, JSON.stringify(answer.body));
        assert.equal(answer.headers.get('content-type')?.split(';')[0], status < 400 ? 'application/json' : 'application/problem+json');
        assert.ok(answer.headers.get('x-request-id'));
      });

    it('walks a pod through all of its routes', async () => {
      const pod = await api.create();
      await simulator.until(pod.id, 'RUNNING');
      const steps: [method: string, path: string, body: unknown, status: number][] = [
        ['PATCH', `/v2/pods/${pod.id}`, { name: 'renamed', env: { A: '1' } }, 200],
        ['PATCH', `/v2/pods/${pod.id}`, { size: 3 }, 422],
        ['PATCH', `/v2/pods/${pod.id}`, { mounts: { network: [] } }, 400],
        ['PATCH', `/v2/pods/${pod.id}`, { mounts: { persistent: { size: 10, path: '/workspace' } } }, 400],
        ['PATCH', `/v2/pods/${pod.id}`, { mounts: { persistent: { size: 30 } } }, 422],
        ['POST', `/v2/pods/${pod.id}/action`, { action: 'reset' }, 422],
        ['POST', `/v2/pods/${pod.id}/action`, { action: 'start' }, 409],
        ['POST', `/v2/pods/${pod.id}/action`, { action: 'stop' }, 200],
        ['POST', `/v2/pods/${pod.id}/action`, { action: 'stop' }, 409],
        ['POST', `/v2/pods/${pod.id}/action`, { action: 'terminate' }, 204],
        ['DELETE', `/v2/pods/${pod.id}`, undefined, 404],
        ['PUT', `/v2/pods/${pod.id}`, {}, 405],
      ];
      for (const [method, path, body, status] of steps) {
        const answer = await api.call(method, path, body);
        assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
        if (status === 204) assert.equal(answer.body, undefined);
        if (status === 405) assert.equal(answer.headers.get('allow'), 'GET, PATCH, DELETE');
      }
    });

    it('makes, changes and deletes what is no pod', async () => {
      const volume = (await api.call('POST', '/v2/network-volumes', { name: 'v', size: 10, dataCenter: 'EU-RO-1' })).body as { id: string };
      const template = (await api.call('POST', '/v2/templates', { name: 't', image: 'runpod/base:1.0.2-ubuntu2204' })).body as { id: string; startSsh: boolean };
      const registry = (await api.call('POST', '/v2/registries', { name: 'r', username: 'u', password: 'p' })).body as { id: string };
      assert.equal(template.startSsh, true);
      const steps: [method: string, path: string, body: unknown, status: number][] = [
        ['PATCH', `/v2/network-volumes/${volume.id}`, { size: 20 }, 200],
        ['PATCH', `/v2/network-volumes/${volume.id}`, { size: 10 }, 400],
        ['PATCH', `/v2/network-volumes/${volume.id}`, {}, 422],
        ['POST', '/v2/network-volumes', { name: 'v', size: 9, dataCenter: 'EU-RO-1' }, 422],
        ['POST', '/v2/network-volumes', { name: 'v', size: 10, dataCenter: 'EU-SE-1' }, 400],
        ['DELETE', `/v2/network-volumes/${volume.id}`, undefined, 204],
        ['DELETE', '/v2/network-volumes/agv6w2qcg7', undefined, 400],
        ['PATCH', `/v2/templates/${template.id}`, { disk: 30 }, 200],
        ['PATCH', '/v2/templates/runpod-torch-v280', { disk: 30 }, 404],
        ['GET', `/v2/templates/${template.id}`, undefined, 200],
        ['DELETE', `/v2/templates/${template.id}`, undefined, 204],
        ['GET', `/v2/registries/${registry.id}`, undefined, 200],
        ['DELETE', `/v2/registries/${registry.id}`, undefined, 204],
        ['PUT', '/v2/account/ssh-keys', { keys: ['ssh-ed25519 AAAA me'] }, 200],
        ['PUT', '/v2/account/ssh-keys', { keys: ['not a key'] }, 422],
      ];
      for (const [method, path, body, status] of steps) {
        const answer = await api.call(method, path, body);
        assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
      }
    });

    it('refuses at every operation: no key, a foreign key, too little permission, too many requests', async () => {
      const { operations } = new Contract(contract);
      const reader = simulator.newKey('read');
      const podKey = simulator.pod('gfj8b292vyg08g').key;
      const path = (template: string): string => template.replace(/\{\w+\}/g, 'nowhere');
      for (const { method, template } of operations) {
        const call = (key: string): Promise<number> => new ApiClient(simulator, key).call(method, path(template)).then(({ status }) => status);
        const where = `${method} ${template}`;
        assert.equal(await call('rpa_NOBODYS'), 401, where);
        assert.equal(await call(podKey), 403, where);
        if (method !== 'GET') assert.equal(await call(reader), 403, where);
        if (template.includes('{') && method !== 'PATCH' && method !== 'POST') assert.equal(await call(simulator.apiKey), 404, where);
      }
      simulator.set({ quotas: { minute: 0 } });
      try {
        for (const { method, template } of operations) {
          const answer = await api.call(method, path(template));
          assert.equal(answer.status, 429, `${method} ${template}`);
          assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
        }
      } finally {
        simulator.set({ quotas: { minute: 600 } });
      }
    });

    // Last of these: it looks back at what they have done.
    it('has answered every operation of the contract with its success, or can only refuse it', async () => {
      const container = { name: 'c', image: 'runpod/base:1.0.2-ubuntu2204' };
      assert.equal((await api.call('POST', '/v2/clusters', { ...container, type: 'TRAINING', compute: { gpuTypeId: 'NVIDIA L4', gpuCountPerPod: 1, podCount: 2 } })).status, 400);
      assert.equal((await api.call('POST', '/v2/serverless', { ...container, type: 'QUEUE', gpu: { pools: ['ADA_24'], count: 1 }, workers: { min: 0, max: 5, idleTimeout: 5 }, scaling: { type: 'QUEUE_DELAY', queueDelay: 4 } })).status, 400);
      assert.equal((await api.call('PATCH', '/v2/clusters/none', { name: 'x' })).status, 404);
      assert.equal((await api.call('PATCH', '/v2/serverless/none', { name: 'x' })).status, 404);
      assert.equal((await api.get('/v2/serverless/none/workers')).status, 404);
      await api.log('gfj8b292vyg08g', '?tail=1', (frames) => frames.length > 0);
      assert.equal((await api.call('DELETE', `/v2/pods/${(await api.create()).id}`)).status, 204);
      if (contract === '2026-10') {
        const { id } = (await api.call('POST', '/v2/account/secrets', { name: 'hf', value: 'v', description: '' })).body as { id: string };
        for (const [method, body] of [['GET'], ['PATCH', { value: 'w' }], ['DELETE']] as const) await api.call(method, `/v2/account/secrets/${id}`, body);
        await api.get('/v2/account/secrets');
      }
      const { operations } = new Contract(contract);
      const succeeded = (method: string, template: string): boolean => [200, 201, 204].some((status) => simulator.answered.has(`${method} ${template} ${status}`));
      const never = operations.filter(({ method, template }) => !succeeded(method, template)).map(({ method, template }) => `${method} ${template}`);
      const refusedOnly = never.filter((operation) => !/^\w+ \/v2\/(clusters|serverless|registries\/delegations)\b/.test(operation));
      assert.deepEqual(refusedOnly, []);
      for (const { method, template } of operations) assert.ok(!simulator.answered.has(`${method} ${template} 405`), `${method} ${template} is no operation here`);
    });

    it('names what is wrong with a body', async () => {
      const answer = await api.call('POST', '/v2/pods', { ...gpuPod, gpu: { id: 'NVIDIA L4', count: 0, type: 'x' }, bogus: 1 });
      assert.equal(answer.status, 422);
      const { errors } = answer.body as { errors: string[] };
      assert.ok(errors.includes("$: additional properties 'bogus' not allowed"), errors.join('; '));
      assert.ok(errors.some((error) => error.startsWith('$.gpu.count')));
      assert.equal((await api.call('POST', '/v2/pods', '{')).status, 400);
      assert.equal((await api.call('POST', '/v2/pods')).status, 400);
    });
  });

describe('what came after the saved contract', () => {
  const start = async (contract: ContractVersion): Promise<{ simulator: Simulator; api: ApiClient }> => {
    const simulator = await startSimulator({ mode: 'none', settings: { contract, timings: atOnce } });
    return { simulator, api: new ApiClient(simulator) };
  };

  it('is not there before it is switched on', async () => {
    const { simulator, api } = await start('2026-08');
    try {
      assert.deepEqual(Object.keys((await api.get('/v2/pods?limit=1')).body as object), ['pods']);
      assert.equal((await api.pods()).length, 3);
      assert.equal((await api.get('/v2/account/secrets')).status, 404);
      assert.equal((await api.call('POST', '/v2/pods', { ...gpuPod, cmd: ['sleep', '1'] })).status, 422);
      assert.equal((await api.call('POST', '/v2/pods', { ...gpuPod, args: 'x'.repeat(110_000) })).status, 201);
      assert.equal((await api.pod('gfj8b292vyg08g')).gpu?.vcpuCount, undefined);
    } finally {
      await simulator.close();
    }
  });

  it('comes in pages, takes exec-form commands, keeps secrets and refuses large bodies', async () => {
    const { simulator, api } = await start('2026-10');
    try {
      const first = (await api.get('/v2/pods?limit=2')).body as { pods: { id: string }[]; pagination: { nextCursor: string; hasNextPage: boolean } };
      assert.equal(first.pods.length, 2);
      assert.equal(first.pagination.hasNextPage, true);
      const second = (await api.get(`/v2/pods?limit=2&cursor=${first.pagination.nextCursor}`)).body as typeof first;
      assert.deepEqual(second.pagination, { nextCursor: null, hasNextPage: false });
      assert.equal(new Set([...first.pods, ...second.pods].map((pod) => pod.id)).size, 3);
      assert.equal((await api.get(`/v2/pods?limit=1&cursor=${first.pagination.nextCursor}`)).status, 422);
      assert.equal((await api.get(`/v2/templates?limit=2&cursor=${first.pagination.nextCursor}`)).status, 422);
      assert.equal((await api.get('/v2/pods?limit=0')).status, 422);

      const pod = await api.create({ cmd: ['bash', '-c', 'echo hi'], entrypoint: ['/usr/bin/env'] });
      assert.deepEqual(JSON.parse(pod.args), { entrypoint: ['/usr/bin/env'], cmd: ['bash', '-c', 'echo hi'] });
      assert.equal(pod.gpu?.vcpuCount, 12);
      assert.equal((await api.call('POST', '/v2/pods', { ...gpuPod, args: 'other', cmd: ['sleep'] })).status, 400);
      assert.equal((await api.call('POST', '/v2/pods', { ...gpuPod, gpu: { id: 'NVIDIA L4', count: 1, minRamPerGpu: 4000 } })).status, 400);
      assert.equal((await api.call('POST', '/v2/pods', { ...gpuPod, args: 'x'.repeat(110_000) })).status, 413);

      const secret = (await api.call('POST', '/v2/account/secrets', { name: 'hf', value: 'v', description: '' })).body as { id: string; value?: string };
      assert.equal(secret.value, undefined);
      assert.equal((await api.call('POST', '/v2/account/secrets', { name: 'hf', value: 'v' })).status, 409);
      assert.equal((await api.call('POST', '/v2/account/secrets', { name: 'RunPod_x', value: 'v' })).status, 422);
      assert.equal((await api.get('/v2/account/secrets?name=hf')).status, 200);
      assert.equal((await api.call('PATCH', `/v2/account/secrets/${secret.id}`, { value: 'w' })).status, 200);
      assert.equal((await api.call('DELETE', `/v2/account/secrets/${secret.id}`)).status, 204);
      assert.deepEqual(simulator.violations, []);
    } finally {
      await simulator.close();
    }
  });
});

describe('the contract as a judge', () => {
  const contract = new Contract('2026-08');

  it('finds the examples of the document itself to the letter', () => {
    interface Media {
      readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
    }
    interface Operation {
      readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
      readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
    }
    const { paths } = JSON.parse(readFileSync(join(__dirname, 'openapi-v2.json'), 'utf8')) as { paths: Record<string, Record<string, Operation>> };
    let seen = 0;
    for (const { method, template } of contract.operations) {
      const operation = paths[template]?.[method.toLowerCase()];
      for (const { value } of Object.values(operation?.requestBody?.content['application/json']?.examples ?? {})) {
        contract.checkBody(method, template, value);
        seen++;
      }
      for (const [status, { content = {} }] of Object.entries(operation?.responses ?? {}))
        for (const [type, { examples = {} }] of Object.entries(content))
          for (const { value } of Object.values(examples)) {
            // Some of its addresses hold a `{job_id}` and so are none.
            const wrong = contract.judgeAnswer(method, template, Number(status), type, value).filter((violation) => !violation.includes('.requestUrls'));
            assert.deepEqual(wrong, [], `${method} ${template} ${status}`);
            seen++;
          }
    }
    assert.ok(seen > 40, String(seen));
  });

  it('finds a header missing', () => {
    const limits = { RateLimit: '"minute";r=1;t=2, "hour";r=3;t=4, "day";r=5;t=6', 'RateLimit-Policy': '"minute";q=60;w=60, "hour";q=3000;w=3600, "day";q=50000;w=86400' };
    assert.deepEqual(contract.judgeHeaders('GET', '/v2/pods', 200, limits), []);
    assert.deepEqual(contract.judgeHeaders('GET', '/v2/pods', 200, { ...limits, RateLimit: '1' }), ['header RateLimit reads 1']);
    assert.deepEqual(contract.judgeHeaders('GET', '/v2/pods', 429, limits), ['header Retry-After is missing']);
    assert.equal(contract.judgeHeaders('GET', '/v2/pods/{id}/logs', 200, limits).length, 3);
  });
  it('finds what an answer lacks', () => {
    assert.deepEqual(contract.judgeAnswer('GET', '/v2/account/ssh-keys', 200, 'application/json', { keys: ['k'] }), []);
    assert.notDeepEqual(contract.judgeAnswer('GET', '/v2/account/ssh-keys', 200, 'application/json', {}), []);
    assert.notDeepEqual(contract.judgeAnswer('GET', '/v2/account/ssh-keys', 200, 'text/html', 'x'), []);
    assert.notDeepEqual(contract.judgeAnswer('GET', '/v2/account/ssh-keys', 202, 'application/json', { keys: [] }), []);
    assert.notDeepEqual(contract.judgeAnswer('DELETE', '/v2/pods/{id}', 204, 'application/json', {}), []);
  });
});
