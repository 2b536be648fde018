import { chmod, lstat, rename, symlink, utimes } from 'node:fs/promises';
import { whileBusy } from '../base/whileBusy';
import { staysInside } from './ignore';
import { at, dirOf, LocalFolders } from './localFolders';
import { canHold, type LocalNames } from './localNames';
import type { FileMark } from './ledger';
import type { PullOrder } from './pullOrder';

/** One member of the archive, as it lies in the staging folder. */
export interface Arrived {
  readonly path: string;
  readonly staged?: string;
  /** Where a symbolic link leads. */
  readonly link?: string;
  readonly mode: number;
  readonly mtime: number;
  readonly size: number;
}

export interface Placed {
  readonly files: number;
  readonly links: number;
  readonly marks: readonly { readonly path: string; readonly mark: FileMark; readonly mode: number | undefined }[];
  /** Of the files that were put beside a local one: their own names. */
  readonly asides: ReadonlySet<string>;
  /** Files that changed here meanwhile: they were left alone. */
  readonly changedHere: readonly string[];
  /** A file is where a folder should be, or the other way round, or a link leads out of the folder. */
  readonly blocked: readonly string[];
  /** The system refused these, with its words. */
  readonly failed: readonly { readonly path: string; readonly detail: string }[];
}

/** Gives what has arrived its names. Never follows a link out of the folder. */
export async function placeHere(root: string, order: PullOrder, arrived: readonly Arrived[], names: LocalNames): Promise<Placed> {
  const marks: { path: string; mark: FileMark; mode: number | undefined }[] = [];
  const asides = new Set<string>();
  const changedHere: string[] = [];
  const blocked: string[] = [];
  const failed: { path: string; detail: string }[] = [];
  const folders = new LocalFolders(root);
  const files = new Map(order.files.map((file) => [file.path, file]));
  const wantedLinks = new Set(order.links);
  let links = 0;

  const attempt = async (path: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failed.push({ path, detail: error instanceof Error ? error.message : String(error) });
    }
  };
  for (const { path, staged, link, mode, mtime } of arrived) {
    const file = files.get(path);
    if (staged === undefined) {
      // Made where nothing is, and only if it means the same here.
      if (link === undefined || !wantedLinks.has(path)) continue;
      if (!staysInside(path, link) || !canHold(path, names) || !(await folders.make(dirOf(path)))) blocked.push(path);
      else
        await attempt(path, async () => {
          await symlink(link, at(root, path));
          links++;
        });
      continue;
    }
    if (file === undefined) continue;
    const to = file.as ?? path;
    if (!canHold(to, names) || !(await folders.make(dirOf(to)))) {
      blocked.push(path);
      continue;
    }
    await attempt(path, async () => {
      const bits = names.windows ? undefined : mode & 0o777;
      if (bits !== undefined) await chmod(staged, bits);
      await utimes(staged, mtime, mtime);
      const there = await lstat(at(root, to)).catch(() => undefined);
      if (there !== undefined && !there.isFile()) {
        blocked.push(path);
        return;
      }
      const expected = file.as === undefined ? file.local : undefined;
      if (there?.size !== expected?.size || there?.mtimeMs !== expected?.mtimeMs) {
        changedHere.push(path);
        return;
      }
      await whileBusy(() => rename(staged, at(root, to)));
      if (file.as !== undefined) asides.add(path);
      else {
        const { size, mtimeMs } = await lstat(at(root, to));
        marks.push({ path, mark: { size, mtimeMs }, mode: bits });
      }
    });
  }
  for (const folder of order.folders) if (!canHold(folder, names) || !(await folders.make(folder))) blocked.push(folder);
  if (!names.windows) for (const { path, mode } of order.modes) await attempt(path, () => chmod(at(root, path), mode));
  return { files: marks.length + asides.size, links, marks, asides, changedHere, blocked, failed };
}
