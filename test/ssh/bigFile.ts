// Reads a big file from each server and writes it beside, as the extension is shipped (without ssh2's native parts) or with them.
// Says as one line of JSON, by server, the hash of what came and of what is there then, whether the socket's memory was lent,
// and whether that of what was read and written was freed.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
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
  const [{ SshConnection }, { SftpSession }, { OpenFlag }, { identityOf }, wide] = await Promise.all([
    import('../../src/ssh/connection'),
    import('../../src/files/sftp'),
    import('../../src/files/wire'),
    import('./support'),
    import('../../src/ssh/wideSocket'),
  ]);
  const said: unknown[] = [];
  for (const server of servers) {
    const made = sockets(wide);
    const connection = await SshConnection.connect({ ...server, identities: [await identityOf(keyFile)], verifyHostKey: () => true });
    const lent = new Share();
    made[0]?.on('data', () => lent.count(made[0]?.lends() === true));
    const channel = await connection.rawSftp();
    const sftp = await SftpSession.open(channel);
    const freed = new Share();
    channel.on('data', (chunk: Buffer) => freed.count(chunk.length === 0));
    const handle = await sftp.open(file, OpenFlag.Read);
    const { size = 0 } = await sftp.fstat(handle);
    const whole = Buffer.alloc(size);
    for (let at = 0; at < size; ) at += await sftp.readInto(handle, at, whole.subarray(at, at + sftp.maxRead));
    const sent = made[0] === undefined ? [] : written(made[0]);
    const copy = `${file}.${server.port}`;
    const into = await sftp.open(copy, OpenFlag.Write | OpenFlag.Create);
    await Promise.all(Array.from({ length: Math.ceil(size / sftp.maxWrite) }, (_, i) => sftp.write(into, i * sftp.maxWrite, whole.subarray(i * sftp.maxWrite, (i + 1) * sftp.maxWrite))));
    await sftp.close(into);
    const gone = new Share();
    for (const part of sent) gone.count(part.length === 0);
    said.push([sha256(whole), sha256(await readFile(copy)), lent.words('lent'), freed.words('freed'), gone.words('gone')]);
    connection.end();
  }
  return said;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The packets that are handed to `socket` from now on, big as those of a file are. */
function written(socket: Socket): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]): boolean => {
    const [part] = args;
    if (part instanceof Uint8Array && part.length > 16_384) parts.push(part);
    return write(...args);
  };
  return parts;
}

class Share {
  #counted = 0;
  #so = 0;

  count(so: boolean): void {
    this.#counted++;
    if (so) this.#so++;
  }

  words(what: string): string {
    const share = this.#so / this.#counted;
    return share === 0 ? `nothing ${what}` : share === 1 ? `all ${what}` : `${share > 0.8 ? 'most' : 'some'} ${what}`;
  }
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
