import { createHash } from 'node:crypto';
import type { SyncHost } from './host';
import { walk } from './ignore';
import { wholeSeconds, type FileMark, type Ledger } from './ledger';
import type { LocalStat, LocalTree } from './localTree';
import { hashRemote, listRemote, type RemoteEntry } from './remoteList';

/** One file to send. */
export interface PlannedFile {
  /** Relative to the folder, `/` between names. */
  readonly path: string;
  readonly local: LocalStat;
  /** What it replaces. */
  readonly remote: RemoteEntry | undefined;
}

/** What sending a folder would do. Nothing has been changed yet. */
export interface UploadPlan {
  /** Absolute path of the folder on the pod. */
  readonly target: string;
  /** New on the pod, or changed here since we put it there. */
  readonly send: readonly PlannedFile[];
  /** The pod has something else under these names that we did not put there. Sent only if somebody says so. */
  readonly conflicts: readonly PlannedFile[];
  /** The pod has a folder where there is a file here; never sent. */
  readonly blocked: readonly string[];
  /** Symbolic links the pod does not have. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  readonly unchanged: number;
  /** Held back because they look like secrets. */
  readonly secrets: readonly string[];
  /** Links out of the folder and things that are no files. */
  readonly odd: readonly string[];
}

export const bytesOf = (files: readonly PlannedFile[]): number => files.reduce((sum, { local }) => sum + local.size, 0);

const STATS_AT_ONCE = 64;

/**
 * Finds out what of a local folder has to be sent, with one command on the pod (two where files are in doubt).
 *
 * A file that we sent is the same while size and second of change are, and may be replaced when it differs. One that we
 * did not send is the same when its content proves to be; otherwise it is somebody else's, and that is a conflict.
 */
export async function planUpload(host: SyncHost, tree: LocalTree, target: string, ledger: Ledger, signal?: AbortSignal): Promise<UploadPlan> {
  const found = await walk(tree, signal);
  const stats = await statAll(tree, found.files, signal);
  const remote = await listRemote(host, target, [...found.files, ...found.links.map(({ path }) => path)], signal);

  const send: PlannedFile[] = [];
  const doubtful: PlannedFile[] = [];
  const conflicts: PlannedFile[] = [];
  const blocked: string[] = [];
  let unchanged = 0;
  for (const [path, local] of stats) {
    const there = remote.get(path);
    const file = { path, local, remote: there };
    if (there === undefined) send.push(file);
    else if (there.type === 'folder') blocked.push(path);
    else if (there.type !== 'file') conflicts.push(file);
    else {
      const mark = markOf(there);
      const ours = ledger.isOurs(path, mark);
      const sameMark = there.size === local.size && there.mtime === wholeSeconds(local.mtimeMs);
      if (sameMark && ours && !ledger.changedWithinTheSecond(path, local)) unchanged++;
      else if (ledger.isSame(path, local, mark)) unchanged++;
      else if (ours) send.push(file);
      else if (there.size === local.size) doubtful.push(file);
      else conflicts.push(file);
    }
  }

  const same = await sameContent(host, tree, target, doubtful, signal);
  for (const file of doubtful) {
    if (file.remote === undefined || !same.has(file)) conflicts.push(file);
    else {
      unchanged++;
      ledger.foundSame(file.path, file.local, markOf(file.remote));
    }
  }
  const links = found.links.filter(({ path }) => !remote.has(path));
  return { target, send, conflicts, blocked, links, unchanged, secrets: found.secrets, odd: found.odd };
}

const markOf = (there: RemoteEntry): FileMark => ({ size: there.size, mtimeMs: there.mtime * 1000 });

async function statAll(tree: LocalTree, paths: readonly string[], signal?: AbortSignal): Promise<[string, LocalStat][]> {
  const stats: [string, LocalStat][] = [];
  for (let i = 0; i < paths.length; i += STATS_AT_ONCE) {
    signal?.throwIfAborted();
    stats.push(...(await Promise.all(paths.slice(i, i + STATS_AT_ONCE).map(async (path): Promise<[string, LocalStat]> => [path, await tree.stat(path)]))));
  }
  return stats;
}

async function sameContent(host: SyncHost, tree: LocalTree, target: string, files: readonly PlannedFile[], signal?: AbortSignal): Promise<Set<PlannedFile>> {
  const same = new Set<PlannedFile>();
  if (files.length === 0) return same;
  const sums = await hashRemote(host, target, files.map(({ path }) => path), signal);
  for (const [i, file] of files.entries()) {
    signal?.throwIfAborted();
    if (sums !== undefined && sums[i] === (await hashLocal(tree, file.path))) same.add(file);
  }
  return same;
}

async function hashLocal(tree: LocalTree, path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of tree.read(path)) hash.update(piece);
  return hash.digest('hex');
}
