import { createHash } from 'node:crypto';
import { CancelledError } from '../base/errors';
import type { SyncHost } from './host';
import { DEFAULT_EXCLUSIONS, walk, type Walked } from './ignore';
import type { FileMark, Ledger } from './ledger';
import { isGone, type LocalStat, type LocalTree } from './localTree';
import { findRemote, hashRemote, listRemote, type FindOptions, type RemoteEntry, type RemoteList } from './remoteList';
import { remoteTree } from './remoteTree';
import { wholeSeconds } from './seconds';
import { findBySftp, type Lister } from './sftpList';
import { UploadError } from './uploadError';

/** One file to send. */
export interface PlannedFile {
  /** Relative to the folder, `/` between names. */
  readonly path: string;
  readonly local: LocalStat;
  /** What it replaces. */
  readonly remote: RemoteEntry | undefined;
}

/** One file to bring. */
export interface RemoteFile {
  readonly path: string;
  readonly remote: RemoteEntry;
}

/** What sending a folder would do. Nothing has been changed yet. */
export interface UploadPlan {
  /** Absolute path of the folder on the pod. */
  readonly target: string;
  /** New on the pod, or changed here since we put it there. */
  readonly send: readonly PlannedFile[];
  /** The pod has something else under these names than both sides had, and so have we. Sent only if somebody says so. */
  readonly conflicts: readonly PlannedFile[];
  /** Changed on the pod and not here: there is nothing to send. */
  readonly newer: readonly PlannedFile[];
  /** The pod has a folder where there is a file here; never sent. */
  readonly blocked: readonly string[];
  /** Symbolic links the pod does not have. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Folders with nothing in them that the pod does not have. */
  readonly folders: readonly string[];
  /** Files of which only the permission bits changed here. */
  readonly modes: readonly { readonly path: string; readonly mode: number }[];
  readonly unchanged: number;
  /** The pod does not have the folder yet. */
  readonly isNew: boolean;
  /** The pod can unpack what is compressed. */
  readonly gzip: boolean;
  /** Held back because they look like secrets. */
  readonly secrets: readonly string[];
  /** Links out of the folder and things that are no files. */
  readonly odd: readonly string[];
}

/** Both sides beside each other. */
export interface Comparison extends UploadPlan {
  /** Every name on this side, those of files that are the same on both included. */
  readonly here: readonly string[];
  /** Files that only the pod has. */
  readonly onlyThere: readonly RemoteFile[];
  /** Files that both sides had, are as they were on the pod, and were deleted here. */
  readonly deletedHere: readonly RemoteFile[];
  /** Symbolic links that only the pod has. */
  readonly linksThere: readonly string[];
  /** Empty folders that only the pod has. */
  readonly foldersThere: readonly string[];
  /** Files of which only the permission bits changed on the pod. */
  readonly modesThere: readonly { readonly path: string; readonly mode: number }[];
  /** What the pod has and is not brought: it looks like a secret. */
  readonly secretsThere: readonly string[];
}

