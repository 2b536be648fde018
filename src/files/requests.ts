import { CancelledError, messageOf } from '../base/errors';
import { silentLog, type Logger } from '../base/log';
import { freeChunk } from '../ssh/chunkMemory';
import { SessionLostError, Status, StatusError } from './errors';
import type { RawSftp } from './host';
import { bytes, type Field, MalformedError, PacketCutter, PacketReader, packet, Reply, Request, u32 } from './wire';

export interface SftpOptions {
  /** Milliseconds without a byte from the server after which an unanswered request gives the session up. */
  readonly silenceMs?: number;
  readonly log?: Logger;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds instead of the session's `silenceMs`: for what makes a disk work, such as fsync. */
  readonly silenceMs?: number;
}

interface Pending {
  readonly sentAt: number;
  readonly silenceMs: number;
  readonly landing: Landing | undefined;
  settle(reply: Buffer | Error): void;
}

/** Where the bytes of a DATA reply may be put at once. */
export interface Landing {
  readonly bytes: Uint8Array;
  /** They are there, and the reply ends where they would begin. */
  placed: boolean;
}

const maxPacket = 4 * 1024 * 1024;
/** What every server must take (draft section 3), less the room for a header. */
const safeChunk = 32 * 1024;
/** A server that answers everything but one request keeps that one waiting at most so many silences long. */
const patience = 4;

/**
 * Requests out on one channel, replies back by their number, in any amount at once. Every call ends: with the reply, with
 * `StatusError` when the server says no, with `SessionLostError` when the channel closes or goes silent, with
 * `CancelledError`. Requests are sent in the order of the calls, and a server handles those of one file in that order.
 */
export abstract class Requests {
  /** What the server advertised, name → version. */
  readonly extensions = new Map<string, string>();
  /** Settles, never rejects, with the reason, when the session can no longer be used. */
  readonly closed: Promise<SessionLostError>;
  /** Bytes that one READ may ask for, and one WRITE carry. */
  maxRead = safeChunk;
  maxWrite = safeChunk;
  /** Milliseconds of the quickest answer so far; 0 before the first. */
  roundTripMs = 0;

  readonly #channel: RawSftp;
  readonly #log: Logger;
  protected readonly silenceMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #cutter = new PacketCutter(maxPacket, (p) => this.#receive(p), (head, length) => this.#place(head, length));
  #version: ((reply: Buffer | Error) => void) | undefined;
  #nextId = 0;
  #lastHeard = 0;
  #timer: NodeJS.Timeout | undefined;
  #lost: SessionLostError | undefined;
  #reportClosed: (reason: SessionLostError) => void = () => undefined;

