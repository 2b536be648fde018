import type { Socket } from 'node:net';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

// ssh2 decrypts and encrypts each packet of 32 KiB into new memory. Left to the collector, a file of 300 MB makes it walk
// through the whole heap, that of every other extension too, some ten times, and takes a third longer.

/** Fewer bytes are not worth the trouble; half of the pool's that others share, too. */
const worthwhile = 4 * 1024;

let nobody: MessagePort | undefined;

/** A port with nobody at its other end. */
function closedPort(): MessagePort {
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}

/** What is handed to somebody who does not listen is nobody's. Memory that its host does not let go is left to the collector. */
function free(memory: ArrayBuffer): void {
  try {
    (nobody ??= closedPort()).postMessage(undefined, [memory]);
  } catch {
    // Nothing is lost by it, least of all a connection.
  }
}

/** In front of a channel's data, in a packet that was decrypted into memory of its own: padding length, type, channel, length. */
const ownHead = 1 + 1 + 4 + 4;
/** Behind it lies padding of 4 bytes or more, and where a packet was decrypted in place its authentication of 12 or more as well. */
const behindInPlace = 4 + 12;

/**
 * Frees the memory of a channel's data, of which nothing is needed any more; the chunk is empty then. Memory that may be
 * shared with anything else, as of packets that were decrypted in place, is left alone.
 */
export function freeChunk({ buffer, byteOffset, length }: Uint8Array): void {
  const behind = buffer.byteLength - byteOffset - length;
  if (length >= worthwhile && byteOffset === ownHead && behind < behindInPlace && buffer instanceof ArrayBuffer) free(buffer);
}

/**
 * Frees the memory of what ssh2 writes as soon as the system has it: from now on, nobody else may write to `socket`. ssh2 keeps
 * no packet that it has encrypted, and the plain one only for its length, which it writes as it lies there.
 */
export function freeWhenSent(socket: Pick<Socket, 'write'>): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]): boolean => {
    const [part] = args;
    const memory = args.length === 1 && Buffer.isBuffer(part) ? packetMemory(part) : undefined;
    return memory === undefined ? write(...args) : write(part, () => free(memory));
  };
}

/** The memory that holds `part`'s packet, and nothing else. */
function packetMemory(part: Buffer): ArrayBuffer | undefined {
  const { buffer, byteOffset, length } = part;
  if (byteOffset !== 0 || buffer.byteLength < worthwhile || !(buffer instanceof ArrayBuffer)) return undefined;
  const isEncrypted = length === buffer.byteLength;
  const isLengthOfPlain = length === 4 && part.readUInt32BE(0) === buffer.byteLength - length;
  return isEncrypted || isLengthOfPlain ? buffer : undefined;
}
