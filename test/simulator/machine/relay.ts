import * as net from 'node:net';
import type { Duplex } from 'node:stream';

/** A stream to a port of the pod whose relay (`namespace/relay.mjs`) listens on `socketPath`. Rejects when nothing listens. */
export function connectThroughRelay(socketPath: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: socketPath, allowHalfOpen: true });
    const onReadable = (): void => {
      const answer = socket.read(1) as Buffer | null;
      if (answer === null) return;
      socket.off('readable', onReadable).off('error', reject).off('end', onEnd);
      if (answer.toString() === '+') {
        socket.pause();
        resolve(socket);
      } else {
        socket.destroy();
        reject(new Error(`Nothing listens on port ${port} of the pod`));
      }
    };
    const onEnd = (): void => reject(new Error('The pod is gone'));
    socket.once('error', reject).once('end', onEnd).on('readable', onReadable);
    socket.write(`${port}\n`);
  });
}

/** Listens on `socketPath` for a pod's calls to the API and passes them to `port` of this machine. */
export async function serveApiTo(socketPath: string, port: number): Promise<{ close(): void }> {
  const open = new Set<net.Socket>();
  const keep = (socket: net.Socket, other: net.Socket): void => {
    open.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      open.delete(socket);
      if (!socket.readableEnded) other.destroy();
    });
    socket.pipe(other);
  };
  const server = net.createServer({ allowHalfOpen: true }, (pod) => {
    const api = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    keep(pod, api);
    keep(api, pod);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve));
  return {
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
