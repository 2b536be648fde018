import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { rootCertificates } from 'node:tls';
import { proxyFor } from '../../src/runpod/proxy';
import type { ProxySettings } from '../../src/runpod/proxy';
import { systemCertificates } from '../../src/runpod/systemTrust';
import { certificate, privateKey } from './certificate';
import { clientFor, failure, json, pod, ScriptedServer } from './scriptedServer';

const settings = (more: Partial<ProxySettings> = {}): ProxySettings => ({ strictSsl: true, env: {}, ...more });
const target = new URL('https://api.runpod.io/v2/pods');

describe('runpod proxies: which one, and for whom', () => {
  it('takes the setting before the variables, in either case of their names', () => {
    const url = (more: Partial<ProxySettings>): string | undefined => proxyFor(target, settings(more))?.href;
    assert.equal(url({}), undefined);
    assert.equal(url({ url: 'http://set:1', env: { HTTPS_PROXY: 'http://var:2' } }), 'http://set:1/');
    assert.equal(url({ url: ' ', env: { HTTPS_PROXY: 'http://var:2' } }), 'http://var:2/');
    assert.equal(url({ env: { https_proxy: 'http://lower:2', HTTP_PROXY: 'http://plain:3' } }), 'http://lower:2/');
    assert.equal(url({ env: { HTTP_PROXY: 'http://plain:3' } }), 'http://plain:3/');
    assert.equal(url({ env: { all_proxy: 'any:4' } }), 'http://any:4/');
    assert.equal(url({ env: { HTTPS_PROXY: '' } }), undefined);
    assert.throws(() => url({ url: 'socks5://old:1080' }), TypeError);
    assert.throws(() => url({ url: 'http://' }), TypeError);
  });

  it('never takes one to this machine', () => {
    for (const local of ['http://127.0.0.1:1/', 'http://localhost:1/', 'https://[::1]:1/', 'http://127.9.9.9/']) {
      assert.equal(proxyFor(new URL(local), settings({ url: 'http://set:1' })), undefined);
    }
  });

  it('leaves out the hosts that are to be reached directly', () => {
    const direct = (noProxy: string, url = target): boolean => proxyFor(url, settings({ url: 'http://set:1', env: { no_proxy: noProxy } })) === undefined;
    for (const entry of ['*', 'api.runpod.io', 'runpod.io', '.runpod.io', '*.runpod.io', 'API.RUNPOD.IO:443', 'other.test, runpod.io']) assert.ok(direct(entry), entry);
    for (const entry of ['', 'xrunpod.io', 'pi.runpod.io', 'api.runpod.io:8443', 'runpod.io.test', '.']) assert.ok(!direct(entry), entry);
    assert.ok(direct('2001:db8::1', new URL('https://[2001:db8::1]/')));
    assert.equal(proxyFor(target, settings({ url: 'http://set:1', noProxy: ['runpod.io'] })), undefined);
  });
});

