import { once } from 'node:events';
import { constants, createGzip } from 'node:zlib';
import type { ClientChannel } from 'ssh2';
import { CancelledError } from '../base/errors';
import type { FileMark, Ledger } from './ledger';
import { isGone, readWhole, type LocalStat, type LocalTree } from './localTree';
import type { Placement } from './placement';
import type { PlannedFile } from './plan';
import { wholeSeconds } from './seconds';
import { tarEnd, tarHeader, tarPadding } from './tar';
import { UploadError } from './uploadError';

/** Below this a file is read whole, so that its size and its bytes always agree. */
const SMALL = 1 << 20;
const READ_AHEAD = 32;
/** Small pieces travel together. */
const TOGETHER = 1 << 17;

/** The command's input was closed from the other side. */
export class PipeGone extends Error {}

export interface SentAs {
  readonly mark: FileMark;
  readonly mode: number | undefined;
}

export interface ArchiveOptions {
  readonly compress: boolean;
  readonly signal: AbortSignal | undefined;
  /** @param files of which so many were written just now @param bytes likewise */
  readonly onMoved: (files: number, bytes: number) => void;
}

/** Streams files and the list of renames to the command that unpacks them. Gives back what each file was when it was read. */
export async function sendArchive(channel: ClientChannel, tree: LocalTree, staged: Placement, ledger: Ledger, { compress, signal, onMoved }: ArchiveOptions): Promise<Map<PlannedFile, SentAs>> {
  const { write, flush, end } = writer(channel, compress);
  const marks = new Map<PlannedFile, SentAs>();
  for await (const { file, name, stat, whole } of ahead(staged.files, READ_AHEAD, (item) => load(tree, item))) {
    if (signal?.aborted === true) throw new CancelledError();
    const size = whole?.length ?? stat.size;
    const mode = stat.mode ?? file.remote?.mode ?? (whole?.subarray(0, 2).toString('latin1') === '#!' ? 0o755 : 0o644);
    const header = tarHeader({ name, size, mode: mode & 0o777, mtime: wholeSeconds(stat.mtimeMs) });
    if (whole !== undefined) await write(Buffer.concat([header, whole, tarPadding(size)]));
    else {
      await write(header);
      await copyExactly(tree, file.path, size, async (piece) => {
        await write(piece);
        onMoved(0, piece.length);
      });
      await write(tarPadding(size));
    }
    const mark = { size, mtimeMs: stat.mtimeMs };
    ledger.offer(file.path, mark);
    marks.set(file, { mark, mode: stat.mode === undefined ? undefined : mode & 0o777 });
    onMoved(1, whole?.length ?? 0);
  }
  await flush();
  await write(Buffer.concat([...staged.lists.flatMap(({ name, bytes }) => [tarHeader({ name, size: bytes.length, mode: 0o600, mtime: 0 }), bytes, tarPadding(bytes.length)]), tarEnd()]));
  await flush();
  await end();
  return marks;
}

type Staged = Placement['files'][number];

/** What a file is now, with its bytes where it is small; a small one that changes meanwhile differs from its mark next time. */
async function load(tree: LocalTree, item: Staged): Promise<Staged & { readonly stat: LocalStat; readonly whole: Buffer | undefined }> {
  const { path, local } = item.file;
  try {
    if (local.size <= SMALL) return { ...item, stat: local, whole: await readWhole(tree, path) };
    return { ...item, stat: await tree.stat(path), whole: undefined };
  } catch (error) {
    if (isGone(error)) throw new UploadError('changed', { paths: [path] });
    throw error;
  }
}

/** Loads `count` items ahead of the one that is worked on, in order. */
async function* ahead<T, R>(items: readonly T[], count: number, load: (item: T) => Promise<R>): AsyncGenerator<R> {
  const loading: Promise<R>[] = [];
  for (const item of items) {
    const next = load(item);
    // Its failure is met when its turn comes, or not at all when an earlier one fails.
    next.catch(() => undefined);
    loading.push(next);
    if (loading.length > count) yield await (loading.shift() as Promise<R>);
  }
  for (const last of loading) yield await last;
}

/** A file that grows while it is read (a log) is sent as long as it was; one that shrinks cannot be. */
async function copyExactly(tree: LocalTree, path: string, size: number, write: (piece: Uint8Array) => Promise<void>): Promise<void> {
  let left = size;
  for await (const piece of tree.read(path)) {
    if (left === 0) break;
    await write(piece.subarray(0, left));
    left -= Math.min(left, piece.length);
  }
  if (left > 0) throw new UploadError('changed', { paths: [path] });
}

interface Writer {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** What waits to travel together goes. */
  readonly flush: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Writes and waits where the other side is slower; fails when it is gone. */
function writer(channel: ClientChannel, compress: boolean): Writer {
  let gone = false;
  const closed = new Promise<void>((resolve) => {
    const over = (): void => {
      gone = true;
      resolve();
    };
    for (const event of ['error', 'close', 'exit']) channel.once(event, over);
  });
  const gzip = compress ? createGzip({ level: constants.Z_BEST_SPEED, chunkSize: TOGETHER }) : undefined;
  gzip?.pipe(channel);
  const sink = gzip ?? channel;
  let waiting: Uint8Array[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    if (gone) throw new PipeGone();
    if (size === 0) return;
    const bytes = Buffer.concat(waiting);
    waiting = [];
    size = 0;
    if (sink.write(bytes)) return;
    const heard = new AbortController();
    await Promise.race([once(sink, 'drain', { signal: heard.signal }).catch(() => undefined), closed]);
    heard.abort();
    if (gone) throw new PipeGone();
  };
  return {
    flush,
    write: async (bytes) => {
      waiting.push(bytes);
      size += bytes.length;
      if (size >= TOGETHER) await flush();
    },
    end: async () => {
      sink.end();
      // A compressed archive has not gone when it was written.
      if (gzip !== undefined) await Promise.race([once(channel, 'finish').catch(() => undefined), closed]);
    },
  };
}
