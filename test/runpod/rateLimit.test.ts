import assert from 'node:assert/strict';
import { CancelledError } from '../../src/base/errors';
import { parseWindows, RateLimit } from '../../src/runpod/rateLimit';
import { until } from '../support/until';
import { clientFor, failure, html, json, pod, problem, ScriptedServer } from './scriptedServer';

const quota = (minute: number, seconds: number): Record<string, string> => ({
  ratelimit: `"minute";r=${minute};t=${seconds}, "hour";r=2800;t=1812`,
  'ratelimit-policy': '"minute";q=60;w=60, "hour";q=3000;w=3600',
});

describe('runpod rate limit: the headers', () => {
  it('reads the structured headers, and passes over what it does not know', () => {
    const read = parseWindows('"minute";r=0;t=12, hour;r=2800;t=1812;x="y", "day"; r=49500 ;t=45012, , ;;');
    assert.deepEqual(read.map(({ name, params }) => [name, params.get('r'), params.get('t')]), [['minute', 0, 12], ['hour', 2800, 1812], ['day', 49500, 45012]]);
    assert.deepEqual(parseWindows(''), []);
  });

  it('takes a list that comes in several headers of one name as one', () => {
    const limit = new RateLimit(() => 0);
    limit.observe({ ratelimit: ['"minute";r=5;t=12', '"hour";r=0;t=90'], 'ratelimit-policy': ['"minute";q=60;w=60', '"hour";q=3000;w=3600'] });
    assert.deepEqual(limit.windows.map(({ name, remaining, quota }) => [name, remaining, quota]), [['minute', 5, 60], ['hour', 0, 3000]]);
  });
});

describe('runpod rate limit: what RunPod allows is kept to', () => {
  let server: ScriptedServer;
  afterEach(() => server.close());

  it('tells what is left', async () => {
    server = await ScriptedServer.start((_seen, response) => json(response, 200, { pods: [] }, quota(41, 30)));
    const client = clientFor(server.restUrl);
    assert.equal(client.rateLimit.length, 0);
    await client.pods.list();
    const [minute, hour] = client.rateLimit;
    assert.equal(minute?.name, 'minute');
    assert.equal(minute?.remaining, 41);
    assert.equal(minute?.quota, 60);
    assert.ok(minute !== undefined && minute.resetsInMs > 20_000 && minute.resetsInMs < 31_000);
    assert.equal(hour?.remaining, 2800);
  });

  it('waits for the end of a used-up minute instead of asking', async () => {
    server = await ScriptedServer.start((_seen, response, index) => json(response, 200, { pods: [] }, quota(index === 0 ? 0 : 59, index === 0 ? 2 : 60)));
    const { pods } = clientFor(server.restUrl);
    const started = performance.now();
    await pods.list();
    const waiting = pods.list();
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(server.seen.length, 1, 'nothing is sent while the quota is used up');
    await waiting;
    assert.equal(server.seen.length, 2);
    assert.ok(performance.now() - started >= 1_990);
  });

  it('fails at once for callers in the background, and for waits that are too long', async () => {
    server = await ScriptedServer.start((_seen, response) => json(response, 200, { pods: [] }, quota(0, 600)));
    const { pods } = clientFor(server.restUrl);
    await pods.list();
    const error = await failure(pods.list({ background: true }));
    assert.equal(error.code, 'rate-limited');
    assert.equal(error.status, undefined);
    assert.ok((error.retryAfterMs ?? 0) > 540_000 && (error.retryAfterMs ?? 0) < 601_000);
    assert.equal((await failure(pods.list())).code, 'rate-limited');
    const write = await failure(pods.terminate('p1'));
    assert.equal(write.code, 'rate-limited');
    assert.equal(write.maybeDone, false);
    assert.equal(server.seen.length, 1);
  });

  it('can be left while it waits', async () => {
    server = await ScriptedServer.start((_seen, response) => json(response, 200, { pods: [] }, quota(0, 30)));
    const { pods } = clientFor(server.restUrl);
    await pods.list();
    const leave = new AbortController();
    const waiting = pods.terminate('p1', { signal: leave.signal });
    leave.abort();
    await assert.rejects(waiting, CancelledError);
    assert.equal(server.seen.length, 1);
  });

  it('does not send more at once than is left', async () => {
    let left = 3;
    let most = 0;
    let open = 0;
    server = await ScriptedServer.start((_seen, response) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        left--;
        if (left < 0) problem(response, 429, 'rate limit exceeded for the minute window', { ...quota(0, 1), 'retry-after': '1' });
        else json(response, 200, pod('p'), quota(left, 1));
        if (left <= 0) setTimeout(() => (left = 100), 900);
      }, 20);
    });
    const { pods } = clientFor(server.restUrl);
    await pods.get('first');
    assert.equal(left, 2);
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => pods.get(id)));
    assert.ok(most <= 2, `${most} at once`);
    assert.equal(server.seen.length, 5, 'and none was refused');
  });

  it('repeats any call after a 429, after the wait that RunPod names, because a refused one did not happen', async () => {
    for (const call of ['read', 'write'] as const) {
      server = await ScriptedServer.start((_seen, response, index) => (index === 0 ? problem(response, 429, 'rate limit exceeded for the minute window', { 'retry-after': '1' }) : json(response, 201, pod('p1'))));
      const { pods } = clientFor(server.restUrl);
      const started = performance.now();
      await (call === 'read' ? pods.get('p1') : pods.create({ name: 'n', image: 'i', cpu: { id: 'cpu3c', vcpuCount: 2 } }));
      assert.ok(performance.now() - started >= 990);
      assert.equal(server.seen.length, 2);
      if (call === 'read') await server.close();
    }
  });

  it('holds back all other calls as well while RunPod wants quiet', async () => {
    server = await ScriptedServer.start((_seen, response, index) => (index === 0 ? problem(response, 429, 'rate limit exceeded', { 'retry-after': '2' }) : json(response, 200, pod('p1'))));
    const { pods } = clientFor(server.restUrl);
    const first = pods.get('p1');
    await until(() => server.seen.length === 1, 'the first has arrived');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = pods.get('p2');
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(server.seen.length, 1);
    await Promise.all([first, second]);
  });

  it('gives up after three tries, and at once in the background', async () => {
    server = await ScriptedServer.start((_seen, response) => html(response, 429, 'error code: 1015'));
    assert.equal((await failure(clientFor(server.restUrl).pods.list())).code, 'rate-limited');
    assert.equal(server.seen.length, 3);
    assert.equal((await failure(clientFor(server.restUrl).pods.list({ background: true }))).code, 'rate-limited');
    assert.equal(server.seen.length, 4);
  });
});
