import assert from 'node:assert/strict';
import { request } from 'node:http';
import { ApiClient, atOnce } from './apiClient';
import { CAPACITY_DETAIL } from './problem';
import { startSimulator, type Simulator } from './simulator';

describe('faults on demand', () => {
  let simulator: Simulator;
  let api: ApiClient;
  beforeEach(async () => {
    simulator = await startSimulator({ mode: 'none', settings: { timings: atOnce } });
    api = new ApiClient(simulator);
  });
  afterEach(() => simulator.close());

  const detail = (answer: { body: unknown }): string => (answer.body as { detail: string }).detail;
  const create = (): ReturnType<ApiClient['call']> =>
    api.call('POST', '/v2/pods', { name: 'new', image: 'runpod/base:1', gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 } });

  it('5xx before a pod is made, and after it really was', async () => {
    simulator.fault({ method: 'POST', path: '/v2/pods', effect: { kind: 'status', status: 503 } });
    assert.equal((await create()).status, 503);
    assert.equal((await api.pods()).length, 3);
    simulator.fault({ method: 'POST', path: '/v2/pods', when: 'after', effect: { kind: 'status', status: 504 } });
    assert.equal((await create()).status, 504);
    assert.deepEqual((await api.pods()).map((pod) => pod.name)[0], 'new');
    assert.equal((await create()).status, 201);
  });

  it('429 for the next requests, with Retry-After', async () => {
    simulator.fault({ path: '/v2/pods/*', times: 2, effect: { kind: 'status', status: 429, retryAfter: 3 } });
    for (let i = 0; i < 2; i++) {
      const answer = await api.get('/v2/pods/gfj8b292vyg08g');
      assert.equal(answer.status, 429);
      assert.equal(answer.headers.get('retry-after'), '3');
    }
    assert.equal((await api.get('/v2/pods/gfj8b292vyg08g')).status, 200);
  });

  it('answers that never come, come late, come cut, come as HTML or in half', async () => {
    simulator.fault({ path: '/v2/pods', effect: { kind: 'hang' } });
    const hung = new AbortController();
    const waiting = fetch(`${simulator.restUrl}/pods`, { headers: { Authorization: `Bearer ${api.key}` }, signal: hung.signal });
    assert.equal(await Promise.race([waiting.then(() => 'answered'), new Promise((resolve) => setTimeout(() => resolve('nothing'), 150))]), 'nothing');
    hung.abort();
    await assert.rejects(waiting);
    simulator.fault({ path: '/v2/pods', effect: { kind: 'reset' } });
    await assert.rejects(api.get('/v2/pods'));
    simulator.fault({ path: '/v2/pods', effect: { kind: 'html' } });
    const html = await api.get('/v2/pods');
    assert.deepEqual([html.status, html.headers.get('content-type')], [502, 'text/html']);
    simulator.fault({ path: '/v2/pods', effect: { kind: 'truncated' } });
    await assert.rejects(api.get('/v2/pods'), SyntaxError);
    simulator.fault({ path: '/v2/pods', effect: { kind: 'delay', ms: 120 } });
    const begun = Date.now();
    assert.equal((await api.get('/v2/pods')).status, 200);
    assert.ok(Date.now() - begun >= 115);
  });

  it('stays until it is taken back when told to', async () => {
    const id = simulator.fault({ path: '**', times: 0, effect: { kind: 'status', status: 500 } });
    for (let i = 0; i < 3; i++) assert.equal((await api.get('/v2/catalog/gpus')).status, 500);
    simulator.clearFaults(id);
    assert.equal((await api.get('/v2/catalog/gpus')).status, 200);
  });

  it('no capacity per GPU and data center, told by the catalog or not', async () => {
    const level = async (): Promise<string> =>
      ((await api.get('/v2/catalog/gpus/NVIDIA%20GeForce%20RTX%204090?include=AVAILABILITY&product=POD')).body as { availability: string }).availability;
    simulator.set({ shortages: [{ gpu: 'NVIDIA GeForce RTX 4090' }] });
    assert.equal(detail(await create()), CAPACITY_DETAIL);
    assert.equal(await level(), 'NONE');
    simulator.set({ shortages: [{ gpu: 'NVIDIA GeForce RTX 4090', catalogUnaware: true }] });
    assert.equal(detail(await create()), CAPACITY_DETAIL);
    assert.equal(await level(), 'HIGH');
    simulator.set({ shortages: [{ dataCenter: 'US-KS-2' }] });
    const elsewhere = await create();
    assert.equal(elsewhere.status, 201);
    await simulator.until((elsewhere.body as { id: string }).id, 'RUNNING');
    assert.equal((await api.pod((elsewhere.body as { id: string }).id)).dataCenterId, 'EU-RO-1');
  });

  it('a start without GPU, or refused', async () => {
    await simulator.until('llama-ft', 'RUNNING');
    const { id } = simulator.pod('llama-ft');
    await api.act(id, 'stop');
    simulator.set({ startGpu: 'refuse-400' });
    assert.equal((await api.act(id, 'start')).status, 400);
    simulator.set({ startGpu: 'refuse-409' });
    assert.match(detail(await api.act(id, 'start')), /not enough free GPUs/);
    simulator.set({ startGpu: 'absent' });
    await api.act(id, 'start');
    await simulator.until(id, 'RUNNING');
    const pod = await api.pod(id);
    assert.equal(pod.gpu, undefined);
    assert.ok(pod.cost > 0 && pod.cost < 0.69);
    simulator.set({ startGpu: 'zero' });
    assert.equal((await api.pod(id)).gpu?.count, 0);
  });

  it('a new pod that is 404, or missing from the list, for a moment', async () => {
    simulator.set({ hiddenAfterCreateMs: 60_000 });
    const { id } = (await create()).body as { id: string };
    assert.equal((await api.get(`/v2/pods/${id}`)).status, 404);
    simulator.set({ hiddenAfterCreateMs: 0, unlistedAfterCreateMs: 60_000 });
    assert.equal((await api.get(`/v2/pods/${id}`)).status, 200);
    assert.equal((await api.pods()).length, 3);
    simulator.advance(60_000);
    assert.equal((await api.pods()).length, 4);
  });

  it('a row that no client can read', async () => {
    simulator.set({ unreadableRows: ['gfj8b292vyg08g'] });
    const row = (await api.pods()).find((pod) => pod.id === 'gfj8b292vyg08g');
    assert.equal(row?.status, 'HIBERNATING');
    assert.equal((await api.pod('gfj8b292vyg08g')).status, 'RUNNING');
  });

  it('pods with the proxy alone', async () => {
    simulator.set({ proxyOnly: true });
    const { id } = await api.create();
    await simulator.until(id, 'RUNNING');
    simulator.advance(60_000);
    const pod = await api.pod(id);
    assert.equal(pod.ssh.direct, null);
    assert.ok(pod.ssh.proxy?.username.startsWith(`${id}-`));
    assert.match(pod.runtime?.ports.find((port) => port.private === 22)?.ip ?? '', /^100\.65\./);
  });

  it('Cloudflare does not like clients without a name', async () => {
    const bare = (headers: Record<string, string>): Promise<{ status: number | undefined; text: string }> =>
      new Promise((resolve, reject) => {
        const sent = request(`${simulator.restUrl}/pods`, { headers: { Authorization: `Bearer ${api.key}`, ...headers } }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode, text }));
        });
        sent.on('error', reject).end();
      });
    assert.equal((await bare({})).status, 403);
    assert.match((await bare({ 'User-Agent': 'Python-urllib/3.11' })).text, /error code: 1010/);
    assert.equal((await bare({ 'User-Agent': 'undici' })).status, 200);
    simulator.set({ userAgents: 'strict' });
    assert.equal((await bare({ 'User-Agent': 'undici' })).status, 403);
  });

  it('quotas that run out, told on the way', async () => {
    simulator.set({ quotas: { minute: 3 } });
    const first = await api.get('/v2/pods');
    assert.match(first.headers.get('ratelimit') ?? '', /^"minute";r=2;t=\d+, "hour";r=\d+;t=\d+, "day";r=\d+;t=\d+$/);
    assert.match(first.headers.get('ratelimit-policy') ?? '', /^"minute";q=3;w=60, /);
    await api.get('/v2/pods');
    await api.get('/v2/pods');
    const last = await api.get('/v2/pods');
    assert.equal(last.status, 429);
    assert.match(detail(last), /minute window/);
    const wait = Number(last.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 60);
  });

  it('GraphQL that is gone, forbidden, or fails', async () => {
    for (const [graphql, status] of [['gone', 410], ['forbidden', 403], ['errors', 200]] as const) {
      simulator.set({ graphql });
      assert.equal((await api.call('POST', '/graphql', { query: '{ myself { id } }' })).status, status);
    }
    simulator.set({ graphql: 'on' });
    const limited = new ApiClient(simulator, simulator.newKey('no-graphql'));
    assert.equal((await limited.call('POST', '/graphql', { query: '{ myself { id } }' })).status, 403);
    assert.equal((await limited.get('/v2/pods')).status, 200);
  });

  it('all of it over the control address', async () => {
    const control = async (method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> => {
      const response = await fetch(simulator.controlUrl + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await response.text();
      return { status: response.status, json: text === '' ? undefined : (JSON.parse(text) as unknown) };
    };
    assert.equal((await control('POST', '/faults', { path: '/v2/pods', effect: { kind: 'status', status: 500 } })).status, 200);
    assert.equal(((await control('GET', '/faults')).json as unknown[]).length, 1);
    assert.equal((await api.get('/v2/pods')).status, 500);
    const state = (await control('PATCH', '/settings', { balance: 3, speed: 10, timings: { pullMs: 1 } })).json as { balance: number; speed: number; settings: { timings: { pullMs: number } } };
    assert.ok(Math.abs(state.balance - 3) < 0.01);
    assert.deepEqual([state.speed, state.settings.timings.pullMs], [10, 1]);
    assert.equal((await control('PATCH', '/settings', { bogus: 1 })).status, 400);
    assert.equal((await control('PATCH', '/settings', { latencyMs: 'x' })).status, 400);
    assert.equal((await control('POST', '/pods/llama-ft/log', { line: 'x', count: 5 })).status, 204);
    assert.equal(simulator.pod('llama-ft').log.read({ kind: 'tail', lines: 6 }).filter((line) => line.line === 'x').length, 5);
    assert.equal((await control('POST', '/pods/none/cut')).status, 404);
    const { apiKey } = (await control('POST', '/keys', { permission: 'read' })).json as { apiKey: string };
    assert.equal((await new ApiClient(simulator, apiKey).get('/v2/pods')).status, 200);
    const requests = (await control('GET', '/requests')).json as { path: string; status: number; userAgent: string }[];
    assert.deepEqual(requests.map(({ path, status, userAgent }) => [path, status, userAgent]), [['/v2/pods', 500, 'simulator-tests/1.0'], ['/v2/pods', 200, 'simulator-tests/1.0']]);
  });
});
