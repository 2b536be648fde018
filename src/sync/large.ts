import { chmod, lstat } from 'node:fs/promises';
import type { TransferOptions, TransferPlan, TransferResult } from '../files/transfer/contract';
import type { Ledger } from './ledger';
import { at, dirOf, LocalFolders } from './localFolders';
import { markOf, type PlannedFile } from './plan';
import type { PulledFile } from './pullOrder';
import { wholeSeconds } from './seconds';

/** Files from this size on go in pieces that a lost connection interrupts and the next attempt takes up. */
export const LARGE = 64 * 1024 * 1024;

/** What moves files in resumable pieces. */
export interface Mover {
  transfer(plan: TransferPlan, options?: TransferOptions): Promise<TransferResult>;
}

export interface LargeOptions {
  readonly onProgress?: (done: { readonly files: number; readonly bytes: number }) => void;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without one byte moved after which a link that is down is given up; see `TransferOptions`. */
  readonly patienceMs?: number | undefined;
}

export interface Moved {
  readonly files: number;
  readonly bytes: number;
  readonly failed: readonly { readonly path: string; readonly detail: string }[];
}

const nothing = { files: 0, bytes: 0, failed: [] } as const;

export interface SendOptions extends LargeOptions {
  /** Made along with the files that are sent, for a pod without the tools that would make them otherwise. */
  readonly links?: readonly { readonly path: string; readonly target: string }[];
  readonly folders?: readonly string[];
}

/**
 * Sends files in resumable pieces, each of them whole or not at all.
 * @returns of the files, those that somebody changed on the pod since it was looked at: they stay as they are there
 */
export async function sendLarge(mover: Mover, target: string, files: readonly PlannedFile[], root: string, ledger: Ledger, options: SendOptions = {}): Promise<Moved & { readonly changedThere: readonly string[] }> {
  const { links = [], folders = [] } = options;
  if (files.length + links.length + folders.length === 0) return { ...nothing, changedThere: [] };
  // Should this end in the middle, what has arrived is known for ours by the next.
  for (const { path, local } of files) ledger.offer(path, local);
  const result = await mover.transfer(
    {
      direction: 'upload',
      destination: target,
      folders: [...aboveTarget(target), ...foldersAbove([...[...files, ...links].map(({ path }) => path), ...folders.map((folder) => `${folder}/`)]).map((folder) => `${target}/${folder}`)],
      files: files.map(({ path, local, remote }) => ({
        from: at(root, path),
        to: `${target}/${path}`,
        size: local.size,
        mtimeMs: local.mtimeMs,
        ...(local.mode === undefined ? {} : { mode: local.mode & 0o777 }),
        conflict: remote !== undefined,
        ...(remote === undefined ? {} : { replaces: markOf(remote) }),
      })),
      ...rest(files.reduce((sum, { local }) => sum + local.size, 0)),
      links: links.map(({ path, target: to }) => ({ from: at(root, path), to: `${target}/${path}`, target: to, file: undefined })),
    },
    settings(options),
  );
  const failed = new Map(result.failed.map(({ path, error }) => [path, error]));
  for (const { path, local } of files) if (!failed.has(at(root, path))) ledger.sent(path, local, local.mode === undefined ? undefined : local.mode & 0o777);
  const missed = files.flatMap(({ path }) => (failed.has(at(root, path)) ? [{ path, error: failed.get(at(root, path)) }] : []));
  return {
    files: result.files,
    bytes: result.bytes,
    failed: missed.filter(({ error }) => error?.code !== 'exists').map(({ path, error }) => ({ path, detail: error?.message ?? '' })),
    changedThere: missed.filter(({ error }) => error?.code === 'exists').map(({ path }) => path),
  };
}

export interface Brought extends Moved {
  /** Changed here since they were compared: they stay as they are here. */
  readonly changedHere: readonly string[];
  /** A link or a file is where a folder should be. */
  readonly blocked: readonly string[];
}

