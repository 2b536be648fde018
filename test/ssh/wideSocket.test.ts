import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import * as net from 'node:net';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { WideSocket } from '../../src/ssh/wideSocket';
import { makeKeyPair, startSshd } from '../support/sshd';
import { Scratch } from './support';

const run = promisify(execFile);

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

  it('carries a big file whole with every cipher, keys exchanged anew on the way, with and without ssh2’s native parts', async () => {
    const dir = await scratch.dir();
    const key = await makeKeyPair(path.join(dir, 'key'));
    const file = path.join(dir, 'big');
    const bytes = randomBytes(24_000_000);
    await writeFile(file, bytes);
    const hash = createHash('sha256').update(bytes).digest('hex');
    const ciphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes256-ctr', 'chacha20-poly1305@openssh.com'];
    const servers = await Promise.all(ciphers.map((cipher) => startSshd({ authorizedKeys: [key.publicKey], extraConfig: `Ciphers ${cipher}\nRekeyLimit 2M` })));
    for (const server of servers) scratch.onEnd(() => server.stop());

    const read = async (native: boolean): Promise<unknown> => {
      const task = { native, keyFile: key.path, file, servers: servers.map(({ host, port, username }) => ({ host, port, username })) };
      const { stdout } = await run(process.execPath, ['--import', 'tsx', path.join(__dirname, 'readAsShipped.ts'), JSON.stringify(task)]);
      return (JSON.parse(stdout) as [string, string][]).map(([came, memory], i) => `${ciphers[i]}: ${came === hash ? 'whole' : came}, ${memory}`);
    };
    const [gcm128, gcm256, ctr, chacha] = ciphers;
    assert.deepEqual(await read(false), [`${gcm128}: whole, lent`, `${gcm256}: whole, lent`, `${ctr}: whole, lent`, `${chacha}: whole, kept`]);
    assert.deepEqual(await read(true), ciphers.map((cipher) => `${cipher}: whole, kept`));
  });
});
