import { lstat } from 'node:fs/promises';
import type { TransferOptions, TransferPlan, TransferResult } from '../files/transfer/contract';
import type { Ledger } from './ledger';
import type { LocalStat } from './localTree';
import type { PulledFile } from './pull';
import type { PlannedFile } from './plan';

/** Files from this size on go in pieces that a lost connection interrupts and the next attempt takes up. */
export const LARGE = 64 * 1024 * 1024;

/** What moves files in resumable pieces. */
export interface Mover {
  transfer(plan: TransferPlan, options?: TransferOptions): Promise<TransferResult>;
}

export interface LargeOptions {
  readonly onProgress?: (done: { readonly files: number; readonly bytes: number }) => void;
  readonly signal?: AbortSignal | undefined;
  /** Made along with the files that are sent, for a pod without the tools that would make them otherwise. */
  readonly links?: readonly { readonly path: string; readonly target: string }[];
  readonly folders?: readonly string[];
}

export interface Moved {
  readonly files: number;
  readonly bytes: number;
  readonly failed: readonly { readonly path: string; readonly detail: string }[];
}

/** @param at a file's absolute path on this computer */
export async function sendLarge(mover: Mover, target: string, files: readonly PlannedFile[], at: (path: string) => string, ledger: Ledger, options: LargeOptions = {}): Promise<Moved> {
  const { links = [], folders = [] } = options;
  if (files.length + links.length + folders.length === 0) return { files: 0, bytes: 0, failed: [] };
  const result = await mover.transfer(
    {
      direction: 'upload',
      destination: target,
      folders: [...aboveTarget(target), ...foldersAbove([...files, ...links].map(({ path }) => path)).map((folder) => `${target}/${folder}`), ...folders.map((folder) => `${target}/${folder}`)],
      files: files.map(({ path, local, remote }) => ({ from: at(path), to: `${target}/${path}`, size: local.size, mtimeMs: local.mtimeMs, ...(local.mode === undefined ? {} : { mode: local.mode & 0o777 }), conflict: remote !== undefined })),
      ...rest(files.reduce((sum, { local }) => sum + local.size, 0)),
      links: links.map(({ path, target: to }) => ({ from: at(path), to: `${target}/${path}`, target: to, file: undefined })),
    },
    settings(options),
  );
  const failed = new Map(result.failed.map(({ path, error }) => [path, error.message]));
  for (const { path, local } of files) if (!failed.has(at(path))) ledger.sent(path, markOf(local), local.mode === undefined ? undefined : local.mode & 0o777);
  return { files: result.files, bytes: result.bytes, failed: files.flatMap(({ path }) => (failed.has(at(path)) ? [{ path, detail: failed.get(at(path)) ?? '' }] : [])) };
}

/**
 * Brings files in resumable pieces. One that changed here since it was compared stays as it is.
 * @param at a file's absolute path on this computer
 */
export async function bringLarge(mover: Mover, target: string, files: readonly PulledFile[], root: string, at: (path: string) => string, ledger: Ledger, options: LargeOptions = {}): Promise<Moved & { readonly changedHere: readonly string[] }> {
  const changedHere: string[] = [];
  const good: PulledFile[] = [];
  for (const file of files) {
    const there = await lstat(at(file.as ?? file.path)).catch(() => undefined);
    const expected = file.as === undefined ? file.local : undefined;
    if (there?.size === expected?.size && there?.mtimeMs === expected?.mtimeMs) good.push(file);
    else changedHere.push(file.path);
  }
  if (good.length === 0) return { files: 0, bytes: 0, failed: [], changedHere };
  const from = (path: string): string => `${target}/${path}`;
  const result = await mover.transfer(
    {
      direction: 'download',
      destination: root,
      folders: foldersAbove(good.map(({ path }) => path)).map(at),
      files: good.map(({ path, as, remote, local }) => ({ from: from(path), to: at(as ?? path), size: remote.size, mtimeMs: remote.mtime * 1000, mode: remote.mode & 0o777, conflict: as === undefined && local !== undefined })),
      ...rest(good.reduce((sum, { remote }) => sum + remote.size, 0)),
    },
    settings(options),
  );
  const failed = new Map(result.failed.map(({ path, error }) => [path, error.message]));
  for (const { path, as, remote } of good) {
    if (failed.has(from(path))) continue;
    if (as !== undefined) ledger.seen(path, { size: remote.size, mtimeMs: remote.mtime * 1000 });
    else {
      const now = await lstat(at(path));
      ledger.sent(path, { size: now.size, mtimeMs: now.mtimeMs }, remote.mode & 0o777);
    }
  }
  return { files: result.files, bytes: result.bytes, changedHere, failed: good.flatMap(({ path }) => (failed.has(from(path)) ? [{ path, detail: failed.get(from(path)) ?? '' }] : [])) };
}

const markOf = ({ size, mtimeMs }: LocalStat): { size: number; mtimeMs: number } => ({ size, mtimeMs });

const rest = (bytes: number): Pick<TransferPlan, 'links' | 'bytes' | 'present' | 'leftOut' | 'renamed'> => ({ links: [], bytes, present: 0, leftOut: [], renamed: [] });

const settings = ({ onProgress, signal }: LargeOptions): TransferOptions => ({
  conflicts: 'overwrite',
  ...(signal === undefined ? {} : { signal }),
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