export interface CompareOptions {
  /** Only these files and folders, relative to the root. */
  readonly paths?: readonly string[] | undefined;
  /** See `WalkOptions`. */
  readonly strict?: boolean | undefined;
  /** Looks where the pod lacks the shell tools for it. */
  readonly sftp?: Lister | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const bytesOf = (files: readonly PlannedFile[]): number => files.reduce((sum, { local }) => sum + local.size, 0);
export const markOf = (there: RemoteEntry): FileMark => ({ size: there.size, mtimeMs: there.mtime * 1000 });

const STATS_AT_ONCE = 256;
/** Folders that are excluded by name need not even be listed. */
const UNLISTED = DEFAULT_EXCLUSIONS.filter((name) => !name.includes('*')).map((name) => name.replace(/\/$/, ''));

/**
 * Finds out what of a local folder has to be sent, with one command on the pod (one more where there are new names, and one
 * where files are in doubt). What both sides had before, and whether the folder is there at all, is asked for while this side is
 * still being read.
 *
 * A file that both had is the same while size and second of change are, and may be replaced by whichever side changed it.
 * One that we know nothing of is the same when its content proves to be; otherwise it is a conflict.
 */
export async function planUpload(host: SyncHost, tree: LocalTree, target: string, ledger: Ledger, options: CompareOptions = {}): Promise<UploadPlan> {
  const { paths, signal } = options;
  const known = ledger.paths.filter((path) => isBelow(path, paths));
  const [here, early] = await Promise.all([readHere(tree, options), listRemote(host, target, known, signal)]);
  const asked = new Set(known);
  const rest = [...here.stats.keys(), ...here.found.links.map(({ path }) => path), ...here.found.empty].filter((path) => !asked.has(path));
  // Nothing is in a folder that is not there.
  const late = rest.length === 0 || !early.exists ? undefined : await listRemote(host, target, rest, signal);
  const remote: RemoteList = { ...early, entries: new Map([...early.entries, ...(late?.entries ?? [])]) };
  return compareFiles(host, tree, target, ledger, here, remote, signal);
}

/** Finds out what both sides have that the other has not, with one command on the pod (one more where files are in doubt). */
export async function compare(host: SyncHost, tree: LocalTree, target: string, ledger: Ledger, options: CompareOptions = {}): Promise<Comparison> {
  const { paths, signal } = options;
  const unlisted = UNLISTED.filter((name) => paths?.some((path) => path.split('/').includes(name)) !== true);
  const find = (left: readonly string[]): Promise<RemoteList> => findEither(host, target, { paths, unlisted: left, signal }, options.sftp);
  const [here, found] = await Promise.all([readHere(tree, options), find(unlisted)]);
  // A `.runpodignore` can take back what is not even listed usually.
  const takenBack = [...here.stats.keys()].some((path) => path.split('/').some((name) => unlisted.includes(name)));
  const remote = takenBack ? await find([]) : found;
  const plan = await compareFiles(host, tree, target, ledger, here, remote, signal);

  const there = await walk(remoteTree(remote.entries), { paths, strict: options.strict, rules: tree, signal });
  const mine = new Set([...here.stats.keys(), ...here.found.links.map(({ path }) => path), ...here.found.odd, ...here.found.secrets]);
  const folders = foldersOf(mine);
  const onlyThere: RemoteFile[] = [];
  const deletedHere: RemoteFile[] = [];
  const blocked = [...plan.blocked];
  for (const path of there.files) {
    const entry = remote.entries.get(path);
    if (entry === undefined || mine.has(path)) continue;
    if (folders.has(path)) blocked.push(path);
    else if (ledger.isOurs(path, markOf(entry))) deletedHere.push({ path, remote: entry });
    else onlyThere.push({ path, remote: entry });
  }
  return {
    ...plan,
    blocked,
    here: [...mine, ...here.found.empty],
    onlyThere,
    deletedHere,
    linksThere: there.links.map(({ path }) => path).filter((path) => !mine.has(path) && !folders.has(path)),
    foldersThere: there.empty.filter((path) => !mine.has(path) && !folders.has(path) && !here.found.empty.includes(path)),
    secretsThere: there.secrets.filter((path) => !mine.has(path)),
  };
}

async function findEither(host: SyncHost, target: string, options: FindOptions, sftp: Lister | undefined): Promise<RemoteList> {
  try {
    return await findRemote(host, target, options);
  } catch (error) {
    if (sftp === undefined || !(error instanceof UploadError) || error.code !== 'missing-tool') throw error;
    return findBySftp(sftp, target, options);
  }
}

interface Here {
  readonly found: Walked;
  readonly stats: ReadonlyMap<string, LocalStat>;
}

async function readHere(tree: LocalTree, { paths, strict, signal }: CompareOptions): Promise<Here> {
  const found = await walk(tree, { paths, strict, signal });
  return { found, stats: new Map(await statAll(tree, found.files, signal)) };
}

async function compareFiles(host: SyncHost, tree: LocalTree, target: string, ledger: Ledger, here: Here, remote: RemoteList, signal?: AbortSignal): Promise<UploadPlan & Pick<Comparison, 'modesThere'>> {
  const send: PlannedFile[] = [];
  const doubtful: PlannedFile[] = [];
  const conflicts: PlannedFile[] = [];
  const newer: PlannedFile[] = [];
  const blocked: string[] = [];
  const modes: { path: string; mode: number }[] = [];
  const modesThere: { path: string; mode: number }[] = [];
  let unchanged = 0;
  const same = ({ path, local, remote: there }: PlannedFile): void => {
    unchanged++;
    ledger.arrived(path, local);
    const mode = local.mode === undefined ? undefined : local.mode & 0o777;
    const agreed = ledger.modeOf(path);
    if (mode === undefined || there === undefined || agreed === undefined || (there.mode & 0o777) === mode) return;
    if (agreed === mode) modesThere.push({ path, mode: there.mode & 0o777 });
    else modes.push({ path, mode });
  };
  for (const [path, local] of here.stats) {
    const there = remote.entries.get(path);
    const file = { path, local, remote: there };
    if (there === undefined) send.push(file);
    else if (there.type === 'folder') blocked.push(path);
    else if (there.type !== 'file') conflicts.push(file);
    else {
      const mark = markOf(there);
      const ours = ledger.isOurs(path, mark);
      const sameMark = there.size === local.size && there.mtime === wholeSeconds(local.mtimeMs);
      if (sameMark && ours && !ledger.changedWithinTheSecond(path, local)) same(file);
      else if (ledger.isSame(path, local, mark)) same(file);
      else if (ours) send.push(file);
      else if (ledger.isUntouched(path, local)) newer.push(file);
      else if (there.size === local.size) doubtful.push(file);
      else conflicts.push(file);
    }
  }

  const alike = await sameContent(host, tree, target, doubtful, signal);
  for (const file of doubtful) {
    if (file.remote === undefined || !alike.has(file)) conflicts.push(file);
    else {
      same(file);
      ledger.foundSame(file.path, file.local, markOf(file.remote));
    }
  }
  const { links, empty, secrets, odd } = here.found;
  return { target, send, conflicts, newer, blocked, links: links.filter(({ path }) => !remote.entries.has(path)), folders: empty.filter((path) => !remote.entries.has(path)), modes, modesThere, unchanged, isNew: !remote.exists, gzip: remote.gzip, secrets, odd };
}

const isBelow = (path: string, paths: readonly string[] | undefined): boolean => paths === undefined || paths.some((one) => one === '' || path === one || path.startsWith(`${one}/`));

/** Every folder that these paths lie in. */
function foldersOf(paths: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const path of paths) for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) folders.add(path.slice(0, cut));
  return folders;
}

async function statAll(tree: LocalTree, paths: readonly string[], signal?: AbortSignal): Promise<[string, LocalStat][]> {
  const stats: [string, LocalStat][] = [];
  for (let i = 0; i < paths.length; i += STATS_AT_ONCE) {
    if (signal?.aborted === true) throw new CancelledError();
    const some = await Promise.all(paths.slice(i, i + STATS_AT_ONCE).map(async (path): Promise<[string, LocalStat] | undefined> => tree.stat(path).then((stat) => [path, stat], ifGone)));
    stats.push(...some.filter((one) => one !== undefined));
  }
  return stats;
}

/** A file that went since it was listed is none. */
function ifGone(error: unknown): undefined {
  if (isGone(error)) return undefined;
  throw error;
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
