import * as assert from 'node:assert/strict';
import * as net from 'node:net';
import * as path from 'node:path';
import { makeKeyPair, startSshd } from '../support/sshd';
import { connect, identityOf, Scratch } from './support';

/** Holds back what the server says for a moment, so that everything about a short command arrives in one piece. */
async function coalesce(target: { host: string; port: number }, scratch: Scratch): Promise<number> {
  const server = net.createServer((client) => {
    const upstream = net.connect(target);
    client.pipe(upstream);
    let held: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    upstream.on('data', (chunk: Buffer) => {
      held.push(chunk);
      timer ??= setTimeout(() => {
        timer = undefined;
        client.write(Buffer.concat(held));
        held = [];
      }, 60);
    });
    const end = (): void => {
      clearTimeout(timer);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('close', end).on('error', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scratch.onEnd(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No TCP address');
  return address.port;
}

describe('a command that is over before anybody could listen', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clear());

  it('still hands out its exit code', async () => {
    const key = await makeKeyPair(path.join(await scratch.dir(), 'key'));
    const sshd = await startSshd({ authorizedKeys: [key.publicKey] });
    scratch.onEnd(() => sshd.stop());
    const connection = await connect({ ...sshd, port: await coalesce(sshd, scratch) }, [await identityOf(key.path)]);
    scratch.onEnd(() => connection.end());
    for (let i = 0; i < 5; i++) assert.equal((await connection.run(`echo out; exit ${40 + i}`)).code, 40 + i);
    const channel = await connection.exec('exit 7', { stdin: null });
    channel.resume();
    assert.equal(await new Promise((resolve) => channel.once('exit', resolve)), 7);
  });
});
