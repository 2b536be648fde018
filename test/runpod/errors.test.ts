import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { adviceFor } from '../../src/runpod/errors';
import type { RunPodErrorCode } from '../../src/runpod/errors';
import { clientFor, failure, html, json, problem, RecordingLog, ScriptedServer, secretKey } from './scriptedServer';

describe('runpod errors: what went wrong, in RunPod\'s words and a code', () => {
  let server: ScriptedServer;
  let answer: (response: ServerResponse) => void = () => undefined;
  before(async () => {
    server = await ScriptedServer.start((_seen, response) => answer(response));
  });
  after(() => server.close());

  const capacity = 'There are no longer any instances available with the requested specifications. Please refresh and try again.';
  const cases: [string, (response: ServerResponse) => void, RunPodErrorCode, ReturnType<typeof adviceFor>, boolean][] = [
    ['400 that breaks a rule', (r) => problem(r, 400, 'mounts: only one of persistent and network'), 'rejected', 'fix-request', false],
    ['400 for lack of machines', (r) => problem(r, 400, capacity), 'no-capacity', 'other-gpu', false],
    ['400 for a machine that is too small', (r) => problem(r, 400, 'This machine does not have the resources to deploy your pod. Please try a different machine'), 'no-capacity', 'other-gpu', false],
    ['409 for lack of GPUs on the pod\'s machine', (r) => problem(r, 409, 'There are not enough free GPUs on the host machine to start this pod.'), 'no-capacity', 'other-gpu', false],
    ['401', (r) => problem(r, 401, 'invalid api key'), 'unauthorized', 'set-key', false],
    ['402', (r) => problem(r, 402, 'insufficient balance'), 'payment-required', 'top-up', false],
    ['403 of the API', (r) => problem(r, 403, 'access denied'), 'forbidden', 'check-permissions', false],
    ['403 of Cloudflare as text', (r) => void r.writeHead(403, { 'content-type': 'text/plain' }).end('error code: 1010'), 'edge-blocked', 'check-network', false],
    ['403 of Cloudflare as a page', (r) => html(r, 403, '<html><title>Attention Required!</title><style>x{}</style><body>error 1010</body></html>'), 'edge-blocked', 'check-network', false],
    ['403 of Cloudflare as JSON', (r) => problem(r, 403, 'The site owner has blocked access', {}, { type: 'https://developers.cloudflare.com/', error_code: 1010, cloudflare_error: true }), 'edge-blocked', 'check-network', false],
    ['404', (r) => problem(r, 404, 'pod not found'), 'not-found', 'refresh', false],
    ['404 that is no word of the API', (r) => html(r, 404, '<h1>Not here</h1>'), 'not-json', 'check-network', true],
    ['405', (r) => problem(r, 405, 'method not allowed', { allow: 'GET' }), 'method-not-allowed', 'update-extension', false],
    ['409', (r) => problem(r, 409, 'action not valid for status EXITED'), 'conflict', 'refresh', false],
    ['410', (r) => problem(r, 410, 'retired'), 'gone', 'update-extension', false],
    ['413', (r) => problem(r, 413, 'body too large'), 'too-large', 'fix-request', false],
    ['422', (r) => problem(r, 422, 'Request validation failed.', {}, { errors: ["$: additional properties 'bogus' not allowed"] }), 'invalid', 'fix-request', false],
    ['429', (r) => problem(r, 429, 'rate limit exceeded for the hour window', { 'retry-after': '1800' }), 'rate-limited', 'retry-later', false],
    ['418', (r) => problem(r, 418, 'teapot'), 'rejected', 'fix-request', false],
    ['500', (r) => problem(r, 500, 'internal'), 'server', 'retry-later', true],
    ['502 as a page', (r) => html(r, 502, '<html><body><h1>502 Bad Gateway</h1></body></html>'), 'server', 'retry-later', true],
    ['524', (r) => html(r, 524, 'a timeout occurred'), 'server', 'retry-later', true],
    ['200 that is a page', (r) => html(r, 200, '<html>Please log in to the Wi-Fi</html>'), 'not-json', 'check-network', true],
    ['200 with JSON cut off', (r) => void r.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end('{"id":"po'), 'not-json', 'check-network', true],
    ['200 without a pod in it', (r) => json(r, 200, { hello: 'world' }), 'unreadable', 'update-extension', true],
    ['a connection cut in mid-answer', (r) => {
      r.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      r.write('{"id":');
      setTimeout(() => r.destroy(), 5);
    }, 'network', 'check-network', true],
    ['a connection closed without an answer', (r) => void r.destroy(), 'network', 'check-network', true],
  ];

  for (const [name, respond, code, advice, maybeDone] of cases) {
    it(`${name}: ${code}, and ${maybeDone ? 'a write may have happened' : 'a write did not happen'}`, async () => {
      answer = respond;
      const client = clientFor(server.restUrl);
      const read = await failure(client.pods.get('p1'));
      assert.equal(read.code, code);
      assert.equal(read.advice, advice);
      assert.equal(adviceFor(read.code), advice);
      assert.equal(read.maybeDone, false, 'a read changes nothing');
      assert.equal(read.method, 'GET');
      assert.equal(read.path, '/pods/p1');

      const posts = server.count('POST');
      const other = clientFor(server.restUrl);
      const write = await failure(other.pods.create({ name: 'x', image: 'y', gpu: { id: 'z', count: 1 } }));
      assert.equal(write.code, code);
      assert.equal(write.maybeDone, maybeDone);
      assert.equal(server.count('POST') - posts, 1, 'a write is sent once');
      client.dispose();
      other.dispose();
    });
  }

  it('keeps RunPod\'s words, the violations, the request id and the wait', async () => {
    answer = (r) => problem(r, 422, 'Request validation failed.', { 'x-request-id': 'req-7', 'retry-after': '3' }, { errors: ['$.gpu: required'] });
    const error = await failure(clientFor(server.restUrl).pods.get('p1'));
    assert.equal(error.title, 'Title 422');
    assert.equal(error.detail, 'Request validation failed.');
    assert.deepEqual(error.errors, ['$.gpu: required']);
    assert.equal(error.requestId, 'req-7');
    assert.equal(error.status, 422);
    assert.equal(error.retryAfterMs, 3000);
  });

  it('reads a problem of another shape as far as it goes', async () => {
    answer = (r) => json(r, 400, { title: 5, errors: 'none', detail: 'only this' });
    const error = await failure(clientFor(server.restUrl).pods.get('p1'));
    assert.equal(error.detail, 'only this');
    assert.equal(error.title, undefined);
    assert.equal(error.errors, undefined);
    answer = (r) => json(r, 400, { message: 'old form' });
    assert.match((await failure(clientFor(server.restUrl).pods.get('p1'))).detail ?? '', /old form/);
  });

  it('says what a page says, without its tags', async () => {
    answer = (r) => html(r, 502, '<html><head><style>b{}</style></head><body><h1>502</h1>\n<p>Bad   Gateway</p></body></html>');
    assert.equal((await failure(clientFor(server.restUrl).pods.get('p1'))).detail, '502 Bad Gateway');
  });

  it('never shows the key, whoever repeats it', async () => {
    answer = (r) => problem(r, 401, `the key ${secretKey} is invalid`, {}, { errors: [`Bearer ${secretKey}`], title: secretKey });
    const error = await failure(clientFor(server.restUrl).pods.get('p1'));
    assert.ok(!JSON.stringify([error.message, error.title, error.detail, error.errors]).includes(secretKey));
    assert.match(error.detail ?? '', /the key ••• is invalid/);
  });

  it('shows the key neither cut in two, nor over GraphQL, nor in a request id, nor another account’s', async () => {
    const log = new RecordingLog();
    const shown = (error: unknown): string => `${String(error)} ${JSON.stringify(error)} ${log.lines.join('\n')}`;
    answer = (r) => html(r, 502, `<p>${'x'.repeat(290)} ${secretKey}</p>`);
    assert.doesNotMatch(shown(await failure(clientFor(server.restUrl, { log, timings: { attempts: 1 } }).pods.get('p1'))), /rpa_/);
    answer = (r) => problem(r, 400, 'pod key rpa_ANOTHERACCOUNT123 refused', { 'x-request-id': secretKey });
    assert.doesNotMatch(shown(await failure(clientFor(server.restUrl, { log }).pods.get('p1'))), /rpa_/);
    const legacy = 'OLDKEY0123456789ABCDEF';
    const words = { errors: [{ message: `Unauthorized: ${legacy}` }] };
    answer = (r) => json(r, 200, words);
    const client = clientFor(server.restUrl, { log, key: () => Promise.resolve(legacy) });
    assert.equal(await client.account(), undefined);
    assert.equal(client.accountProblem?.code, 'forbidden');
    assert.doesNotMatch(shown(client.accountProblem), new RegExp(legacy));
    assert.doesNotMatch(shown(await failure(client.spot.ending('p1'))), new RegExp(legacy));
  });

  it('keeps the words of a server to one line of bounded length', async () => {
    const log = new RecordingLog();
    answer = (r) => problem(r, 400, `no\n2026-01-01 00:00:00.000 [info] all is well\u001b[2J\u202e${'x'.repeat(2_000_000)}`, {}, { errors: Array.from({ length: 5000 }, (_, i) => `e${i}\n`) });
    const error = await failure(clientFor(server.restUrl, { log }).pods.get('p1'));
    assert.doesNotMatch(error.message, /[\u0000-\u001f\u202e]/);
    assert.ok(error.message.length < 1200 && (error.errors?.length ?? 0) <= 50, String(error.message.length));
    for (const line of log.lines) assert.ok(line.length < 1300 && !line.includes('\n'), line.slice(0, 100));
  });
});
