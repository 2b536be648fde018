import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as net from 'node:net';
import { WideSocket } from '../../src/ssh/wideSocket';
import { Scratch } from './support';

describe('a socket that takes much at once', function () {
  this.timeout(60_000);
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  /** Connected to one who says `bytes` and hangs up. */
  async function hearing(bytes: Buffer): Promise<WideSocket> {
    const server = net.createServer((peer) => peer.end(bytes));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = new WideSocket();
    scratch.onEnd(() => {
      socket.destroy();
      server.close();
    });
    socket.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  it('keeps what comes before anybody listens, or while it is paused, in order', async () => {
    const bytes = randomBytes(5_000_000);
    const socket = await hearing(bytes);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.lends = () => true;
    const parts: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => {
      parts.push(Buffer.from(chunk));
      socket.pause();
      setImmediate(() => socket.resume());
    });
    await once(socket, 'end');
    assert.ok(Buffer.concat(parts).equals(bytes));
  });

  it('gives each chunk away for good unless told that it is lent', async () => {
    const bytes = randomBytes(5_000_000);
    const [given, lent] = [await hearing(bytes), await hearing(bytes)];
    lent.lends = () => true;
    for (const [socket, places] of [[given, 'many'], [lent, 'one']] as const) {
      const parts: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => parts.push(chunk));
      await once(socket, 'end');
      assert.equal(Buffer.concat(parts).equals(bytes), places === 'many', places);
    }
  });
});
