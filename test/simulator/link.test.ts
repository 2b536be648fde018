import { execFileSync } from 'node:child_process';
import assert from 'node:assert/strict';
import * as net from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/until';
import { openPublicPort, openRelay, type LinkPort } from './link';

/** Sends everything back. */
async function startEcho(): Promise<{ port: number; sockets: Set<net.Socket>; close(): void }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    sockets,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function connect(port: LinkPort): Promise<net.Socket> {
  const socket = net.connect(port.port, port.host);
  socket.setNoDelay(true);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  return socket;
}

/** The next `bytes` bytes, all that arrive before then included. */
function read(socket: net.Socket, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      parts.push(chunk);
      length += chunk.length;
      if (length >= bytes) settle(() => resolve(Buffer.concat(parts)));
    };
    const onClose = (): void => settle(() => reject(new Error(`closed after ${length} of ${bytes} bytes`)));
    const settle = (how: () => void): void => {
      socket.off('data', onData).off('close', onClose).pause();
      how();
    };
    socket.on('data', onData).on('close', onClose).resume();
  });
}

/** Unlike `once(socket, 'close')`, does not mind a reset. */
const closed = (socket: net.Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.resume().once('close', () => resolve());
  });

const ask = async (socket: net.Socket, text: string): Promise<string> => {
  socket.write(text);
  return (await read(socket, Buffer.byteLength(text))).toString();
};

