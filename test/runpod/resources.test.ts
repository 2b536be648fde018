import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { clientFor, failure, html, json, pod, problem, RecordingLog, ScriptedServer } from './scriptedServer';

let server: ScriptedServer;
const start = async (answer: Parameters<typeof ScriptedServer.start>[0]): Promise<ReturnType<typeof clientFor>> => {
  server = await ScriptedServer.start(answer);
  return clientFor(server.restUrl);
};

describe('runpod lists: pages', () => {
  afterEach(() => server.close());

  it('are followed until the API says that none follows, short or empty as one may be', async () => {
    const pages: Record<string, [string[], string | null]> = { '': [['a', 'b'], 'c1'], c1: [[], 'c2'], c2: [['c', 'b'], null] };
    const client = await start((seen, response) => {
      const [ids, next] = pages[seen.query.get('cursor') ?? ''] ?? [[], null];
      json(response, 200, { pods: ids.map((id) => pod(id)), pagination: { nextCursor: next, hasNextPage: next !== null } });
    });
    const rows = await client.pods.list();
    assert.deepEqual(rows.map((row) => row.kind === 'pod' && row.pod.id), ['a', 'b', 'c']);
    assert.deepEqual(server.seen.map((one) => one.url), ['/v2/pods?includeClusterPods=true', '/v2/pods?includeClusterPods=true&cursor=c1', '/v2/pods?includeClusterPods=true&cursor=c2']);
  });

  it('that cannot be followed leave a row that says so', async () => {
    for (const pagination of [{ nextCursor: 'same' }, { hasNextPage: true, nextCursor: null }, { hasNextPage: true, nextCursor: 'same' }]) {
      const client = await start((_seen, response) => json(response, 200, { pods: [pod('a')], pagination }));
      const rows = await client.pods.list();
      assert.deepEqual(rows.map((row) => row.kind), ['pod', 'unreadable']);
      if (pagination.hasNextPage !== true || pagination.nextCursor === null) await server.close();
    }
  });

  it('of which one fails make the list fail, rather than a shorter list', async () => {
    const client = await start((seen, response) => (seen.query.has('cursor') ? problem(response, 422, 'cursor') : json(response, 200, { pods: [pod('a')], pagination: { hasNextPage: true, nextCursor: 'x' } })));
    assert.equal((await failure(client.pods.list())).code, 'invalid');
  });
});

