import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { Writable } from 'node:stream';
import { corkTurns } from '../../src/ssh/cork';
import { openTcp } from '../../src/ssh/tcp';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what is written within one turn', () => {
  it('leaves in one piece, the next turn in another', async () => {
    const pieces: string[] = [];
    const sink = new Writable({
      writev: (chunks, done) => {
        pieces.push(chunks.map(({ chunk }) => String(chunk)).join('+'));
        done();
      },
      write: (chunk, _encoding, done) => {
        pieces.push(String(chunk));
        done();
      },
    });
    const target = sink as Writable & Pick<net.Socket, 'write'>;
    corkTurns(target);
    for (const part of ['length', 'body', 'tag']) target.write(part);
    await turn();
    target.write('later');
    await turn();
    assert.deepEqual(pieces, ['length+body+tag', 'later']);
  });

  it('arrives whole and in order when the socket is ended in the same turn', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    const socket = net.connect(port, '127.0.0.1');
    corkTurns(socket);
    const [peer] = (await once(server, 'connection')) as [net.Socket];
    const heard: Buffer[] = [];
    peer.on('data', (chunk: Buffer) => heard.push(chunk));
    const parts = Array.from({ length: 2_000 }, (_, i) => `${i},`);
    for (const part of parts) socket.write(part);
    socket.end('end');
    await once(peer, 'end');
    assert.equal(Buffer.concat(heard).toString(), `${parts.join('')}end`);
    peer.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is handed to the system at once on every connection that is opened', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const socket = await openTcp('127.0.0.1', (server.address() as net.AddressInfo).port, { deadlineMs: 5_000 });
    const [peer] = await accepted;
    const handed: string[] = [];
    for (const way of ['_write', '_writev'] as const) {
      const hand = Reflect.get(socket, way) as (...args: unknown[]) => void;
      Object.assign(socket, {
        [way](...args: unknown[]) {
          handed.push(way);
          hand.apply(socket, args);
        },
      });
    }
    for (const part of ['length', 'body', 'tag']) socket.write(part);
    const [heard] = (await once(peer, 'data')) as [Buffer];
    assert.equal(heard.toString(), 'lengthbodytag');
    assert.deepEqual(handed, ['_writev']);
    for (const one of [socket, peer]) one.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});
