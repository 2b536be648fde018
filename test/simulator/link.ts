import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { LinkConnection, LinkPace, type LinkTotals } from './machine/linkConnection';
import type { LinkShape, Machine, PublicPort } from './machine';

/** Where a relay leads when it is no simulated pod. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** A public port that can also lead to any TCP server, so that a test can put a slow or cutting link before it. */
export interface LinkPort extends PublicPort {
  /** Leads new connections to `address`; `undefined` refuses them. */
  relayTo(address: TcpAddress | undefined): void;
}

export interface PublicPortOptions {
  readonly link?: LinkShape;
}

const host = '127.0.0.1';

/**
 * Opens a public port that refuses connections until `target` or `relayTo` says where they go.
 *
 * A link with a round trip costs a connection one round trip before its first byte, as TCP's handshake does.
 * `counts.flightsUp` is the number of round trips clients waited for: bytes that a client sends after it has heard the answer
 * to flight n belong to flight n + 1 (a server's unasked greeting is no answer). What is sent without waiting stays in
 * its flight; give the link a round trip well above the server's thinking time, or answers overtake pipelined requests.
 */
export async function openPublicPort(options: PublicPortOptions = {}): Promise<LinkPort> {
  const port = new TcpLinkPort(options.link ?? {});
  await port.open();
  return port;
}

/** A link to any TCP server, for example a plain sshd. It listens from the beginning: whoever hears of it may connect. */
export async function openRelay(address: TcpAddress, link: LinkShape = {}): Promise<LinkPort> {
  const port = new TcpLinkPort(link, () => connectTcp(address));
  await port.open();
  return port;
}

class TcpLinkPort implements LinkPort {
  readonly host = host;
  port = 0;
  #server: net.Server | undefined;
  /** While this port refuses, its number stays taken at a neighbouring address, lest the system give it to an outgoing connection. */
  readonly #guard = net.createServer((stray) => stray.destroy());
  #link: LinkShape;
  #dial: (() => Promise<Duplex>) | undefined;
  #closed = false;
  readonly #connections = new Set<LinkConnection>();
  readonly #pace = { up: new LinkPace(), down: new LinkPace() };
  readonly counts: LinkTotals = { connections: 0, bytesUp: 0, bytesDown: 0, flightsUp: 0 };

  constructor(link: LinkShape, dial?: () => Promise<Duplex>) {
    this.#link = link;
    this.#dial = dial;
  }

  /** Takes a port number for life; goes on listening only where there is somewhere to lead to. */
  async open(): Promise<void> {
    const server = this.#listener();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, host, resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('A TCP listener has no TCP address');
    this.port = address.port;
    this.#server = server;
    await new Promise<void>((resolve) => {
      // Not every system has the whole of 127/8; then there is no guard.
      this.#guard.once('error', () => resolve());
      this.#guard.listen(this.port, '127.0.0.2', resolve);
    });
    this.#follow();
  }

  target(machine: Machine | undefined, privatePort: number): void {
    this.#dial = machine === undefined ? undefined : () => machine.connect(privatePort);
    this.#follow();
  }

  relayTo(address: TcpAddress | undefined): void {
    this.#dial = address === undefined ? undefined : () => connectTcp(address);
    this.#follow();
  }

  shape(link: LinkShape): void {
    this.#link = link;
    for (const connection of this.#connections) connection.shape(link);
    this.#follow();
  }

  cut(): void {
    for (const connection of [...this.#connections]) connection.cut();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.cut();
    const server = this.#server;
    this.#follow();
    this.#guard.close();
    if (server?.listening === true) await new Promise((resolve) => server.once('close', resolve));
  }

  /** Listens or not, as the target and the link say. A port that refuses really does: nothing is bound to it meanwhile. */
  #follow(): void {
    const wanted = !this.#closed && this.#dial !== undefined && this.#link.fault !== 'refuse';
    if (!wanted) {
      this.#server?.close();
      this.#server = undefined;
    } else if (this.#server === undefined) {
      this.#server = this.#listener();
      this.#listenAgain(this.#server);
    }
  }

  /** Another process may hold the number for a moment (an outgoing connection's local port); it is ours again soon. */
  #listenAgain(server: net.Server): void {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
      setTimeout(() => {
        if (this.#server === server) this.#listenAgain(server);
      }, 20);
    });
    server.listen(this.port, host, () => server.removeAllListeners('error'));
  }

  #listener(): net.Server {
    return net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  #accept(client: net.Socket): void {
    const dial = this.#dial;
    if (dial === undefined || this.#closed) {
      client.resetAndDestroy();
      return;
    }
    this.counts.connections++;
    const connection = new LinkConnection(client, dial, this.#link, this.#pace, this.counts);
    this.#connections.add(connection);
    connection.onClosed = () => this.#connections.delete(connection);
  }
}

function connectTcp(address: TcpAddress): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ ...address, allowHalfOpen: true, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
