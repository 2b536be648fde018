// Reads a big file from each server, once as the extension is shipped (without ssh2's native parts) and once with them. Says as
// one line of JSON, by server, the hash of what came and whether the socket's memory was lent.
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import type * as WideSocket from '../../src/ssh/wideSocket';

interface Task {
  readonly native: boolean;
  readonly keyFile: string;
  readonly file: string;
  readonly servers: readonly { readonly host: string; readonly port: number; readonly username: string }[];
}

async function main({ native, keyFile, file, servers }: Task): Promise<unknown[]> {
  if (!native) await import('../bench/asShipped');
  const [{ SshConnection }, { identityOf }, wide] = await Promise.all([import('../../src/ssh/connection'), import('./support'), import('../../src/ssh/wideSocket')]);
  const said: unknown[] = [];
  for (const server of servers) {
    const made = sockets(wide);
    const connection = await SshConnection.connect({ ...server, identities: [await identityOf(keyFile)], verifyHostKey: () => true });
    const hash = createHash('sha256');
    let lent = 0;
    let chunks = 0;
    made[0]?.on('data', () => {
      chunks++;
      if (made[0]?.lends() === true) lent++;
    });
    const channel = await connection.exec(`cat '${file}'`);
    for await (const chunk of channel) hash.update(chunk as Buffer);
    said.push([hash.digest('hex'), lent === 0 ? 'kept' : lent === chunks ? 'lent' : `${lent} of ${chunks} lent`]);
    connection.end();
  }
  return said;
}

/** The sockets that are connected from now on. */
function sockets({ WideSocket: { prototype } }: typeof WideSocket): WideSocket.WideSocket[] {
  const made: WideSocket.WideSocket[] = [];
  const connect = Reflect.get(Socket.prototype, 'connect') as (this: Socket, ...args: unknown[]) => unknown;
  Object.assign(prototype, {
    connect(this: WideSocket.WideSocket, ...args: unknown[]) {
      made.push(this);
      return connect.apply(this, args);
    },
  });
  return made;
}

main(JSON.parse(process.argv[2] ?? '') as Task).then(
  (said) => {
    process.stdout.write(`${JSON.stringify(said)}\n`);
    process.exit(0);
  },
  (error: unknown) => {
    process.stderr.write(String(error));
    process.exit(1);
  },
);