describe('runpod catalog, templates, volumes, billing', () => {
  afterEach(() => server.close());

  const gpu = (more: object = {}): object => ({ id: 'NVIDIA L4', name: 'L4', pool: null, manufacturer: 'NVIDIA', memory: 24, secure: true, community: false, price: { secure: 0.43, community: 0 }, maxCount: { secure: 8, community: 0 }, ...more });

  it('reads GPU types without the sentinel for unknown ones, and no price for 0', async () => {
    const client = await start((_seen, response) => json(response, 200, { gpus: [gpu(), { ...gpu(), id: 'unknown' }, 5, { id: 'NVIDIA X', price: { secure: 'cheap' } }] }));
    const gpus = await client.catalog.gpus();
    assert.equal(server.seen[0]?.url, '/v2/catalog/gpus');
    assert.deepEqual(gpus[0], { id: 'NVIDIA L4', name: 'L4', manufacturer: 'NVIDIA', memoryGb: 24, secure: true, community: false, price: { secure: 0.43 }, maxCount: { secure: 8, community: 0 } });
    assert.deepEqual(gpus.map((one) => one.id), ['NVIDIA L4', 'NVIDIA X']);
    assert.equal(gpus[1]?.price.secure, undefined);
  });

  it('asks for stock with the product that the API demands, lists comma-joined', async () => {
    const client = await start((_seen, response) => json(response, 200, { gpus: [gpu({ availability: 'LOW', dataCenters: [{ id: 'EU-RO-1', name: 'Romania', availability: 'LOW' }], cudaVersions: [{ version: '12.8', available: true }] }), gpu({ id: 'NVIDIA H200', availability: 'NONE' })] }));
    const [l4, h200] = await client.catalog.gpus({ availability: { cloud: 'SECURE', count: 2, countryCodes: ['FR', 'DE'] } });
    assert.deepEqual(Object.fromEntries(server.seen[0]?.query ?? []), { include: 'AVAILABILITY', product: 'POD', cloud: 'SECURE', count: '2', countryCodes: 'FR,DE' });
    assert.deepEqual(l4?.dataCenters, [{ id: 'EU-RO-1', name: 'Romania', availability: 'LOW' }]);
    assert.deepEqual(l4?.cudaVersions, [{ version: '12.8', available: true }]);
    assert.deepEqual(h200?.dataCenters, [], 'no list means nowhere');
  });

  it('reads CPU flavors, data centers and templates', async () => {
    const client = await start((seen, response) => {
      if (seen.path.endsWith('/cpus')) return json(response, 200, { cpus: [{ id: 'cpu5c', name: 'Compute-Optimized', group: 'Gen 5', vcpu: { min: 2, max: 32 }, ramGbPerVcpu: 2, price: { securePerVcpu: 0.04, serverlessPerVcpu: 0.03 }, availability: 'HIGH' }] });
      if (seen.path.endsWith('/datacenters')) return json(response, 200, { dataCenters: [{ id: 'EU-RO-1', name: 'Romania', region: 'EUROPE', globalNetwork: true, networkVolumeTypes: ['STANDARD', 'QUANTUM'], compliance: ['GDPR'], gpuAvailability: [{ id: 'NVIDIA L4', name: 'L4', availability: 'HIGH' }] }] });
      return json(response, 200, { templates: [{ id: 't1', name: 'PyTorch', image: 'i', args: '', disk: 20, mounts: { persistent: { size: 20, path: '/workspace' } }, ports: ['22/tcp'], env: {}, registry: null, serverless: false, public: true, category: 'NVIDIA', allowedCudaVersions: [] }] });
    });
    const [cpu] = await client.catalog.cpus({ availability: { vcpuCount: 4 } });
    assert.deepEqual(cpu, { id: 'cpu5c', name: 'Compute-Optimized', group: 'Gen 5', vcpu: { min: 2, max: 32 }, ramGbPerVcpu: 2, pricePerVcpu: 0.04, availability: 'HIGH', dataCenters: [] });
    const [center] = await client.catalog.dataCenters({ availability: true, regions: ['EUROPE', 'ASIA'] });
    assert.equal(server.seen[1]?.url, '/v2/catalog/datacenters?regions=EUROPE,ASIA&include=GPU_AVAILABILITY,CPU_AVAILABILITY');
    assert.deepEqual(center?.networkVolumeTypes, ['STANDARD']);
    assert.deepEqual(center?.gpuAvailability, [{ id: 'NVIDIA L4', name: 'L4', availability: 'HIGH' }]);
    const [template] = await client.catalog.templates('verified');
    assert.equal(server.seen[2]?.query.get('source'), 'verified');
    assert.equal(template?.startSsh, true, 'templates start SSH unless they say otherwise');
    assert.deepEqual(template?.mount, { kind: 'persistent', sizeGb: 20, path: '/workspace' });
    assert.equal((await client.templates.list())[0]?.id, 't1');
  });

  it('makes, grows, renames and deletes network volumes', async () => {
    const client = await start((seen, response) => {
      if (seen.method === 'DELETE') return void response.writeHead(204).end();
      const volume = { id: 'v1', name: 'data', size: 50, dataCenter: 'EU-RO-1', type: 'STANDARD', ...(seen.body as object | undefined) };
      return json(response, seen.method === 'POST' ? 201 : 200, seen.method === 'GET' && seen.path.endsWith('volumes') ? { networkVolumes: [volume, { id: 'v2' }, {}] } : volume);
    });
    const { networkVolumes } = client;
    assert.deepEqual(await networkVolumes.create({ name: 'data', size: 50, dataCenter: 'EU-RO-1' }), { id: 'v1', name: 'data', sizeGb: 50, dataCenterId: 'EU-RO-1', type: 'STANDARD' });
    assert.equal((await networkVolumes.grow('v1', 80)).sizeGb, 80);
    assert.equal((await networkVolumes.rename('v1', 'more data')).name, 'more data');
    await networkVolumes.delete('v1');
    assert.equal((await networkVolumes.get('v1')).id, 'v1');
    assert.deepEqual(await networkVolumes.list(), [{ id: 'v1', name: 'data', sizeGb: 50, dataCenterId: 'EU-RO-1', type: 'STANDARD' }, { id: 'v2', name: 'v2' }]);
    assert.deepEqual(server.seen.slice(1, 3).map((one) => one.body), [{ size: 80 }, { name: 'more data' }]);
  });

  it('reads what pods have cost, and never makes a 0 of what it cannot read', async () => {
    const client = await start((_seen, response) => json(response, 200, { records: [{ startTime: '2026-06-01T00:00:00Z', endTime: '2026-06-02T00:00:00Z', podId: 'p1', totalAmount: 12.34, gpuAmount: 12, cpuAmount: 0, diskAmount: 0.34 }, { startTime: '2026-06-02T00:00:00Z', endTime: '2026-06-03T00:00:00Z', podId: 'p1', totalAmount: 'much' }], metadata: {} }));
    const records = await client.billing.pods({ podId: 'p1', bucketSize: 'hour', startTime: new Date('2026-06-01T00:00:00Z') });
    assert.deepEqual(Object.fromEntries(server.seen[0]?.query ?? []), { podId: 'p1', bucketSize: 'hour', startTime: '2026-06-01T00:00:00.000Z' });
    assert.deepEqual(records[0], { podId: 'p1', start: new Date('2026-06-01T00:00:00Z'), end: new Date('2026-06-02T00:00:00Z'), total: 12.34, gpu: 12, cpu: 0, disk: 0.34 });
    assert.equal(records[1]?.total, undefined);
  });
});

