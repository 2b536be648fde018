import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import type { ClientChannel } from 'ssh2';
import { CancelledError } from '../base/errors';
import { quote } from '../base/shell';
import type { SyncHost } from './host';
import type { FileMark, Ledger } from './ledger';
import { readWhole, type LocalStat, type LocalTree } from './localTree';
import { placement, placementName, type Placement } from './placement';
import type { PlannedFile, UploadPlan } from './plan';
import { wholeSeconds } from './seconds';
import { tarEnd, tarHeader, tarPadding } from './tar';
import { UploadError } from './uploadError';

export interface UploadProgress {
  readonly files: number;
  readonly bytes: number;
}

export interface UploadOptions {
  /** A folder on the same file system as the target, for ours alone (`<mount>/.runpod-workspaces/<podId>/staging`). */
  readonly staging: string;
  /** Of the plan's conflicts, those whose version on the pod may be replaced. */
  readonly overwrite?: ReadonlySet<PlannedFile>;
  /** Files of the pod that are renamed first, so that both versions are kept. Their conflicts count as overwritten. */
  readonly aside?: ReadonlyMap<PlannedFile, string>;
  /** Files of the pod that are moved to `to`, a folder on the same file system, each under its own path. */
  readonly recycle?: { readonly paths: readonly string[]; readonly to: string } | undefined;
  readonly onProgress?: (done: UploadProgress) => void;
  readonly signal?: AbortSignal;
}

/** Below this a file is read whole, so that its size and its bytes always agree. */
const SMALL = 1 << 20;
const READ_AHEAD = 32;
/** Small pieces travel together. */
const TOGETHER = 1 << 17;
/** Less than this is not worth compressing. */
const WORTH_COMPRESSING = 1 << 18;
/** What is left of a dead upload is swept after a day. */
const SWEEP_DAYS = 1;

/**
 * Sends what a plan says: one stream of tar into a staging folder, then renames, so that under its own name a file is
 * always either the old or the new one, whole. Nothing is deleted on the pod but what
 * `recycle` names, and that only moves. Cut or cancelled before everything has
 * arrived, it changes nothing.
 * @throws UploadError, CancelledError
 */
