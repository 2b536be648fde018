import { FileError, StatusError } from './errors';
import { keepBusy } from './keepBusy';
import { isDirectory, isFifo, kindOf } from './kinds';
import { outcome, type Room, unawaited } from './room';
import type { Handle, SftpSession } from './sftp';
import { type Attributes, OpenFlag } from './wire';

export interface ReadOptions {
  /** A file of more bytes is refused with `too-large` before it is pulled. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** Files of more bytes get a channel of their own. */
const bigFile = 16 * 1024 * 1024;
/** READs under way at most: of OpenSSH's 255 KiB each they fill a channel's window of 8 MiB … */
const mostReads = 32;
/** … which it takes at a round trip of 50 ms. What waits on the pod to be sent only costs it memory and time. */
const readsFor = (roundTripMs: number): number => Math.min(mostReads, 12 + Math.round(roundTripMs * 0.4));
const unblockMs = 3_000;

/** The whole file, links followed. Two round trips for one that fits into one READ. */
export async function readFile(room: Room, path: string, options: ReadOptions = {}): Promise<Uint8Array> {
  room.cache.use(path);
  return room.reads.run(() => room.sessions.use(path, true, (session) => readOn(room, session, path, options), options.signal), options.signal);
}

async function readOn(room: Room, session: SftpSession, path: string, options: ReadOptions): Promise<Uint8Array> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const asked = outcome(session.stat(path, call));
  const opened = outcome(session.open(path, OpenFlag.Read, {}, call));
  const found = await asked;
  if (found.ok && isFifo(found.value)) await unblock(room, session, path);
  const handle = await opened;
  if (found.ok) {
    const refusal = refuse(path, found.value, options);
    if (refusal !== undefined) {
      if (handle.ok) unawaited(session.close(handle.value), room.log);
      throw refusal;
    }
  }
  if (!handle.ok) throw handle.error;
  const size = found.value?.size ?? 0;
  if (size > 0 && size <= session.maxRead) {
    const whole = await readSmall(session, path, handle.value, options);
    if (whole !== undefined) return whole;
    // It changed under our hands, or the server is stingy: once more, with patience.
    return readOpened(room, session, path, await session.open(path, OpenFlag.Read, {}, call), options);
  }
  return readOpened(room, session, path, handle.value, options);
}

function refuse(path: string, found: Attributes, { maxBytes }: ReadOptions): FileError | undefined {
  const kind = kindOf(found);
  if (isDirectory(found)) return new FileError('is-a-directory', path);
  if (kind === 'special') return new FileError('unsupported', path, 'a device, pipe or socket');
  if (maxBytes !== undefined && (found.size ?? 0) > maxBytes) return new FileError('too-large', path, `${found.size} bytes`);
  return undefined;
}

/** The size, the bytes and the close in one round trip; `undefined` when they do not make a whole file. */
async function readSmall(session: SftpSession, path: string, handle: Handle, options: ReadOptions): Promise<Uint8Array | undefined> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const [now, data] = await Promise.all([outcome(session.fstat(handle, call)), outcome(session.read(handle, 0, session.maxRead, call)), outcome(session.close(handle))]);
  if (!now.ok) throw now.error;
  if (!data.ok) throw data.error;
  const refusal = refuse(path, now.value, options);
  if (refusal !== undefined) throw refusal;
  return data.value.length > 0 && data.value.length >= (now.value.size ?? Infinity) ? data.value : undefined;
}

async function readOpened(room: Room, session: SftpSession, path: string, handle: Handle, options: ReadOptions): Promise<Uint8Array> {
  try {
    const call = options.signal === undefined ? {} : { signal: options.signal };
    const [now, first] = await Promise.all([session.fstat(handle, call), outcome(session.read(handle, 0, session.maxRead, call))]);
    const refusal = refuse(path, now, options);
    if (refusal !== undefined) throw refusal;
    if (!first.ok) throw first.error;
    const size = now.size ?? 0;
    // `/proc` says 0 of files that hold something, and only their end tells how much.
    if (size <= first.value.length) return first.value.length === 0 ? first.value : await readToEnd(path, first.value, size, options, (at) => session.read(handle, at, session.maxRead, call));
    if (size >= bigFile) {
      const big = await outcome(room.sessions.withLanes(session, ([lane]) => readOnLane(lane, session, path, options), 1));
      if (big.ok && big.value !== undefined) return big.value;
      // Whatever became of the other channel, this one has the file open.
      if (options.signal?.aborted === true) throw big.error;
    }
    const into = Buffer.allocUnsafeSlow(size);
    first.value.copy(into);
    return await fill(session, handle, into, first.value.length, options);
  } finally {
    unawaited(session.close(handle), room.log);
  }
}

async function readToEnd(path: string, first: Buffer, size: number, { maxBytes }: ReadOptions, read: (at: number) => Promise<Buffer>): Promise<Uint8Array> {
  // A regular file that told its size has no more to say.
  if (size > 0) return first;
  const parts = [first];
  let length = first.length;
  for (;;) {
    if (length > (maxBytes ?? Infinity)) throw new FileError('too-large', path, `more than ${maxBytes} bytes`);
    const part = await read(length);
    if (part.length === 0) return Buffer.concat(parts);
    parts.push(part);
    length += part.length;
  }
}

/**
 * The file on a channel of its own, so that nothing small waits behind it; `undefined` where there is none. One handle gives one
 * consistent file, and its channel's window is wide enough for a far pod.
 */
async function readOnLane(lane: SftpSession | undefined, main: SftpSession, path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
  if (lane === undefined || lane === main) return undefined;
  const handle = await lane.open(path, OpenFlag.Read);
  try {
    const now = await lane.fstat(handle);
    if (refuse(path, now, options) !== undefined || now.size === undefined) return undefined;
    return await fill(lane, handle, Buffer.allocUnsafeSlow(now.size), 0, options);
  } finally {
    void outcome(lane.close(handle));
  }
}

/** Fills `into` from `start` on. Short answers are asked on; a file that turns out shorter gives what there was. */
async function fill(session: SftpSession, handle: Handle, into: Buffer, start: number, options: ReadOptions): Promise<Uint8Array> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  let next = start;
  let end = into.length;
  const take = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to && at < end; ) {
      const length = await session.readInto(handle, at, into.subarray(at, to), call);
      if (length === 0) end = Math.min(end, at);
      at += length;
    }
  };
  await keepBusy(readsFor(session.roundTripMs), () => {
    const from = next;
    next = Math.min(into.length, from + session.maxRead);
    return from < end ? take(from, next) : undefined;
  });
  return into.subarray(0, end);
}

/**
 * OPEN of a pipe waits for its writer, and the server waits with it. A second session opens the pipe for both reading
 * and writing, which waits for nobody and lets the first one go; nothing is read from it.
 */
async function unblock(room: Room, session: SftpSession, path: string): Promise<void> {
  const timer = setTimeout(() => session.end('The SFTP server waits for a pipe'), unblockMs);
  try {
    await room.sessions.aside(async (other) => other.close(await other.open(path, OpenFlag.Read | OpenFlag.Write)));
  } catch (error) {
    if (error instanceof StatusError) session.end('The SFTP server waits for a pipe');
    else throw error;
  } finally {
    clearTimeout(timer);
  }
}
