import { CancelledError, messageOf } from '../base/errors';
import { silentLog, type Logger } from '../base/log';
import { SessionLostError, Status, StatusError } from './errors';
import type { RawSftp } from './host';
import { decodeName, encodeName } from './names';
import { type Attributes, attributes, bytes, type Field, MalformedError, type NameEntry, PacketCutter, PacketReader, packet, Reply, Request, u32, u64 } from './wire';

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

export type Handle = Buffer;

interface Pending {
  readonly sentAt: number;
  readonly silenceMs: number;
  readonly landing: Landing | undefined;
  settle(reply: Buffer | Error): void;
}

/** Where the bytes of a DATA reply may be put at once. */
interface Landing {
  readonly bytes: Uint8Array;
  /** They are there, and the reply ends where they would begin. */
  placed: boolean;
}

/** What statvfs tells of the file system below a path. */
export interface SpaceLeft {
  readonly blockSize: number;
  readonly freeBlocks: number;
  readonly totalBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
  readonly readOnly: boolean;
}

const maxPacket = 4 * 1024 * 1024;
/** What every server must take (draft section 3), less the room for a header. */
const safeChunk = 32 * 1024;
/** Less is cheaper copied than sent in a packet of its own. */
const copyBelow = 16 * 1024;
/** A server that answers everything but one request keeps that one waiting at most so many silences long. */
const patience = 4;
/** Silences that a disk may take to sync a file. */
const fsyncPatience = 4;

/**
 * One SFTP session: requests out, replies back by their number, in any amount at once. Every call ends: with the reply, with
 * `StatusError` when the server says no, with `SessionLostError` when the channel closes or goes silent, with
 * `CancelledError`. Requests are sent in the order of the calls, and a server handles those of one file in that order.
 */
export class SftpSession {
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
  readonly #silenceMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #cutter = new PacketCutter(maxPacket, (p) => this.#receive(p), (head, length) => this.#place(head, length));
  #version: ((reply: Buffer | Error) => void) | undefined;
  #nextId = 0;
  #lastHeard = 0;
  #timer: NodeJS.Timeout | undefined;
  #lost: SessionLostError | undefined;
  #reportClosed: (reason: SessionLostError) => void = () => undefined;

