import assert from 'node:assert/strict';
import { ApiClient, atOnce } from './apiClient';
import { startSimulator, type Simulator } from './simulator';

describe('the log stream', () => {
  let simulator: Simulator;
  let api: ApiClient;
  let id: string;
  before(async () => {
    simulator = await startSimulator({ mode: 'none', empty: true, settings: { timings: atOnce } });
    api = new ApiClient(simulator);
    id = (await api.create()).id;
    await simulator.until(id, 'RUNNING');
    simulator.print(id, 'container', Array.from({ length: 150 }, (_, i) => `line ${i + 1}`));
  });
  after(() => simulator.close());

  const lines = async (query: string, count: number, headers: Record<string, string> = {}): Promise<string[]> =>
    (await api.log(id, query, (frames) => frames.length >= count, headers)).map((frame) => frame.line);

  it('tells the image pull, the start script and the host-key fingerprints', async () => {
    const all = await api.log(id, '?tail=5000', (frames) => frames.some((frame) => frame.line === 'line 150'));
    const system = all.filter((frame) => frame.source === 'system').map((frame) => frame.line);
    assert.ok(system.some((line) => line.includes('Pulling from runpod/pytorch')));
    assert.ok(system.some((line) => line.startsWith('start container')));
    const container = all.filter((frame) => frame.source === 'container').map((frame) => frame.line);
    assert.equal(container.filter((line) => /^\d+ SHA256:\S{43} \S+ \((RSA|ECDSA|ED25519)\)$/.test(line)).length, 3);
    assert.match(all[0]?.id ?? '', /^\d{4}-\d\d-\d\dT[\d:]+Z$/);
    assert.equal(all[0]?.id, all[0]?.ts);
    simulator.set({ logIds: 'counter' });
    const [counted] = await api.log(id, '?tail=1', (frames) => frames.length === 1);
    assert.match(counted?.id ?? '', /^\d{4}-\d\d-\d\dT[\d:]+Z\/\d{12}$/);
  });

  it('backfills 100 lines, or as many as told', async () => {
    assert.equal((await lines('', 100))[0], 'line 51');
    assert.deepEqual(await lines('?tail=2', 2), ['line 149', 'line 150']);
    assert.deepEqual(new Set((await api.log(id, '?tail=5000&source=system', (frames) => frames.length > 5)).map((frame) => frame.source)), new Set(['system']));
  });

  it('goes on with what is printed later', async () => {
    const later = lines('?tail=0', 1);
    for (const end = Date.now() + 20_000; simulator.requests.at(-1)?.status !== 200 || !simulator.requests.at(-1)?.path.endsWith('/logs?tail=0'); await new Promise((resolve) => setTimeout(resolve, 5))) assert.ok(Date.now() < end);
    simulator.print(id, 'system', ['later']);
    assert.deepEqual(await later, ['later']);
  });

  it('resumes after Last-Event-ID, which goes before since and tail', async () => {
    const [first, second] = await api.log(id, '?tail=2&source=container', (frames) => frames.length === 2);
    assert.equal((await lines('?tail=100&since=2020-01-01T00:00:00Z&source=container', 1, { 'Last-Event-ID': first?.id ?? '' }))[0], second?.line);
    const answer = await api.call('GET', `/v2/pods/${id}/logs`, undefined, { 'Last-Event-ID': 'garbage' });
    assert.equal(answer.status, 422);
  });

  it('begins after the second that since names, with the fingerprints of this start and none of another', async () => {
    // The start before must not have been in that second.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await api.act(id, 'stop');
    await api.act(id, 'start');
    await simulator.until(id, 'RUNNING');
    const startedAt = (await api.pod(id)).startedAt ?? '';
    const since = new Date(Date.parse(startedAt) - 1000).toISOString();
    const frames = await api.log(id, `?since=${encodeURIComponent(since)}&source=container`, (all) => all.some((frame) => frame.line.includes('ready to use')));
    assert.equal(frames.filter((frame) => frame.line.includes('SHA256:')).length, 3);
  });

  it('sends its headers, and comments to keep it open', async () => {
    simulator.set({ logKeepaliveMs: 20 });
    const response = await fetch(`${simulator.restUrl}/pods/${id}/logs?tail=0`, { headers: { Authorization: `Bearer ${api.key}` } });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.equal(response.headers.get('cache-control'), 'no-cache');
    assert.equal(response.headers.get('x-accel-buffering'), 'no');
    assert.ok(response.headers.get('ratelimit'));
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (text.includes(': keepalive\n\n')) break;
    }
  });

  it('withholds new lines from an open stream when told, and gives them to a new one', async () => {
    simulator.set({ logStall: { on: true, afterEvents: 1 } });
    simulator.forgetRequests();
    const seen: string[] = [];
    const open = api.log(id, '?tail=0', (frames) => { seen.splice(0, Infinity, ...frames.map((frame) => frame.line)); return frames.some((frame) => frame.line === 'over'); });
    for (const end = Date.now() + 20_000; !simulator.requests.at(-1)?.path.endsWith('/logs?tail=0') || simulator.requests.at(-1)?.status !== 200; await new Promise((resolve) => setTimeout(resolve, 5))) assert.ok(Date.now() < end);
    simulator.print(id, 'container', ['told', 'withheld']);
    assert.deepEqual((await lines('?tail=2', 2)), ['told', 'withheld']);
    assert.deepEqual(seen.filter((line) => line === 'withheld'), []);
    simulator.set({ logStall: { on: false, afterEvents: 0 } });
    simulator.print(id, 'container', ['over']);
    await open;
    assert.deepEqual(seen, ['told', 'over']);
  });

  it('is cut when told, so many times', async () => {
    simulator.set({ logCut: { afterEvents: 3, times: 1 } });
    await assert.rejects(lines('?tail=10', 10), /terminated|ended/);
    assert.equal((await lines('?tail=10', 10)).length, 10);
  });

  it('thousands of lines push the fingerprints out of a short tail', async () => {
    simulator.set({ chatterLines: 3000 });
    const pod = await api.create();
    await simulator.until(pod.id, 'RUNNING');
    const short = await api.log(pod.id, '?tail=1000&source=container', (frames) => frames.length === 1000);
    assert.ok(!short.some((frame) => frame.line.includes('SHA256:')));
    const long = await api.log(pod.id, '?tail=5000&source=container', (frames) => frames.length > 3000);
    assert.ok(long.some((frame) => frame.line.includes('SHA256:')));
  });
});