describe('a public port of the simulated data center', () => {
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let link: LinkPort;

  beforeEach(async () => {
    echo = await startEcho();
    link = await openRelay({ host: '127.0.0.1', port: echo.port });
  });
  afterEach(async () => {
    await link.close();
    echo.close();
  });

  it('carries bytes both ways, unchanged and in order, for several connections', async () => {
    const [a, b] = await Promise.all([connect(link), connect(link)]);
    const big = Buffer.alloc(3_000_000, 'the quick brown fox ');
    a.write(big);
    assert.equal(await ask(b, 'beside it'), 'beside it');
    assert.ok((await read(a, big.length)).equals(big));
    assert.equal(link.counts.connections, 2);
    assert.equal(link.counts.bytesUp, big.length + 9);
    assert.equal(link.counts.bytesDown, big.length + 9);
    a.destroy();
    b.destroy();
  });

  it('passes on a half-closed connection and the rest of the answer', async () => {
    const socket = net.connect({ port: link.port, host: link.host, allowHalfOpen: true });
    socket.end('last words');
    assert.equal((await read(socket, 10)).toString(), 'last words');
    socket.resume();
    await once(socket, 'end');
  });

  it('delivers all that was said before a close, slowly too', async () => {
    link.shape({ rttMs: 30, bytesPerSecond: 4_000_000 });
    const speaker = net.createServer((socket) => {
      socket.end(Buffer.alloc(600_000, 7));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => speaker.listen(0, '127.0.0.1', resolve));
    link.relayTo({ host: '127.0.0.1', port: (speaker.address() as net.AddressInfo).port });
    const socket = await connect(link);
    let length = 0;
    socket.on('data', (chunk: Buffer) => (length += chunk.length));
    await closed(socket);
    assert.equal(length, 600_000);
    speaker.close();
  });

  it('makes each question cost a round trip, and the connection one more', async () => {
    link.shape({ rttMs: 60 });
    const opened = performance.now();
    const socket = await connect(link);
    await ask(socket, 'one');
    const first = performance.now() - opened;
    assert.ok(first >= 118, `handshake and first answer took ${first} ms`);
    const asked = performance.now();
    await ask(socket, 'two');
    const second = performance.now() - asked;
    assert.ok(second >= 58, `an answer took ${second} ms`);
    socket.destroy();
  });

  it('counts round trips, not messages', async () => {
    link.shape({ rttMs: 400 });
    const socket = await connect(link);
    await ask(socket, 'first');
    await ask(socket, 'second');
    assert.equal(link.counts.flightsUp, 2);
    for (let i = 0; i < 50; i++) {
      socket.write('pipelined');
      if (i % 10 === 0) await delay(1);
    }
    await read(socket, 450);
    assert.equal(link.counts.flightsUp, 3);
    socket.destroy();
  });

  it('keeps to its bandwidth', async () => {
    link.shape({ bytesPerSecond: 1_000_000 });
    const socket = await connect(link);
    const started = performance.now();
    socket.write(Buffer.alloc(200_000));
    await read(socket, 200_000);
    const took = performance.now() - started;
    assert.ok(took >= 195, `200 KB took ${took} ms at 1 MB/s`);
    socket.destroy();
  });

  it('holds the sender back when a slow link is full', async () => {
    link.shape({ bytesPerSecond: 50_000 });
    const socket = await connect(link);
    socket.write(Buffer.alloc(40_000_000));
    await delay(300);
    assert.ok(link.counts.bytesUp < 2_000_000, `${link.counts.bytesUp} bytes were taken in`);
    socket.destroy();
  });

  it('cuts after exactly so many bytes up', async () => {
    let received = 0;
    const sink = net.createServer((socket) => {
      socket.on('data', (chunk: Buffer) => (received += chunk.length));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
    link.relayTo({ host: '127.0.0.1', port: (sink.address() as net.AddressInfo).port });
    link.shape({ cutAfterBytesUp: 70_001 });
    const socket = await connect(link);
    socket.write(Buffer.alloc(300_000));
    await closed(socket);
    await until(() => received >= 70_001, 'all that went through');
    await delay(30);
    assert.equal(received, 70_001);
    sink.close();
  });

  it('cuts after exactly so many bytes down, counted anew when told in the middle', async () => {
    const socket = await connect(link);
    await ask(socket, 'before');
    link.shape({ cutAfterBytesDown: 5 });
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.write('afterwards');
    await closed(socket);
    assert.equal(received, 'after');
  });

  it('ends open connections when cut and goes on listening', async () => {
    const socket = await connect(link);
    await ask(socket, 'hello');
    link.cut();
    await closed(socket);
    const next = await connect(link);
    assert.equal(await ask(next, 'again'), 'again');
    next.destroy();
  });

  it('refuses without a target and while told to, and keeps its number', async () => {
    const refused = async (): Promise<string | undefined> => {
      const socket = net.connect(link.port, link.host);
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      return error.code;
    };
    link.shape({ fault: 'refuse' });
    assert.equal(await refused(), 'ECONNREFUSED');
    link.shape({});
    const socket = await connect(link);
    assert.equal(await ask(socket, 'back'), 'back');
    link.target(undefined, 22);
    assert.equal(await refused(), 'ECONNREFUSED');
    assert.equal(await ask(socket, 'still here'), 'still here');
    socket.destroy();
  });

  it('resets a connection whose target does not answer', async () => {
    echo.close();
    const socket = await connect(link);
    await closed(socket);
  });

  it('swallows new connections in a black hole, lets old ones be, and recovers', async () => {
    const old = await connect(link);
    await ask(old, 'before');
    link.shape({ fault: 'blackhole' });
    const lost = await connect(link);
    lost.write('anyone?');
    assert.equal(await ask(old, 'old one'), 'old one');
    await delay(50);
    assert.equal(echo.sockets.size, 1);
    assert.equal(lost.bytesRead, 0);
    link.shape({});
    assert.equal((await read(lost, 7)).toString(), 'anyone?');
    old.destroy();
    lost.destroy();
  });

  it('freezes existing connections in a stall and lets them go on after it', async () => {
    const socket = await connect(link);
    await ask(socket, 'before');
    link.shape({ fault: 'stall' });
    socket.write('during');
    await delay(50);
    assert.equal(socket.bytesRead, 6);
    link.shape({});
    assert.equal((await read(socket, 6)).toString(), 'during');
    socket.destroy();
  });

  it('leaves no server connection behind when a client goes', async () => {
    const socket = await connect(link);
    await ask(socket, 'hello');
    socket.resetAndDestroy();
    await until(() => echo.sockets.size === 0, 'the end of the other side');
  });

  it('to a server answers another process at once', async () => {
    const relay = await openRelay({ host: '127.0.0.1', port: echo.port });
    // While this waits, nothing happens in the process that the port is of.
    execFileSync(process.execPath, ['-e', `require('node:net').connect(${relay.port}, '${relay.host}').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`]);
    await relay.close();
  });

  it('refuses until it is told where to lead', async () => {
    const port = await openPublicPort();
    const socket = net.connect(port.port, port.host);
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    await port.close();
  });
});