  private constructor(channel: RawSftp, options: SftpOptions) {
    this.#channel = channel;
    this.#silenceMs = options.silenceMs ?? 30_000;
    this.#log = options.log ?? silentLog;
    this.closed = new Promise((resolve) => (this.#reportClosed = resolve));
    channel.on('data', (chunk: Buffer) => this.#hear(chunk));
    channel.on('error', (error: Error) => this.end(error.message));
    for (const event of ['end', 'close']) channel.on(event, () => this.end('The SFTP channel closed'));
    // Bytes that leave are life too: a long upload over a thin link is answered late.
    channel.on('drain', () => (this.#lastHeard = performance.now()));
  }

  /** Greets the server. One round trip. */
  static async open(channel: RawSftp, options: SftpOptions = {}): Promise<SftpSession> {
    const session = new SftpSession(channel, options);
    await session.#greet();
    return session;
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

  async #greet(): Promise<void> {
    const reply = await new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => this.end('The SFTP server did not greet in time'), this.#silenceMs);
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
    this.#extended('limits@openssh.com', [], {}).then(
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
      this.#cutter.push(chunk);
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
  #letGo(handle: Handle): void {
    this.close(handle).catch((error: unknown) => this.#log.debug(`sftp: ${messageOf(error)}`));
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
  #call(type: number, fields: readonly Field[], expected: number, options: CallOptions, data?: Uint8Array, landing?: Landing): Promise<PacketReader> {
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
      const silenceMs = Math.max(options.silenceMs ?? 0, this.#silenceMs);
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
      this.#timer ??= setInterval(() => this.#watch(), Math.min(1000, this.#silenceMs / 4));
      this.#channel.write(packet(type, id, fields, data?.length));
      if (data !== undefined) this.#channel.write(data);
    });
  }

  async #status(type: number, fields: readonly Field[], options: CallOptions = {}): Promise<void> {
    await this.#call(type, fields, Reply.Status, options);
  }

  async #attributes(type: number, fields: readonly Field[], options: CallOptions = {}): Promise<Attributes> {
    return (await this.#call(type, fields, Reply.Attrs, options)).attributes();
  }

  #extended(name: string, fields: readonly Field[], options: CallOptions): Promise<PacketReader> {
    return this.#call(Request.Extended, [bytes(name), ...fields], Reply.Extended, options);
  }

  #path(path: string): Field {
    return bytes(encodeName(path));
  }

  async stat(path: string, options?: CallOptions): Promise<Attributes> {
    return this.#attributes(Request.Stat, [this.#path(path)], options);
  }
  async lstat(path: string, options?: CallOptions): Promise<Attributes> {
    return this.#attributes(Request.Lstat, [this.#path(path)], options);
  }
  async fstat(handle: Handle, options?: CallOptions): Promise<Attributes> {
    return this.#attributes(Request.Fstat, [bytes(handle)], options);
  }
  async setstat(path: string, value: Attributes, options?: CallOptions): Promise<void> {
    return this.#status(Request.Setstat, [this.#path(path), attributes(value)], options);
  }
  async fsetstat(handle: Handle, value: Attributes, options?: CallOptions): Promise<void> {
    return this.#status(Request.Fsetstat, [bytes(handle), attributes(value)], options);
  }

  /** @param flags of `OpenFlag`. */
  async open(path: string, flags: number, value: Attributes = {}, options: CallOptions = {}): Promise<Handle> {
    return (await this.#call(Request.Open, [this.#path(path), u32(flags), attributes(value)], Reply.Handle, options)).handle();
  }
  async close(handle: Handle, options?: CallOptions): Promise<void> {
    return this.#status(Request.Close, [bytes(handle)], options);
  }

  /** At most `length` bytes from `offset`; an empty buffer at the end of the file. May be shorter without being the end. */
  async read(handle: Handle, offset: number, length: number, options: CallOptions = {}): Promise<Buffer> {
    try {
      const data = (await this.#call(Request.Read, [bytes(handle), u64(offset), u32(length)], Reply.Data, options)).string();
      if (data.length > length) throw new SessionLostError('The SFTP server sent more than was asked for');
      return data;
    } catch (error) {
      if (error instanceof StatusError && error.status === Status.Eof) return Buffer.alloc(0);
      throw error;
    }
  }
  /** As `read`, into the beginning of `into`, as many bytes as it holds; gives their number. The bytes are copied once. */
  async readInto(handle: Handle, offset: number, into: Uint8Array, options: CallOptions = {}): Promise<number> {
    const landing = { bytes: into, placed: false };
    try {
      const reader = await this.#call(Request.Read, [bytes(handle), u64(offset), u32(into.length)], Reply.Data, options, undefined, landing);
      if (landing.placed) return reader.u32();
      const data = reader.string();
      if (data.length > into.length) throw new SessionLostError('The SFTP server sent more than was asked for');
      into.set(data);
      return data.length;
    } catch (error) {
      if (error instanceof StatusError && error.status === Status.Eof) return 0;
      throw error;
    }
  }
  /** @param data at most `maxWrite` bytes, not to be changed before the answer. */
  async write(handle: Handle, offset: number, data: Uint8Array, options: CallOptions = {}): Promise<void> {
    const place = [bytes(handle), u64(offset)];
    // What is big goes out as it lies in memory; what is small in one piece with its head.
    if (data.length < copyBelow) await this.#call(Request.Write, [...place, bytes(data)], Reply.Status, options);
    else await this.#call(Request.Write, [...place, u32(data.length)], Reply.Status, options, data);
  }

  async opendir(path: string, options: CallOptions = {}): Promise<Handle> {
    return (await this.#call(Request.Opendir, [this.#path(path)], Reply.Handle, options)).handle();
  }
  /** The next entries, in the server's own portions; `undefined` after the last. */
  async readdir(handle: Handle, options: CallOptions = {}): Promise<NameEntry[] | undefined> {
    try {
      return (await this.#call(Request.Readdir, [bytes(handle)], Reply.Name, options)).names();
    } catch (error) {
      if (error instanceof StatusError && error.status === Status.Eof) return undefined;
      throw error;
    }
  }

  async remove(path: string, options?: CallOptions): Promise<void> {
    return this.#status(Request.Remove, [this.#path(path)], options);
  }
  async mkdir(path: string, value: Attributes = {}, options?: CallOptions): Promise<void> {
    return this.#status(Request.Mkdir, [this.#path(path), attributes(value)], options);
  }
  async rmdir(path: string, options?: CallOptions): Promise<void> {
    return this.#status(Request.Rmdir, [this.#path(path)], options);
  }
  /** Refuses, on every server we know, when `to` exists. */
  async rename(from: string, to: string, options?: CallOptions): Promise<void> {
    return this.#status(Request.Rename, [this.#path(from), this.#path(to)], options);
  }
  async readlink(path: string, options: CallOptions = {}): Promise<string> {
    return this.#oneName(Request.Readlink, path, options);
  }
  async realpath(path: string, options: CallOptions = {}): Promise<string> {
    return this.#oneName(Request.Realpath, path, options);
  }
  /** OpenSSH has these two arguments the other way round than the draft; every server has followed it. */
  async symlink(target: string, link: string, options?: CallOptions): Promise<void> {
    return this.#status(Request.Symlink, [this.#path(target), this.#path(link)], options);
  }

  /** `rename(2)`: replaces `to` in one step. Needs `posix-rename@openssh.com`. */
  async posixRename(from: string, to: string, options?: CallOptions): Promise<void> {
    return this.#status(Request.Extended, [bytes('posix-rename@openssh.com'), this.#path(from), this.#path(to)], options);
  }
  /** Needs `fsync@openssh.com`. */
  async fsync(handle: Handle, options?: CallOptions): Promise<void> {
    return this.#status(Request.Extended, [bytes('fsync@openssh.com'), bytes(handle)], { silenceMs: fsyncPatience * this.#silenceMs, ...options });
  }
  /** Needs `hardlink@openssh.com`. */
  async hardlink(from: string, to: string, options?: CallOptions): Promise<void> {
    return this.#status(Request.Extended, [bytes('hardlink@openssh.com'), this.#path(from), this.#path(to)], options);
  }
  /** SETSTAT on a link itself. Needs `lsetstat@openssh.com`. */
  async lsetstat(path: string, value: Attributes, options?: CallOptions): Promise<void> {
    return this.#status(Request.Extended, [bytes('lsetstat@openssh.com'), this.#path(path), attributes(value)], options);
  }
  /** Copies on the server; `length` 0 means to the end. Needs `copy-data`. */
  async copyData(from: Handle, fromOffset: number, length: number, to: Handle, toOffset: number, options?: CallOptions): Promise<void> {
    const fields = [bytes('copy-data'), bytes(from), u64(fromOffset), u64(length), bytes(to), u64(toOffset)];
    return this.#status(Request.Extended, fields, { silenceMs: 600_000, ...options });
  }
  /** Needs `statvfs@openssh.com`. A network volume shows its pool, not its own size. */
  async statvfs(path: string, options: CallOptions = {}): Promise<SpaceLeft> {
    const reader = await this.#extended('statvfs@openssh.com', [this.#path(path)], options);
    reader.u64();
    const blockSize = reader.u64();
    const totalBlocks = reader.u64();
    reader.u64();
    const freeBlocks = reader.u64();
    const files = reader.u64();
    reader.u64();
    const freeFiles = reader.u64();
    reader.u64();
    return { blockSize, totalBlocks, freeBlocks, files, freeFiles, readOnly: (reader.u64() & 1) !== 0 };
  }

  async #oneName(type: number, path: string, options: CallOptions): Promise<string> {
    const names = (await this.#call(type, [this.#path(path)], Reply.Name, options)).names();
    const first = names[0];
    if (first === undefined) throw new StatusError(Status.Failure, 'an empty NAME reply');
    return decodeName(first.name);
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
