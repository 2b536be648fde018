import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { Writable } from 'node:stream';
import { corkTurns } from '../../src/ssh/cork';

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
});