describe('runpod account keys: one more, and no other lost', () => {
  afterEach(() => server.close());
  const mine = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAImine runpod-workspaces';
  const other = 'ssh-rsa AAAAB3NzaC1yc2EAAAADother someone';
  const third = 'ecdsa-sha2-nistp256 AAAAE2third';

  const keep = (initial: string[], afterPut: (keys: string[], puts: number) => string[] = (keys) => keys): Parameters<typeof ScriptedServer.start>[0] => {
    let keys = initial;
    let puts = 0;
    return (seen, response: ServerResponse) => {
      if (seen.method === 'PUT') keys = afterPut((seen.body as { keys: string[] }).keys, ++puts);
      json(response, 200, { keys });
    };
  };

  it('reads, appends and writes back', async () => {
    const { sshKeys } = await start(keep([other]));
    assert.equal(await sshKeys.add(`${mine}\n`), true);
    assert.deepEqual(await sshKeys.read(), [other, mine]);
  });

  it('writes nothing when the key is there, under whatever comment', async () => {
    const { sshKeys } = await start(keep([other, mine.replace('runpod-workspaces', 'laptop')]));
    assert.equal(await sshKeys.add(mine), false);
    assert.equal(server.count('PUT'), 0);
  });

  it('writes once more when another writer came in between, with that one\'s key kept', async () => {
    const { sshKeys } = await start(keep([other], (keys, puts) => (puts === 1 ? [other, third] : keys)));
    assert.equal(await sshKeys.add(mine), true);
    assert.deepEqual(await sshKeys.read(), [other, third, mine]);
    assert.equal(server.count('PUT'), 2);
  });

  it('gives up when it is overwritten again', async () => {
    const { sshKeys } = await start(keep([other], () => [other]));
    assert.equal((await failure(sshKeys.add(mine))).code, 'conflict');
    assert.equal(server.count('PUT'), 2);
  });

  it('looks whether a write without an answer happened', async () => {
    const stored = keep([other]);
    const { sshKeys } = await start((seen, response, index) => {
      if (seen.method !== 'PUT') return stored(seen, response, index);
      (stored as (...all: unknown[]) => void)(seen, { writeHead: () => undefined, end: () => undefined }, index);
      return void response.destroy();
    });
    assert.equal(await sshKeys.add(mine), true);
    assert.equal(server.count('PUT'), 1);
  });

  it('adds two at the same time one after the other', async () => {
    const { sshKeys } = await start(keep([other]));
    await Promise.all([sshKeys.add(mine), sshKeys.add(third)]);
    assert.deepEqual(await sshKeys.read(), [other, mine, third]);
  });

  it('writes nothing over keys that it cannot read, and nothing that is no key', async () => {
    const { sshKeys } = await start((_seen, response) => json(response, 200, { keys: [other, { key: 'new form' }] }));
    assert.equal((await failure(sshKeys.add(mine))).code, 'unreadable');
    assert.equal((await failure(sshKeys.add('-----BEGIN OPENSSH PRIVATE KEY-----'))).code, 'invalid');
    assert.equal((await failure(sshKeys.add(`${mine}\n${other}`))).code, 'invalid');
    assert.equal(server.count('PUT'), 0);
    assert.ok(server.seen.every((one) => one.method === 'GET'));
  });
});

