import assert from 'node:assert/strict';
import * as http from 'node:http';
import * as net from 'node:net';
import { BannerSniffer, probeBanner } from '../../src/ssh/probe';
import { SshConnection } from '../../src/ssh/connection';
import { startSshd } from '../support/sshd';
import { openRelay } from '../simulator/link';
import { loginOptions, Scratch, withCode } from './support';

describe('probing an SSH port', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  const listen = async (server: net.Server): Promise<number> => {
    const sockets = new Set<net.Socket>();
    server.on('connection', (socket: net.Socket) => {
      sockets.add(socket.on('error', () => {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    scratch.onEnd(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    return address.port;
  };
  /** The same answer to the probe and to a real connection. */
  const both = async (port: number, deadlineMs: number, expected: (error: unknown) => boolean): Promise<void> => {
    await assert.rejects(probeBanner('127.0.0.1', port, { deadlineMs }), expected);
    const login = loginOptions({ host: '127.0.0.1', username: 'root', hostKeyFingerprint: '' }, port, []);
    await assert.rejects(SshConnection.connect({ ...login, deadlineMs }), expected);
  };

  it('reads the banner of a real server, at the link’s pace', async () => {
    const sshd = await startSshd({ authorizedKeys: [] });
    scratch.onEnd(() => sshd.stop());
    const link = await openRelay(sshd, { rttMs: 80 });
    scratch.onEnd(() => link.close());
    const { banner, ms } = await probeBanner(link.host, link.port, { deadlineMs: 5_000 });
    assert.match(banner, /^SSH-2\.0-OpenSSH_/);
    assert.ok(ms >= 80, String(ms));
  });

  it('tells a port that refuses', async () => {
    const server = net.createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    await both(port, 2_000, withCode('refused', { host: '127.0.0.1', port }));
  });

  it('tells a listener that says nothing, within the deadline', async () => {
    const port = await listen(net.createServer());
    const started = Date.now();
    await both(port, 200, withCode('not-ssh', { reason: 'silent', stage: 'banner' }));
    assert.ok(Date.now() - started < 10_000);
  });

  it('tells a listener that hangs up', async () => {
    const port = await listen(net.createServer((socket) => socket.end()));
    await both(port, 2_000, withCode('not-ssh', { reason: 'closed' }));
    const resetting = await listen(net.createServer((socket) => socket.resetAndDestroy()));
    await both(resetting, 2_000, withCode('not-ssh', { reason: 'closed' }));
  });

  it('tells another protocol, with its own words', async () => {
    const port = await listen(http.createServer());
    await both(port, 2_000, withCode('not-ssh', { reason: 'other', detail: 'HTTP/1.1 400 Bad Request' }));
    const full = await listen(net.createServer((socket) => socket.end('Exceeded MaxStartups\r\n')));
    await both(full, 2_000, withCode('not-ssh', { detail: 'Exceeded MaxStartups' }));
  });

  it('gives up on a listener that never stops talking', async () => {
    const port = await listen(net.createServer((socket) => socket.write('x'.repeat(100_000))));
    await assert.rejects(probeBanner('127.0.0.1', port, { deadlineMs: 60_000 }), withCode('not-ssh', { reason: 'other' }));
  });

  it('waits for a banner after other lines and in pieces', async () => {
    const port = await listen(
      net.createServer((socket) => {
        socket.setNoDelay(true);
        socket.write('Welcome\r\nSSH-');
        setTimeout(() => socket.write('2.0-Test_1.0 hi\r\n'), 30);
      }),
    );
    assert.equal((await probeBanner('127.0.0.1', port, { deadlineMs: 5_000 })).banner, 'SSH-2.0-Test_1.0 hi');
    const sniffer = new BannerSniffer();
    for (const byte of Buffer.from('SSH-1.99-Old\nrest')) sniffer.feed(Buffer.from([byte]));
    assert.equal(sniffer.banner, 'SSH-1.99-Old');
  });

  it('tells a name that leads nowhere', async () => {
    await assert.rejects(probeBanner('no-such-host.invalid', 22, { deadlineMs: 10_000 }), withCode('unreachable'));
  });

  it('can be cancelled at every stage', async () => {
    const port = await listen(net.createServer());
    await assert.rejects(probeBanner('127.0.0.1', port, { deadlineMs: 5_000, signal: AbortSignal.abort() }), { name: 'CancelledError' });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    await assert.rejects(probeBanner('127.0.0.1', port, { deadlineMs: 5_000, signal: abort.signal }), { name: 'CancelledError' });
  });
});
