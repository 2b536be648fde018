import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import type { LinkShape } from '../machine';

/** What a port has counted since it opened. */
export interface LinkTotals {
  connections: number;
  bytesUp: number;
  bytesDown: number;
  flightsUp: number;
}

/** One direction's bandwidth, shared by all connections of a port. */
export class LinkPace {
  #freeAt = 0;

  /** The time (of `performance.now`) at which `bytes` handed over now have passed the bottleneck. */
  take(bytes: number, bytesPerSecond: number | undefined): number {
    const now = performance.now();
    if (bytesPerSecond === undefined) return now;
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes / bytesPerSecond) * 1000;
    return this.#freeAt;
  }
}

interface DataParcel {
  readonly kind: 'data';
  readonly bytes: Buffer;
  readonly due: number;
  readonly flight: number;
}
/** The sender has said all (`end`) or is gone without a word. */
interface LastParcel {
  readonly kind: 'end' | 'gone';
  readonly due: number;
}
type Parcel = DataParcel | LastParcel;

/** Bytes on their way before the sender is paused: enough that a fast link with a long round trip stays full. */
const bytesInTransit = 8 << 20;

/** One direction of a connection: holds what it is given until it is due, order kept. */
class Lane {
  readonly #queue: Parcel[] = [];
  #queued = 0;
  #timer: NodeJS.Timeout | undefined;
  #allowance = Infinity;
  #blocked = false;
  sink: Duplex | undefined;
  held = false;
  /** The highest flight that has come out at the far end. */
  delivered = 0;
  notBefore = 0;
  onSpent: () => void = () => undefined;
  onGone: () => void = () => undefined;

  constructor(
    readonly source: Duplex,
    readonly pace: LinkPace,
    private link: LinkShape,
  ) {}

  shape(link: LinkShape, held: boolean, allowance: number | undefined): void {
    this.link = link;
    this.held = held;
    this.#allowance = allowance ?? Infinity;
    this.#flow();
    this.run();
  }

  data(bytes: Buffer, flight: number): void {
    // A slow link trickles: large chunks pass its bottleneck in pieces of a twentieth of a second.
    const piece = Math.max(1, Math.min(bytes.length, Math.ceil((this.link.bytesPerSecond ?? Infinity) / 20)));
    for (let at = 0; at < bytes.length; at += piece) {
      const part = bytes.subarray(at, at + piece);
      this.#push({ kind: 'data', bytes: part, flight, due: this.#due(this.pace.take(part.length, this.link.bytesPerSecond)) });
    }
    this.#queued += bytes.length;
    this.#flow();
    this.run();
  }

  end(kind: 'end' | 'gone'): void {
    this.#push({ kind, due: this.#due(performance.now()) });
    this.run();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.held = true;
  }

  /** Hands over what is due. Nothing overtakes: a later parcel is never due before an earlier one. */
  run(): void {
    clearTimeout(this.#timer);
    for (;;) {
      const parcel = this.#queue[0];
      if (parcel === undefined || this.sink === undefined || this.held || this.#blocked) return;
      const wait = parcel.due - performance.now();
      if (wait > 0.2) {
        this.#timer = setTimeout(() => this.run(), wait);
        return;
      }
      this.#queue.shift();
      this.#deliver(parcel, this.sink);
    }
  }

  #deliver(parcel: Parcel, sink: Duplex): void {
    if (parcel.kind !== 'data') {
      if (parcel.kind === 'end') sink.end();
      else this.onGone();
      return;
    }
    this.#queued -= parcel.bytes.length;
    const bytes = parcel.bytes.subarray(0, this.#allowance);
    this.#allowance -= bytes.length;
    this.delivered = Math.max(this.delivered, parcel.flight);
    if (this.#allowance === 0) {
      this.held = true;
      sink.write(bytes, () => this.onSpent());
      return;
    }
    if (sink.writable && !sink.write(bytes)) {
      this.#blocked = true;
      sink.once('drain', () => {
        this.#blocked = false;
        this.run();
      });
    }
    this.#flow();
  }

  #due(sent: number): number {
    return Math.max(sent, this.notBefore) + (this.link.rttMs ?? 0) / 2;
  }

  #push(parcel: Parcel): void {
    const last = this.#queue.at(-1);
    this.#queue.push(last !== undefined && last.due > parcel.due ? { ...parcel, due: last.due } : parcel);
  }