describe('runpod account: balance and burn, optional in every way', () => {
  afterEach(() => server.close());

  it('asks GraphQL for both and nothing else', async () => {
    const client = await start((_seen, response) => json(response, 200, { data: { myself: { clientBalance: 12.5, currentSpendPerHr: 0.44 } } }));
    assert.deepEqual(await client.account(), { balance: 12.5, spendPerHour: 0.44 });
    assert.equal(client.accountProblem, undefined);
    assert.equal(server.seen[0]?.url, '/graphql', 'no key in the address');
    assert.deepEqual(server.seen[0]?.body, { query: 'query { myself { clientBalance currentSpendPerHr } }' });
    assert.match(server.seen[0]?.headers.authorization ?? '', /^Bearer /);
  });

  it('gives the one of the two that can be read, also below zero', async () => {
    const client = await start((_seen, response) => json(response, 200, { data: { myself: { clientBalance: -0.02, currentSpendPerHr: null } } }));
    assert.deepEqual(await client.account(), { balance: -0.02 });
  });

  const failures: [string, (response: ServerResponse) => void, string][] = [
    ['an error with status 200', (r) => json(r, 200, { errors: [{ message: 'Unauthorized request, please check your API key.' }], data: { myself: null } }), 'forbidden'],
    ['another error with status 200', (r) => json(r, 200, { errors: [{ message: 'Something went wrong' }] }), 'unreadable'],
    ['nothing', (r) => json(r, 200, {}), 'unreadable'],
    ['a number where an object should be', (r) => json(r, 200, 5), 'unreadable'],
    ['a page', (r) => html(r, 200, '<html>'), 'not-json'],
    ['403', (r) => problem(r, 403, 'access denied'), 'forbidden'],
    ['a 500 page', (r) => html(r, 500, '<html>oops'), 'server'],
    ['a 429 page', (r) => html(r, 429, '<html>slow down'), 'rate-limited'],
    ['a cut', (r) => void r.destroy(), 'network'],
  ];
  for (const [name, respond, code] of failures) {
    it(`is unknown after ${name}, with the reason and no exception`, async () => {
      const client = await start((_seen, response) => respond(response));
      assert.equal(await client.account(), undefined);
      assert.equal(client.accountProblem?.code, code);
      assert.equal(client.accountProblem?.maybeDone, false);
    });
  }

  it('is not asked for again once it has been retired', async () => {
    const client = await start((_seen, response) => problem(response, 410, 'retired'));
    assert.equal(await client.account(), undefined);
    assert.equal(await client.account(), undefined);
    assert.equal(server.seen.length, 1);
    assert.equal(client.accountProblem?.code, 'gone');
  });

  it('says in the log once why it is missing, not at every poll, and comes back', async () => {
    const log = new RecordingLog();
    server = await ScriptedServer.start((_seen, response) => problem(response, 403, 'access denied'));
    const client = clientFor(server.restUrl, { log });
    await client.account();
    await client.account();
    assert.equal(log.lines.filter((line) => line.startsWith('The balance cannot be read')).length, 1);
    server.answer = (_seen, response): void => json(response, 200, { data: { myself: { clientBalance: 1, currentSpendPerHr: 0 } } });
    assert.deepEqual(await client.account(), { balance: 1, spendPerHour: 0 });
    assert.equal(client.accountProblem, undefined);
  });

  it('does not use up the quota of the pods\' API', async () => {
    const client = await start((_seen, response) => json(response, 200, { data: { myself: { clientBalance: 1 } } }, { ratelimit: '"minute";r=0;t=50' }));
    await client.account();
    assert.deepEqual(client.rateLimit, []);
  });
});
