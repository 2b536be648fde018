import { FileError, StatusError } from './errors';
import { isDirectory, isFifo, kindOf } from './kinds';
import { outcome, type Room, runOnPod, unawaited } from './room';
import { assign, script } from './shell';
import type { Handle, SftpSession } from './sftp';
import { type Attributes, OpenFlag } from './wire';

export interface ReadOptions {
  /** A file of more bytes is refused with `too-large` before it is pulled. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** Files of more bytes are spread over several channels. */
const bigFile = 16 * 1024 * 1024;
/** READs that one channel has under way: with OpenSSH's 255 KiB they fill an SSH channel's window twice over. */
const inFlight = 16;
const identifyMs = 10_000;
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
      const big = await room.sessions.withLanes(session, (sessions) => readWide(room, sessions, path, options));
      if (big !== undefined) return big;
    }
    const into = Buffer.allocUnsafeSlow(size);
    first.value.copy(into);
    return await fill([{ session, handle }], into, first.value.length, options);
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
 * One file over several channels, each with a handle of its own. That all have opened the same file is certain only when
 * its name led to one inode, unchanged, before and after; SFTP cannot tell, the shell can. `undefined` when it is not
 * so: then a single handle gives a consistent answer.
 */
async function readWide(room: Room, sessions: readonly SftpSession[], path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
  const before = await identify(room, path);
  if (before === undefined) return undefined;
  const opened = (await Promise.all(sessions.map(async (session) => ({ session, handle: await outcome(session.open(path, OpenFlag.Read)) })))).flatMap(({ session, handle }) =>
    handle.ok ? [{ session, handle: handle.value }] : [],
  );
  try {
    if (opened.length < 2) return undefined;
    const data = await outcome(fill(opened, Buffer.allocUnsafeSlow(before.size), 0, options));
    if (!data.ok && options.signal?.aborted === true) throw data.error;
    return data.ok && data.value.length === before.size && (await identify(room, path))?.all === before.all ? data.value : undefined;
  } finally {
    for (const { session, handle } of opened) unawaited(session.close(handle), room.log);
  }
}

/** The file behind a name: device, inode, size and times as fine as the pod knows them. */
async function identify(room: Room, path: string): Promise<{ readonly size: number; readonly all: string } | undefined> {
  if (!(await room.sessions.hasShell())) return undefined;
  const asked = await outcome(runOnPod(room, path, script(assign('f', path), "stat -L -c '%s %d %i %y %z' -- \"$f\""), { deadlineMs: identifyMs }));
  if (!asked.ok || asked.value.code !== 0) return undefined;
  const all = asked.value.stdout.toString('latin1').trim().split('\n').at(-1) ?? '';
  const size = Number(all.split(' ')[0]);
  return Number.isSafeInteger(size) && size > 0 ? { size, all } : undefined;
}

/**
 * Fills `into` from `start` on, each channel with a fixed number of READs under way. Short answers are asked on; a file
 * that turns out shorter gives what there was.
 */
async function fill(sources: readonly { session: SftpSession; handle: Handle }[], into: Buffer, start: number, options: ReadOptions): Promise<Uint8Array> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  let next = start;
  let end = into.length;
  const failed: unknown[] = [];
  const worker = async (session: SftpSession, handle: Handle): Promise<void> => {
    while (next < end && failed.length === 0) {
      let at = next;
      const stop = Math.min(end, at + session.maxRead);
      next = stop;
      while (at < stop && at < end) {
        const part = await session.read(handle, at, stop - at, call);
        if (part.length === 0) end = Math.min(end, at);
        part.copy(into, at);
        at += part.length;
      }
    }
  };
  const workers = sources.flatMap(({ session, handle }) => Array.from({ length: inFlight }, () => worker(session, handle).catch((error: unknown) => void failed.push(error))));
  await Promise.all(workers);
  if (failed.length > 0) throw failed[0];
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
