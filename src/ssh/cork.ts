import type { Socket } from 'node:net';

/**
 * Sends what is written within one turn of the event loop in one piece. ssh2 writes each packet in three parts (length,
 * body, authentication tag), and without Nagle's delay each would be a segment, and a system call, of its own.
 */
export function corkTurns(socket: Pick<Socket, 'write' | 'cork' | 'uncork'>): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let corked = false;
  socket.write = (...args: unknown[]): boolean => {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(() => {
        corked = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
}
