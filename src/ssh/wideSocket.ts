import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';
import type { Client } from 'ssh2';

/**
 * Read at once, into one buffer. Node alone takes 64 KiB at a time, each into new memory: most packets come in two pieces,
 * which are decrypted and joined one by one, and a big file takes a third longer.
 */
const readBytes = 1024 * 1024;

/** A TCP socket, not connected yet, without Nagle's delay, that takes much at once from the system. */
export class WideSocket extends Socket {
  /** Whether its listeners are done with a chunk when they return: then nothing is copied for them. */
  lends: () => boolean = () => false;

  constructor() {
    const deliver = (bytes: number, buffer: Uint8Array): boolean => {
      const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, bytes);
      // A stream that is paused, or has something left to give, keeps what comes.
      if (this.readableFlowing !== true || this.readableLength > 0 || !this.lends()) return this.push(Buffer.from(chunk));
      this.emit('data', chunk);
      return true;
    };
    const options: SocketConstructorOpts & Pick<ConnectOpts, 'onread'> = { onread: { buffer: Buffer.allocUnsafeSlow(readBytes), callback: deliver } };
    super(options);
    this.setNoDelay(true);
  }
}

/** The parts of ssh2's client that its types do not tell of (ssh2 1.17). */
interface Inner {
  readonly _protocol: { readonly _decipher: object };
}

/**
 * Lends `socket`'s chunks to `client` while it decrypts them piece by piece with Node's own cryptography, into new memory.
 * Every other way, and what is not encrypted, keeps parts of a chunk until the next one comes.
 */
export function lendChunks(socket: WideSocket, client: Client): void {
  const { _protocol: protocol } = client as unknown as Partial<Inner>;
  // Asked each time: keys, and with them what decrypts, are exchanged anew in long connections.
  socket.lends = () => protocol?._decipher !== undefined && '_decipherInstance' in protocol._decipher;
}