  protected constructor(channel: RawSftp, options: SftpOptions) {
    this.#channel = channel;
    this.silenceMs = options.silenceMs ?? 30_000;
    this.#log = options.log ?? silentLog;
    this.closed = new Promise((resolve) => (this.#reportClosed = resolve));
    channel.on('data', (chunk: Buffer) => this.#hear(chunk));
    channel.on('error', (error: Error) => this.end(error.message));
    for (const event of ['end', 'close']) channel.on(event, () => this.end('The SFTP channel closed'));
    // Bytes that leave are life too: a long upload over a thin link is answered late.
    channel.on('drain', () => (this.#lastHeard = performance.now()));
  }

  get isOpen(): boolean {
    return this.#lost === undefined;
  }

  has(extension: string): boolean {
    return this.extensions.has(extension);
  }

  /** Ends the session; all that waits is told so. Safe to call twice. */
  end(reason = 'The SFTP session was ended'): void {
    if (this.#lost !== undefined) return;
    const lost = new SessionLostError(reason);
    this.#lost = lost;
    clearInterval(this.#timer);
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    this.#version?.(lost);
    for (const request of waiting) request.settle(lost);
    this.#channel.destroy();
    this.#reportClosed(lost);
  }

  /** Greets the server. One round trip. */
  protected async greet(): Promise<void> {
    const reply = await new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => this.end('The SFTP server did not greet in time'), this.silenceMs);
      this.#version = (r) => {
        clearTimeout(timer);
        this.#version = undefined;
        if (r instanceof Error) reject(r);
        else resolve(r);
      };
      if (this.#lost !== undefined) this.#version(this.#lost);
      else this.#channel.write(packet(Request.Init, undefined, [u32(3)]));
    });
    const reader = new PacketReader(reply);
    reader.u8();
    const version = reader.u32();
    if (version < 3) {
      this.end(`The server speaks SFTP version ${version}`);
      throw this.#lost ?? new SessionLostError('');
    }
    while (reader.left > 0) this.extensions.set(reader.string().toString(), reader.string().toString());
    if (this.has('limits@openssh.com')) this.#askLimits();
  }

  /** Not waited for: replies come in order, so the limits are known before anything that is asked after them comes back. */
  #askLimits(): void {
    this.extended('limits@openssh.com', [], {}).then(
      (reader) => {
        const maxOut = reader.u64();
        const maxRead = reader.u64();
        const maxWrite = reader.u64();
        if (maxRead > 0) this.maxRead = Math.min(maxRead, maxPacket - 1024);
        if (maxWrite > 0) this.maxWrite = Math.min(maxWrite, maxOut > 1024 ? maxOut - 1024 : maxWrite, maxPacket);
      },
      (error: unknown) => this.#log.debug(`sftp: no limits: ${messageOf(error)}`),
    );
  }

  #hear(chunk: Buffer): void {
    this.#lastHeard = performance.now();
    try {
      if (this.#cutter.push(chunk)) freeChunk(chunk);
    } catch (error) {
      this.end(`The SFTP server spoke nonsense: ${messageOf(error)}`);
    }
  }

  /** Where a DATA reply's bytes are wanted, when it is what was asked for. */
  #place(head: Buffer, length: number): Uint8Array | undefined {
    if (head[0] !== Reply.Data || head.readUInt32BE(5) !== length) return undefined;
    const landing = this.#pending.get(head.readUInt32BE(1))?.landing;
    if (landing === undefined || length > landing.bytes.length) return undefined;
    landing.placed = true;
    return landing.bytes;
  }

  #receive(reply: Buffer): void {
    if (this.#lost !== undefined) return;
    if (this.#version !== undefined) {
      if (reply[0] !== Reply.Version) throw new MalformedError('no VERSION in answer to INIT');
      return this.#version(reply);
    }
    if (reply.length < 5) throw new MalformedError('a reply without a number');
    const id = reply.readUInt32BE(1);
    const request = this.#pending.get(id);
    // An answer to a request that was cancelled, or a number that never was: either way nobody waits for it.
    if (request === undefined) {
      this.#log.debug(`sftp: a reply nobody waits for (${id})`);
      if (reply[0] === Reply.Handle) this.#letGo(Buffer.from(new PacketReader(reply.subarray(5)).string()));
      return;
    }
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#rest();
    const took = performance.now() - request.sentAt;
    if (this.roundTripMs === 0 || took < this.roundTripMs) this.roundTripMs = took;
    request.settle(reply);
  }

  /** A handle that came too late is closed, or the server would run out of them. */
  #letGo(handle: Buffer): void {
    this.status(Request.Close, [bytes(handle)]).catch((error: unknown) => this.#log.debug(`sftp: ${messageOf(error)}`));
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #watch(): void {
    const now = performance.now();
    for (const [id, request] of this.#pending) {
      const silent = now - Math.max(request.sentAt, this.#lastHeard) > request.silenceMs;
      if (silent) return this.end(`No answer from the SFTP server for ${Math.round(request.silenceMs / 1000)} s`);
      if (now - request.sentAt > patience * request.silenceMs) {
        this.#pending.delete(id);
        request.settle(new SessionLostError('The SFTP server left a request unanswered'));
        // What it may still do with that request is unknown, so nothing more is built on this session.
        return this.end('The SFTP server left a request unanswered');
      }
    }
  }

  /** @param data sent behind the last field, which is its length. */
  protected call(type: number, fields: readonly Field[], expected: number, options: CallOptions, data?: Uint8Array, landing?: Landing): Promise<PacketReader> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      const { signal } = options;
      if (signal?.aborted === true) return reject(new CancelledError());
      const id = this.#nextId;
      this.#nextId = (this.#nextId + 1) >>> 0;
      const onAbort = (): void => {
        this.#pending.delete(id);
        reject(new CancelledError());
      };
      const silenceMs = Math.max(options.silenceMs ?? 0, this.silenceMs);
      this.#pending.set(id, {
        sentAt: performance.now(),
        silenceMs,
        landing,
        settle: (reply) => {
          signal?.removeEventListener('abort', onAbort);
          if (reply instanceof Error) return reject(reply);
          try {
            resolve(check(reply, expected));
          } catch (error) {
            reject(error instanceof StatusError ? error : new SessionLostError(messageOf(error)));
            if (!(error instanceof StatusError)) this.end(`The SFTP server spoke nonsense: ${messageOf(error)}`);
          }
        },
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#timer ??= setInterval(() => this.#watch(), Math.min(1000, this.silenceMs / 4));
      this.#channel.write(packet(type, id, fields, data?.length));
      if (data !== undefined) this.#channel.write(data);
    });
  }

  protected async status(type: number, fields: readonly Field[], options: CallOptions = {}): Promise<void> {
    await this.call(type, fields, Reply.Status, options);
  }

  protected extended(name: string, fields: readonly Field[], options: CallOptions): Promise<PacketReader> {
    return this.call(Request.Extended, [bytes(name), ...fields], Reply.Extended, options);
  }
}

/** The reply's fields when it is of the kind that was asked for (or OK), else the server's refusal. */
function check(reply: Buffer, expected: number): PacketReader {
  const reader = new PacketReader(reply);
  const type = reader.u8();
  reader.u32();
  if (type === Reply.Status) {
    const status = reader.u32();
    if (status !== Status.Ok) throw new StatusError(status, reader.left >= 4 ? reader.string().toString() : '');
    if (expected !== Reply.Status) throw new MalformedError('OK where an answer was due');
  } else if (type !== expected) throw new MalformedError(`reply ${type} where ${expected} was due`);
  return reader;
}