  #flow(): void {
    const { bytesPerSecond, rttMs = 0 } = this.link;
    const limit = bytesPerSecond === undefined ? bytesInTransit : Math.min(bytesInTransit, 65_536 + (bytesPerSecond * rttMs) / 1000);
    if (this.#queued > limit) this.source.pause();
    else if (this.source.isPaused()) this.source.resume();
  }
}

/** A client's connection, the connection to its server, and the two lanes between them. */
export class LinkConnection {
  onClosed: () => void = () => undefined;
  #up: Lane;
  #down: Lane | undefined;
  #server: Duplex | undefined;
  #link: LinkShape;
  #closed = false;
  #flight = 0;
  #dialled = false;
  #dialTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly client: net.Socket,
    private readonly dial: () => Promise<Duplex>,
    link: LinkShape,
    private readonly pace: { readonly up: LinkPace; readonly down: LinkPace },
    private readonly totals: LinkTotals,
  ) {
    this.#link = link;
    const rtt = link.rttMs ?? 0;
    this.#up = new Lane(client, pace.up, link);
    // The handshake's round trip: what the client says at once leaves it only when a real client would know it is connected.
    this.#up.notBefore = performance.now() + rtt;
    this.#up.shape(link, link.fault === 'blackhole' || link.fault === 'stall', link.cutAfterBytesUp);
    this.#up.onSpent = () => this.#destroy(false);
    this.#up.onGone = () => this.#destroy(false);
    client.on('data', (chunk: Buffer) => this.#sent(chunk));
    client.on('end', () => this.#up.end('end'));
    client.on('error', () => this.#up.end('gone'));
    client.on('close', () => this.#sideClosed(this.#up));
    this.#dialTimer = setTimeout(() => this.#dialWhenLet(), rtt * 1.5);
  }

  shape(link: LinkShape): void {
    const wasBlackhole = this.#link.fault === 'blackhole' && this.#up.held;
    this.#link = link;
    // A black hole swallows connections that open in it; those that were there before go on.
    const held = link.fault === 'stall' || (link.fault === 'blackhole' && wasBlackhole);
    this.#up.shape(link, held, link.cutAfterBytesUp);
    this.#down?.shape(link, held, link.cutAfterBytesDown);
    if (this.#dialTimer === undefined) this.#dialWhenLet();
  }

  cut(): void {
    this.#destroy(true);
  }

  #sent(chunk: Buffer): void {
    const flight = (this.#down?.delivered ?? 0) + 1;
    if (flight > this.#flight) {
      this.totals.flightsUp += flight - this.#flight;
      this.#flight = flight;
    }
    this.totals.bytesUp += chunk.length;
    this.#up.data(chunk, flight);
  }

  #dialWhenLet(): void {
    this.#dialTimer = undefined;
    if (this.#up.held || this.#dialled || this.#closed) return;
    this.#dialled = true;
    this.dial().then(
      (server) => this.#join(server),
      () => this.#destroy(true),
    );
  }

  #join(server: Duplex): void {
    this.#server = server;
    if (this.#closed) {
      server.destroy();
      return;
    }
    const down = new Lane(server, this.pace.down, this.#link);
    this.#down = down;
    down.sink = this.client;
    down.onSpent = () => this.#destroy(false);
    down.onGone = () => this.#destroy(false);
    down.shape(this.#link, this.#up.held, this.#link.cutAfterBytesDown);
    server.on('data', (chunk: Buffer) => {
      this.totals.bytesDown += chunk.length;
      down.data(chunk, this.#up.delivered);
    });
    server.on('end', () => down.end('end'));
    server.on('error', () => down.end('gone'));
    server.on('close', () => this.#sideClosed(down));
    this.#up.sink = server;
    this.#up.run();
  }

  /** A side that closed without saying good-bye takes the other with it, once what it said before has arrived. */
  #sideClosed(lane: Lane): void {
    if (!lane.source.readableEnded) lane.end('gone');
    else if (this.client.closed && this.#server?.closed === true) this.#destroy(false);
  }

  #destroy(abruptly: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#dialTimer);
    this.#up.stop();
    this.#down?.stop();
    this.#server?.destroy();
    if (abruptly) this.client.resetAndDestroy();
    else this.client.destroy();
    this.onClosed();
  }
}
