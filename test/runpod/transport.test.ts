import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { CancelledError } from '../../src/base/errors';
import { clientFor, failure, html, json, pod, problem, RecordingLog, ScriptedServer, secretKey } from './scriptedServer';
import { until } from '../support/until';

const create = { name: 'sdxl', image: 'i', gpu: { id: 'NVIDIA L4', count: 1 } };

describe('runpod transport: every call ends, reads are repeated, writes are not', () => {
  let server: ScriptedServer;
  afterEach(() => server.close());

  const start = async (answer: Parameters<typeof ScriptedServer.start>[0]): Promise<ScriptedServer> => (server = await ScriptedServer.start(answer));

  it('sends the key, its own User-Agent and the body, and reads the pod that comes back', async () => {
    await start((_seen, response) => json(response, 201, pod('p1')));
    const made = await clientFor(server.restUrl).pods.create(create);
    assert.equal(made.id, 'p1');
    const [seen] = server.seen;
    assert.equal(seen?.method, 'POST');
    assert.equal(seen?.path, '/v2/pods');
    assert.equal(seen?.headers.authorization, `Bearer ${secretKey}`);
    assert.equal(seen?.headers['user-agent'], 'runpod-workspaces-test/1.0');
    assert.equal(seen?.headers['content-type'], 'application/json');
    assert.deepEqual(seen?.body, create);
  });

  it('takes 204 without a body for done, and sends no content type without content', async () => {
    await start((_seen, response) => void response.writeHead(204).end());
    await clientFor(server.restUrl).pods.terminate('p1');
    assert.equal(server.seen[0]?.method, 'DELETE');
    assert.equal(server.seen[0]?.headers['content-type'], undefined);
  });

  it('ends a read that is never answered at its deadline, however many tries it has', async () => {
    await start(() => undefined);
    const started = performance.now();
    const error = await failure(clientFor(server.restUrl, { timings: { callMs: 500 } }).pods.list());
    assert.equal(error.code, 'timeout');
    assert.equal(error.maybeDone, false);
    assert.ok(performance.now() - started < 4_000);
    assert.equal(server.seen.length, 1);
  });

  it('ends an answer that trickles for ever at the same deadline', async () => {
    await start((_seen, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(timer));
    });
    assert.equal((await failure(clientFor(server.restUrl, { timings: { callMs: 200 } }).pods.list())).code, 'timeout');
    await until(() => server.connections === 0, 'the connection is closed');
  });

  it('says of a create without an answer that it may have happened', async () => {
    await start(() => undefined);
    const error = await failure(clientFor(server.restUrl, { timings: { createMs: 600 } }).pods.create(create));
    assert.equal(error.code, 'timeout');
    assert.equal(error.maybeDone, true);
    assert.equal(server.seen.length, 1);
  });

  it('repeats a read after 5xx, a cut and half a JSON, three tries at most', async () => {
    await start((_seen, response, index) => {
      if (index === 0) problem(response, 503, 'busy');
      else if (index === 1) response.destroy();
      else json(response, 200, { pods: [pod('p1')] });
    });
    assert.equal((await clientFor(server.restUrl).pods.list()).length, 1);
    assert.equal(server.seen.length, 3);

    server.answer = (_seen, response): void => problem(response, 500, 'broken');
    const error = await failure(clientFor(server.restUrl).pods.list());
    assert.equal(error.code, 'server');
    assert.equal(server.seen.length, 6);
  });

  it('does not repeat a read that was refused', async () => {
    await start((_seen, response) => problem(response, 404, 'pod not found'));
    await failure(clientFor(server.restUrl).pods.get('p1'));
    assert.equal(server.seen.length, 1);
  });

  for (const [name, break_] of [
    ['5xx', (r: ServerResponse) => problem(r, 502, 'bad gateway')],
    ['a cut', (r: ServerResponse) => void r.destroy()],
    ['a page', (r: ServerResponse) => html(r, 200, '<html>')],
  ] as const) {
    it(`never repeats a write after ${name}, and says that it may have happened`, async () => {
      await start((_seen, response) => break_(response));
      const { pods, networkVolumes } = clientFor(server.restUrl);
      for (const write of [
        () => pods.create(create),
        () => pods.update('p1', { name: 'n' }),
        () => pods.terminate('p1'),
        () => pods.action('p1', 'start'),
        () => networkVolumes.create({ name: 'data', size: 10, dataCenter: 'EU-RO-1' }),
        () => networkVolumes.delete('v1'),
      ]) {
        const before = server.seen.length;
        assert.equal((await failure(write())).maybeDone, true);
        assert.equal(server.seen.length - before, 1);
      }
    });
  }

  it('repeats a write whose connection was never made, because it cannot have happened', async () => {
    await start((_seen, response) => json(response, 201, pod('p1')));
    // A port where nobody listens until the second try.
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    await new Promise((resolve) => holder.close(resolve));
    const log = new RecordingLog();
    const refused = await failure(clientFor(`http://127.0.0.1:${port}/v2`, { log }).pods.create(create));
    assert.equal(refused.code, 'network');
    assert.equal(refused.maybeDone, false);
    assert.equal(log.lines.filter((line) => line.includes('trying again')).length, 2);
    assert.match(refused.detail ?? '', /ECONNREFUSED/);
  });

  it('does not ride a write on a kept connection that the server may be closing', async () => {
    await start((_seen, response) => json(response, 200, pod('p1')));
    const { pods } = clientFor(server.restUrl);
    await pods.get('p1');
    await pods.update('p1', { name: 'a' });
    await pods.update('p1', { name: 'b' });
    assert.equal(server.seen[1]?.headers.connection, 'close');
    assert.equal(server.seen[2]?.headers.connection, 'close');
  });

  it('gives up on an answer that is too large', async () => {
    await start((_seen, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const error = await failure(clientFor(server.restUrl, { timings: { maxAnswerBytes: 1024 * 1024 } }).pods.list());
    assert.equal(error.code, 'unreadable');
    assert.equal(server.seen.length, 1);
    await until(() => server.connections === 0, 'the connection is closed');
  });

  it('reads a large list whole', async () => {
    await start((_seen, response) => json(response, 200, { pods: Array.from({ length: 5000 }, (_, i) => pod(`p${i}`)) }));
    assert.equal((await clientFor(server.restUrl).pods.list()).length, 5000);
  });

  it('sends the same read once for all who ask meanwhile, and again for who asks later', async () => {
    await start((_seen, response) => void setTimeout(() => json(response, 200, { pods: [pod('p1')] }), 30));
    const { pods } = clientFor(server.restUrl);
    const lists = await Promise.all([pods.list(), pods.list(), pods.list()]);
    assert.equal(server.seen.length, 1);
    assert.notEqual(lists[0], lists[1], 'nobody shares another\'s rows');
    await pods.list();
    assert.equal(server.seen.length, 2);
  });

  it('gives who reads after a write no answer that was begun before it', async () => {
    let stopped = false;
    await start((seen, response) => {
      if (seen.method === 'POST') {
        stopped = true;
        return json(response, 200, pod('p1'));
      }
      const answer = pod('p1', { status: stopped ? 'EXITED' : 'RUNNING' });
      setTimeout(() => json(response, 200, { pods: [answer] }), 60);
    });
    const { pods } = clientFor(server.restUrl);
    const early = pods.list();
    await until(() => server.seen.length === 1, 'the first list has begun');
    await pods.action('p1', 'stop');
    const [late] = await pods.list();
    assert.equal(late?.kind === 'pod' && late.pod.status, 'EXITED');
    await early;
  });

  it('lets one of several leave, and ends the read when the last has left', async () => {
    await start(() => undefined);
    const { pods } = clientFor(server.restUrl);
    const one = new AbortController();
    const two = new AbortController();
    const first = pods.list({ signal: one.signal });
    const second = pods.list({ signal: two.signal });
    await until(() => server.seen.length === 1, 'the list has begun');
    one.abort();
    await assert.rejects(first, CancelledError);
    assert.equal(server.connections, 1);
    two.abort();
    await assert.rejects(second, CancelledError);
    await until(() => server.connections === 0, 'the connection is closed');
  });

  it('does not abandon a write that is under way', async () => {
    await start((_seen, response) => void setTimeout(() => json(response, 201, pod('p1')), 80));
    const leave = new AbortController();
    const creating = clientFor(server.restUrl).pods.create(create, { signal: leave.signal });
    await until(() => server.seen.length === 1, 'the create has arrived');
    leave.abort();
    assert.equal((await creating).id, 'p1');

    const before = server.seen.length;
    await assert.rejects(clientFor(server.restUrl).pods.create(create, { signal: leave.signal }), CancelledError);
    assert.equal(server.seen.length, before, 'cancelled before it was sent');
  });

  it('ends its reads when it is disposed of, and lets a write finish', async () => {
    await start((seen, response) => {
      if (seen.method === 'POST') setTimeout(() => json(response, 201, pod('p1')), 80);
    });
    const client = clientFor(server.restUrl);
    const reading = client.pods.list();
    const creating = client.pods.create(create);
    await until(() => server.seen.length === 2, 'both have arrived');
    client.dispose();
    await assert.rejects(reading, CancelledError);
    assert.equal((await creating).id, 'p1');
    await assert.rejects(client.pods.list(), CancelledError);
    await until(() => server.connections === 0, 'all connections are closed');
  });

  it('asks for nothing without a key, or with one that cannot be a key', async () => {
    await start((_seen, response) => json(response, 200, { pods: [] }));
    assert.equal((await failure(clientFor(server.restUrl, { key: () => Promise.resolve(undefined) }).pods.list())).code, 'no-key');
    assert.equal((await failure(clientFor(server.restUrl, { key: () => Promise.resolve('  ') }).pods.list())).code, 'no-key');
    assert.equal((await failure(clientFor(server.restUrl, { key: () => Promise.reject(new Error('keychain locked')) }).pods.list())).detail, 'keychain locked');
    assert.equal((await failure(clientFor(server.restUrl, { key: () => Promise.resolve('a\nb') }).pods.list())).code, 'unauthorized');
    assert.equal(server.seen.length, 0);
  });

  it('refuses ids that would name another resource', async () => {
    await start((_seen, response) => void response.writeHead(204).end());
    const { pods } = clientFor(server.restUrl);
    // A slash would be decoded by some proxy on the way, and the path then be another's.
    for (const id of ['', '.', '..', '../network-volumes/v1', '..\\network-volumes\\v1', 'a\nb']) assert.equal((await failure(pods.terminate(id))).code, 'invalid', id);
    await pods.terminate('p1?x#y');
    assert.deepEqual(server.seen.map((one) => one.url), ['/v2/pods/p1%3Fx%23y']);
  });

  it('writes neither the key nor what is in env into the log', async () => {
    await start((_seen, response, index) => (index === 0 ? problem(response, 500, `oops ${secretKey}`) : json(response, 200, pod('p1', { env: { TOKEN: 'hf_hidden' } }))));
    const log = new RecordingLog();
    const { pods } = clientFor(server.restUrl, { log });
    await pods.get('p1');
    await pods.update('p1', { env: { TOKEN: 'hf_hidden' } });
    assert.ok(log.lines.length > 0);
    assert.ok(!log.lines.join('\n').includes(secretKey));
    assert.ok(!log.lines.join('\n').includes('hf_hidden'));
  });

  it('knows the API\'s time by its answers', async () => {
    const ahead = 3_600_000;
    await start((_seen, response) => json(response, 200, { pods: [] }, { date: new Date(Date.now() + ahead).toUTCString() }));
    const client = clientFor(server.restUrl);
    assert.equal(client.serverClock.offsetMs, 0);
    await client.pods.list();
    assert.ok(Math.abs(client.serverClock.offsetMs - ahead) <= 1500, `${client.serverClock.offsetMs}`);
    assert.ok(Math.abs(client.serverClock.now().getTime() - Date.now() - ahead) <= 1500);
  });
});