export async function upload(host: SyncHost, tree: LocalTree, plan: UploadPlan, ledger: Ledger, options: UploadOptions): Promise<UploadProgress> {
  const files = [...plan.send, ...[...plan.conflicts, ...plan.newer].filter((file) => options.overwrite?.has(file) === true || options.aside?.has(file) === true)];
  const remove = options.recycle?.paths ?? [];
  const done = { files: 0, bytes: 0 };
  if (files.length + plan.links.length + plan.folders.length + plan.modes.length + remove.length === 0) return done;
  if (isAborted(options.signal)) throw new CancelledError();

  const staged = placement(files, {
    links: plan.links,
    folders: plan.folders,
    modes: plan.modes,
    aside: [...(options.aside ?? [])].map(([{ path }, to]) => ({ path, to })),
    remove,
    recycle: options.recycle?.to,
  });
  const compress = plan.gzip && files.reduce((sum, { local }) => sum + local.size, 0) >= WORTH_COMPRESSING;
  const staging = `${options.staging}/${randomBytes(8).toString('hex')}`;
  const channel = await host.exec(`exec /bin/sh -c ${quote(receive(options.staging, staging, plan.target, compress))}`, { signal: options.signal });
  const said = { stdout: collect(channel), stderr: collect(channel.stderr) };
  const ended = endOf(channel);
  try {
    const marks = await send(channel, tree, staged, compress, options, done);
    const end = await ended;
    if (end.code !== 0 || !said.stdout().endsWith('placed\n')) throw failure(end, said);
    for (const [file, { mark, mode }] of marks) ledger.sent(file.path, mark, mode);
    for (const { path, mode } of plan.modes) ledger.agreedMode(path, mode);
    for (const path of remove) ledger.forget(path);
    return done;
  } catch (error) {
    if (isAborted(options.signal)) throw new CancelledError();
    throw error instanceof PipeGone ? failure(await ended, said) : error;
  } finally {
    channel.close();
  }
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

/**
 * What runs on the pod. An archive that was cut short either fails in tar or lacks the list of renames, which comes last;
 * both end before the first rename. `arrived` tells an error before that moment from one after it.
 */
function receive(stagingParent: string, staging: string, target: string, compressed: boolean): string {
  return [
    'set -e; umask 022',
    `s=${quote(staging)} t=${quote(target)}`,
    `mkdir -p -m 700 ${quote(stagingParent)} "$s"`,
    // Nobody has to wait for the broom.
    `trap 'cd /; (rm -rf "$s"; find ${quoteInQuotes(stagingParent)} -mindepth 1 -maxdepth 1 -mtime +${SWEEP_DAYS - 1} -exec rm -rf {} +) </dev/null >/dev/null 2>&1 &' EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM`,
    compressed ? 'gzip -dc | tar -x -o -p -f - -C "$s"' : 'tar -x -o -p -f - -C "$s"',
    `[ -f "$s/${placementName}" ]`,
    'mkdir -p "$t"; cd "$t"',
    'echo arrived',
    `. "$s/${placementName}"`,
    'echo placed',
  ].join('\n');
}

/** Quoted once more, for a place between single quotes. */
const quoteInQuotes = (path: string): string => quote(path).replaceAll("'", `'\\''`);

/** The command's input was closed from the other side. */
class PipeGone extends Error {}

interface SentAs {
  readonly mark: FileMark;
  readonly mode: number | undefined;
}

/** Streams the archive. Gives back what each file was when it was read. */
async function send(channel: ClientChannel, tree: LocalTree, staged: Placement, compress: boolean, options: UploadOptions, done: { files: number; bytes: number }): Promise<Map<PlannedFile, SentAs>> {
  const { write, flush, end } = writer(channel, compress);
  const marks = new Map<PlannedFile, SentAs>();
  const progress = (bytes: number): void => {
    done.bytes += bytes;
    options.onProgress?.({ ...done });
  };
  for await (const { file, name, stat, whole } of ahead(staged.files, READ_AHEAD, (item) => load(tree, item))) {
    if (isAborted(options.signal)) throw new CancelledError();
    const size = whole?.length ?? stat.size;
    const mode = stat.mode ?? file.remote?.mode ?? (whole?.subarray(0, 2).toString('latin1') === '#!' ? 0o755 : 0o644);
    const header = tarHeader({ name, size, mode: mode & 0o777, mtime: wholeSeconds(stat.mtimeMs) });
    if (whole !== undefined) await write(Buffer.concat([header, whole, tarPadding(size)]));
    else {
      await write(header);
      await copyExactly(tree, file.path, size, async (piece) => {
        await write(piece);
        progress(piece.length);
      });
      await write(tarPadding(size));
    }
    marks.set(file, { mark: { size, mtimeMs: stat.mtimeMs }, mode: stat.mode === undefined ? undefined : mode & 0o777 });
    done.files++;
    progress(whole?.length ?? 0);
  }
  await flush();
  const list = Buffer.from(staged.script);
  await write(Buffer.concat([tarHeader({ name: placementName, size: list.length, mode: 0o600, mtime: 0 }), list, tarPadding(list.length), tarEnd()]));
  await flush();
  await end();
  return marks;
}

type Staged = Placement['files'][number];

/** What a file is now, with its bytes where it is small. */
async function load(tree: LocalTree, item: Staged): Promise<Staged & { readonly stat: LocalStat; readonly whole: Buffer | undefined }> {
  const stat = await tree.stat(item.file.path);
  return { ...item, stat, whole: stat.size <= SMALL ? await readWhole(tree, item.file.path) : undefined };
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

interface End {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** How the command ended, after all its output; neither field when the connection went first. */
const endOf = (channel: ClientChannel): Promise<End> =>
  // The exit event may have passed before anybody could listen; the close event tells the same and waits for the reader.
  new Promise((resolve) => channel.once('close', (code?: number | null, signal?: string) => resolve({ code: code ?? undefined, signal })));

const KEPT = 4_000;
function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => (text = (text + piece).slice(-KEPT)));
  stream.on('error', () => undefined);
  return () => text;
}

function failure(end: End, said: { stdout: () => string; stderr: () => string }): UploadError {
  const detail = said.stderr().trim();
  if (said.stdout().includes('arrived\n')) return new UploadError('half-placed', { detail });
  return new UploadError(end.code === undefined && end.signal === undefined ? 'lost' : 'failed', { detail });
}