describe('runpod proxies: calls go through them', () => {
  let origin: ScriptedServer;
  let proxy: Server;
  let asked: { path: string; authorization: string | undefined }[];
  let refuse: number | 'hang up' | undefined;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    origin = await ScriptedServer.start((_seen, response) => json(response, 200, pod('p1')), (listener) => createTlsServer({ key: privateKey, cert: certificate }, listener));
    asked = [];
    refuse = undefined;
    proxy = createServer((_request, response) => void response.writeHead(400).end());
    proxy.on('connect', (request, socket: Socket) => {
      asked.push({ path: request.url ?? '', authorization: request.headers['proxy-authorization'] });
      if (refuse === 'hang up') return void socket.destroy();
      if (refuse !== undefined) return void socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
      // Whatever name is asked for, the test's own server answers.
      const upstream = connect(origin.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      for (const one of [upstream, socket]) {
        sockets.add(one);
        one.on('error', () => undefined).on('close', () => sockets.delete(one));
      }
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    proxy.closeAllConnections();
    await Promise.all([origin.close(), new Promise((resolve) => proxy.close(resolve))]);
  });

  const proxyUrl = (user = ''): string => `http://${user}127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const restUrl = 'https://api.runpod.test/v2';

  it('opens a tunnel, and the key is seen by the API alone', async () => {
    const { pods } = clientFor(restUrl, { proxy: settings({ url: proxyUrl('me:p%40ss@'), strictSsl: false }) });
    assert.equal((await pods.get('p1')).id, 'p1');
    assert.equal((await pods.update('p1', { name: 'n' })).id, 'p1');
    assert.deepEqual(new Set(asked.map((one) => one.path)), new Set(['api.runpod.test:443']));
    assert.equal(asked[0]?.authorization, `Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    assert.equal(origin.seen[0]?.headers['proxy-authorization'], undefined);
    assert.match(origin.seen[0]?.headers.authorization ?? '', /^Bearer /);
  });

  it('honours the variables, an authorization of its own, and a change of the settings', async () => {
    let now = settings({ env: { https_proxy: proxyUrl() }, authorization: 'Negotiate abc', strictSsl: false });
    const { pods } = clientFor(restUrl, { proxy: () => now });
    await pods.get('p1');
    assert.equal(asked[0]?.authorization, 'Negotiate abc');
    now = settings({ url: 'http://127.0.0.1:1', strictSsl: false });
    assert.equal((await failure(pods.get('p1'))).code, 'network');
  });

  it('checks certificates unless told not to', async () => {
    const { pods } = clientFor(restUrl, { proxy: settings({ url: proxyUrl() }), systemCertificates: () => [] });
    const error = await failure(pods.get('p1'));
    assert.equal(error.code, 'network');
    assert.match(error.detail ?? '', /self-signed certificate/);
    assert.equal(asked.length, 1, 'a bad certificate does not get better by asking again');
    assert.equal(origin.seen.length, 0);
  });

  it('trusts whom this computer trusts where Node knows nobody, unless told not to', async () => {
    let read = 0;
    const systemCertificates = (): readonly string[] => {
      read++;
      return [...rootCertificates, certificate];
    };
    const { pods } = clientFor(restUrl, { proxy: settings({ url: proxyUrl() }), systemCertificates });
    assert.equal((await pods.update('p1', { name: 'n' })).id, 'p1');
    assert.equal(origin.count('PATCH'), 1, 'sent once');
    assert.equal((await pods.get('p1')).id, 'p1');
    assert.equal(read, 1);
    assert.equal(asked.length, 3, 'known from then on');

    const strict = clientFor(restUrl, { proxy: settings({ url: proxyUrl(), systemCertificates: false }), systemCertificates });
    assert.match((await failure(strict.pods.get('p1'))).detail ?? '', /self-signed certificate/);
    const others = clientFor(restUrl, { proxy: settings({ url: proxyUrl() }), systemCertificates: () => [...rootCertificates] });
    for (let n = 0; n < 2; n++) assert.match((await failure(others.pods.get('p1'))).detail ?? '', /self-signed certificate/);
    assert.equal(asked.length, 3 + 1 + 2 + 1, 'looked for once');
    assert.equal(read, 1);
  });

  it('finds the certificates of a Linux computer in its files, beside Node’s own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'runpod-test-'));
    try {
      const file = join(folder, 'company.pem');
      writeFileSync(file, certificate);
      const found = systemCertificates('linux', { SSL_CERT_FILE: file });
      assert.ok(rootCertificates.every((one) => found.includes(one)));
      if (!('getCACertificates' in tls)) assert.ok(found.includes(certificate));
      if (!('getCACertificates' in tls)) assert.deepEqual(systemCertificates('darwin', { SSL_CERT_FILE: file }), []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const how of [407, 502, 'hang up'] as const) {
    it(`says when the proxy refuses (${how}), and that a write did not happen`, async () => {
      refuse = how;
      const { pods } = clientFor(restUrl, { proxy: settings({ url: proxyUrl(), strictSsl: false }), timings: { callMs: 20_000 } });
      const started = performance.now();
      const read = await failure(pods.get('p1'));
      assert.equal(read.code, 'network');
      assert.match(read.detail ?? '', how === 'hang up' ? /tunnel/ : new RegExp(String(how)));
      const write = await failure(pods.create({ name: 'n', image: 'i', cpu: { id: 'cpu3c', vcpuCount: 2 } }));
      assert.equal(write.code, 'network');
      assert.equal(write.maybeDone, false);
      assert.ok(performance.now() - started < 15_000);
      assert.equal(asked.length, 6);
    });
  }

  it('says when the proxy\'s address cannot be used', async () => {
    const error = await failure(clientFor(restUrl, { proxy: settings({ url: 'socks5://127.0.0.1:1' }) }).pods.get('p1'));
    assert.equal(error.code, 'network');
    assert.match(error.detail ?? '', /socks5/);
  });
});
