import { randomBytes } from 'node:crypto';
import { copyFile, type FileHandle, lstat, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { CancelledError } from '../base/errors';
import { quote } from '../base/shell';
import type { SyncHost } from './host';
import { STAGING_NAME } from './ignore';
import type { Ledger } from './ledger';
import type { LocalNames } from './localNames';
import { placeHere, type Arrived, type Placed } from './placeHere';
import { markOf } from './plan';
import type { PullOrder } from './pullOrder';
import { listRemote } from './remoteList';
import { readTar, TarError, type TarMember } from './tarReader';
import { UploadError } from './uploadError';

export interface PullOptions {
  readonly names: LocalNames;
  readonly onProgress?: (done: { readonly files: number; readonly bytes: number }) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Pulled extends Placed {
  /** Files that changed, or went, on the pod while they were read: they were left as they were here. */
  readonly changedThere: readonly string[];
  readonly bytes: number;
}

/** What is left of a dead pull is swept after a day. */
const SWEEP_MS = 86_400_000;

/**
 * Brings files from a pod: one stream of tar into a staging folder inside `root`, then renames, so that under its own name a
 * file is always either the old or the new one, whole. A local file is replaced only while it is what `order` says it was.
 * Cut or cancelled before everything has arrived, it changes nothing.
 * @param root absolute path of the folder on this computer
 * @throws UploadError, CancelledError
 */
export async function pull(host: SyncHost, root: string, order: PullOrder, ledger: Ledger, options: PullOptions): Promise<Pulled> {
  const { signal } = options;
  if (isAborted(signal)) throw new CancelledError();
  const parent = join(root, STAGING_NAME);
  const staging = join(parent, randomBytes(8).toString('hex'));
  try {
    await mkdir(staging, { recursive: true });
    // Neither git nor the editor's search takes it for part of the project, for the moment that it is there.
    await writeFile(join(parent, '.gitignore'), '*\n');
    await sweep(parent);
    const done = { files: 0, bytes: 0 };
    const arrived = await receive(host, order, staging, done, options);
    const changed = await changedSince(host, order, arrived, signal);
    const good = arrived.filter(({ path }) => !changed.has(path));
    if (isAborted(signal)) throw new CancelledError();
    const placed = await placeHere(root, order, good, options.names);
    for (const { path, mark, mode } of placed.marks) ledger.sent(path, mark, mode);
    for (const { path, remote } of order.files.filter(({ as, path: name }) => as !== undefined && placed.asides.has(name))) ledger.seen(path, markOf(remote));
    for (const { path, mode } of order.modes) ledger.agreedMode(path, mode);
    return { ...placed, changedThere: [...changed], bytes: done.bytes };
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }).catch(() => undefined);
    const left = await readdir(parent).catch(() => ['unknown']);
    if (left.every((name) => name === '.gitignore')) await rm(parent, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const { mtimeMs } = await lstat(path);
    if (Date.now() - mtimeMs > SWEEP_MS && name !== '.gitignore') await rm(path, { recursive: true, force: true });
  }
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

/** One command: names in, an archive out. */
async function receive(host: SyncHost, order: PullOrder, staging: string, done: { files: number; bytes: number }, options: PullOptions): Promise<Arrived[]> {
  const names = [...order.files.map(({ path }) => path), ...order.links];
  if (names.length === 0) return [];
  const { signal } = options;
  const script = `cd ${quote(order.target)} || exit 66\nexec xargs -0 tar -c -f -`;
  const channel = await host.exec(`exec /bin/sh -c ${quote(script)}`, { signal, stdin: Buffer.from(names.map((name) => `./${name}\0`).join('')) });
  let said = '';
  const stderr: Readable = channel.stderr;
  stderr.setEncoding('utf8');
  stderr.on('data', (piece: string) => (said = (said + piece).slice(-4_000)));
  const ended = new Promise<{ code: number | undefined; signal: string | undefined }>((resolve) => channel.once('close', (code?: number | null, by?: string) => resolve({ code: code ?? undefined, signal: by })));
  const stop = (): void => void channel.close();
  signal?.addEventListener('abort', stop, { once: true });
  const unpacking = new Unpacking(staging, done, options.onProgress);
  try {
    await readTar(channel as AsyncIterable<Buffer>, unpacking);
  } catch (error) {
    if (isAborted(signal)) throw new CancelledError();
    // An archive that makes no sense is one that was cut, or no archive: the pod's words say which.
    if (!(error instanceof TarError)) throw error;
    channel.close();
    const { code } = await ended;
    throw new UploadError(code === undefined ? 'lost' : 'failed', { detail: said.trim() || error.message });
  } finally {
    signal?.removeEventListener('abort', stop);
    await unpacking.close();
    channel.close();
  }
  const end = await ended;
  if (isAborted(signal)) throw new CancelledError();
  // tar and xargs end with 1 and 123 when a file changed or went while they read; which ones shows by what came.
  if (end.code === undefined) throw new UploadError('lost', { detail: said.trim() });
  if (end.code !== 0 && unpacking.arrived.length === 0 && !/No such file|changed as we read/i.test(said)) throw new UploadError('failed', { detail: said.trim() });
  return unpacking.arrived;
}

/** Writes what arrives under numbers in the staging folder. */
class Unpacking {
  readonly arrived: Arrived[] = [];
  readonly #byName = new Map<string, string>();
  #file: FileHandle | undefined;

  constructor(
    readonly staging: string,
    readonly done: { files: number; bytes: number },
    readonly onProgress: PullOptions['onProgress'],
  ) {}

  async begin(member: TarMember): Promise<void> {
    const path = member.name.replace(/^(\.\/)+/, '');
    const { mode, mtime, size } = member;
    if (member.type === 'link') this.arrived.push({ path, link: member.target, mode, mtime, size: 0 });
    if (member.type !== 'file' && member.type !== 'hardlink') return;
    const staged = join(this.staging, String(this.arrived.length));
    if (member.type === 'file') this.#file = await open(staged, 'wx', 0o600);
    else {
      const same = this.#byName.get(member.target.replace(/^(\.\/)+/, ''));
      if (same === undefined) return;
      await copyFile(same, staged);
    }
    this.#byName.set(path, staged);
    this.arrived.push({ path, staged, mode, mtime, size: member.type === 'file' ? size : (await lstat(staged)).size });
  }

  async bytes(piece: Buffer): Promise<void> {
    if (this.#file === undefined) return;
    for (let at = 0; at < piece.length; ) at += (await this.#file.write(piece, at)).bytesWritten;
    this.done.bytes += piece.length;
    this.onProgress?.({ ...this.done });
  }

  async end(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    await file.close();
    this.done.files++;
    this.onProgress?.({ ...this.done });
  }

  async close(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
  }
}

/** What did not come as it was listed, or has changed since it was read. */
async function changedSince(host: SyncHost, order: PullOrder, arrived: readonly Arrived[], signal: AbortSignal | undefined): Promise<Set<string>> {
  const changed = new Set<string>();
  if (order.files.length === 0) return changed;
  const now = (await listRemote(host, order.target, order.files.map(({ path }) => path), signal)).entries;
  const came = new Map(arrived.map((one) => [one.path, one]));
  for (const { path, remote } of order.files) {
    const [member, after] = [came.get(path), now.get(path)];
    const same = member?.staged !== undefined && after?.type === 'file' && member.size === after.size && member.mtime === after.mtime && member.size === remote.size && member.mtime === remote.mtime;
    if (!same) changed.add(path);
  }
  return changed;
}