/** Brings files in resumable pieces, each of them whole or not at all, and none through a link. */
export async function bringLarge(mover: Mover, target: string, files: readonly PulledFile[], root: string, ledger: Ledger, options: LargeOptions = {}): Promise<Brought> {
  const changedHere: string[] = [];
  const blocked: string[] = [];
  const good: PulledFile[] = [];
  const folders = new LocalFolders(root);
  for (const file of files) {
    const { path, as, local } = file;
    const to = as ?? path;
    const there = await lstat(at(root, to)).catch(() => undefined);
    const expected = as === undefined ? local : undefined;
    if (!(await folders.make(dirOf(to))) || (there !== undefined && !there.isFile())) blocked.push(path);
    else if (there?.size === expected?.size && there?.mtimeMs === expected?.mtimeMs) good.push(file);
    else changedHere.push(path);
  }
  if (good.length === 0) return { ...nothing, changedHere, blocked };
  const from = (path: string): string => `${target}/${path}`;
  try {
    const result = await mover.transfer(
      {
        direction: 'download',
        destination: root,
        folders: [],
        files: good.map(({ path, as, remote, local }) => ({
          from: from(path),
          to: at(root, as ?? path),
          size: remote.size,
          mtimeMs: remote.mtime * 1000,
          mode: remote.mode & 0o777,
          conflict: as === undefined && local !== undefined,
          ...(as === undefined && local !== undefined ? { replaces: { size: local.size, mtimeMs: local.mtimeMs } } : {}),
        })),
        ...rest(good.reduce((sum, { remote }) => sum + remote.size, 0)),
      },
      settings(options),
    );
    const failed = new Map(result.failed.map(({ path, error }) => [path, error]));
    for (const { path, as, remote } of good) if (as !== undefined && !failed.has(from(path))) ledger.seen(path, markOf(remote));
    const missed = good.flatMap(({ path }) => (failed.has(from(path)) ? [{ path, error: failed.get(from(path)) }] : []));
    const met = (code: string | undefined): boolean => code === 'changed' || code === 'exists';
    return {
      files: result.files,
      bytes: result.bytes,
      changedHere: [...changedHere, ...missed.filter(({ error }) => met(error?.code)).map(({ path }) => path)],
      blocked,
      failed: missed.filter(({ error }) => !met(error?.code)).map(({ path, error }) => ({ path, detail: error?.message ?? '' })),
    };
  } finally {
    // Also when it ended in the middle: some may be in place.
    for (const { path, as, remote, local } of good) if (as === undefined) await takeNote(root, path, remote, local, ledger);
  }
}

/** Notes that both sides have a file, if it has come, and gives it the mode that it has on the pod. */
async function takeNote(root: string, path: string, remote: PulledFile['remote'], before: PulledFile['local'], ledger: Ledger): Promise<void> {
  const now = await lstat(at(root, path)).catch(() => undefined);
  if (now === undefined || now.size !== remote.size || wholeSeconds(now.mtimeMs) !== remote.mtime) return;
  if (now.size === before?.size && now.mtimeMs === before.mtimeMs) return;
  const mode = process.platform === 'win32' ? undefined : remote.mode & 0o777;
  if (mode !== undefined) await chmod(at(root, path), mode);
  ledger.sent(path, { size: now.size, mtimeMs: now.mtimeMs }, mode);
}

const rest = (bytes: number): Pick<TransferPlan, 'links' | 'bytes' | 'present' | 'leftOut' | 'renamed'> => ({ links: [], bytes, present: 0, leftOut: [], renamed: [] });

const settings = ({ onProgress, signal, patienceMs }: LargeOptions): TransferOptions => ({
  conflicts: 'overwrite',
  ...(signal === undefined ? {} : { signal }),
  ...(patienceMs === undefined ? {} : { patienceMs }),
  ...(onProgress === undefined ? {} : { onProgress: ({ files, bytes }) => onProgress({ files, bytes }) }),
});

/** The folders that these paths lie in, each after the one it lies in. */
function foldersAbove(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1);
    for (let n = 1; n <= parts.length; n++) folders.add(parts.slice(0, n).join('/'));
  }
  return [...folders];
}

const aboveTarget = (target: string): string[] => target.split('/').flatMap((_, n, all) => (n === 0 ? [] : [all.slice(0, n + 1).join('/')]));
