import { isFileError } from '../files/errors';
import type { PodFiles } from '../files/pod/podFiles';
import type { Ledger } from './ledger';
import { bringLarge, sendLarge, type Brought, type LargeOptions, type Moved } from './large';
import { readWhole, type LocalTree } from './localTree';
import type { LocalNames } from './localNames';
import { dirOf } from './localFolders';
import { placeHere, type Arrived } from './placeHere';
import type { PlannedFile, UploadPlan } from './plan';
import type { PullOrder } from './pullOrder';
import { staysInside } from './ignore';

/** What works on a pod's files without a shell. */
export type SftpHands = Pick<PodFiles, 'transfer' | 'createDirectory' | 'keepAs' | 'rename' | 'delete' | 'writeFile' | 'setAttributes' | 'readLink'>;

export interface SftpSendOptions extends LargeOptions {
  /** As for `upload`. */
  readonly overwrite: ReadonlySet<PlannedFile>;
  readonly aside: ReadonlyMap<PlannedFile, string>;
  readonly recycle: { readonly paths: readonly string[]; readonly to: string } | undefined;
}

/**
 * Sends what a plan says by SFTP alone: each file is complete, and checked, before it gets its name, and goes on where it
 * stopped when the link comes back. Slower than a stream, for every file costs several round trips.
 * @param root absolute path of the folder on this computer's disk; `undefined` for one that only the editor can read
 */
export async function sendBySftp(hands: SftpHands, tree: LocalTree, root: string | undefined, plan: UploadPlan, ledger: Ledger, options: SftpSendOptions): Promise<Moved & { readonly changedThere: readonly string[] }> {
  const { target } = plan;
  const { overwrite, aside, recycle, signal } = options;
  const on = (path: string): string => (path === '' ? target : `${target}/${path}`);
  if (recycle !== undefined) await moveAway(hands, target, recycle, ledger, signal);
  for (const [{ path }, to] of aside) {
    signal?.throwIfAborted();
    await hands.keepAs(on(path), on(to));
  }
  // A link is replaced, not what it leads to.
  for (const { path, remote } of overwrite) if (remote?.type === 'link' || remote?.type === 'other') await hands.delete(on(path), { recursive: false });
  const files = [...plan.send, ...[...overwrite].map((file) => (file.remote?.type === 'file' ? file : { ...file, remote: undefined })), ...aside.keys()];
  const sent = root === undefined ? await sendThrough(hands, tree, plan, files, ledger, options) : await sendLarge(hands, target, files, root, ledger, { ...options, links: plan.links, folders: plan.folders });
  for (const { path, mode } of plan.modes) {
    signal?.throwIfAborted();
    await hands.setAttributes(on(path), { mode });
    ledger.agreedMode(path, mode);
  }
  return sent;
}

/** Moves files to the recycle folder; folders that this leaves empty go. */
async function moveAway(hands: SftpHands, target: string, { paths, to }: { readonly paths: readonly string[]; readonly to: string }, ledger: Ledger, signal: AbortSignal | undefined): Promise<void> {
  const folders = [...new Set(paths.map(dirOf))];
  await makeFolders(hands, [...above(to), ...folders.flatMap((folder) => above(folder, `${to}/`))]);
  for (const path of paths) {
    signal?.throwIfAborted();
    await hands.rename(`${target}/${path}`, `${to}/${path}`, { overwrite: false });
    ledger.forget(path);
  }
  for (const folder of folders.filter((one) => one !== '').sort((a, b) => b.length - a.length)) await hands.delete(`${target}/${folder}`, { recursive: false }).catch(() => undefined);
}

/** A file that only the editor can read is read whole and written whole. */
async function sendThrough(hands: SftpHands, tree: LocalTree, { target, folders }: UploadPlan, files: readonly PlannedFile[], ledger: Ledger, { onProgress, signal }: LargeOptions): Promise<Moved & { readonly changedThere: readonly string[] }> {
  const done = { files: 0, bytes: 0 };
  const failed: { path: string; detail: string }[] = [];
  const changedThere: string[] = [];
  await makeFolders(hands, [...above(target), ...new Set([...files.map(({ path }) => dirOf(path)), ...folders].flatMap((folder) => above(folder, `${target}/`)))]);
  for (const { path, local, remote } of files) {
    signal?.throwIfAborted();
    const to = `${target}/${path}`;
    try {
      const content = await readWhole(tree, path);
      ledger.offer(path, { size: content.length, mtimeMs: local.mtimeMs });
      await hands.writeFile(to, content, { create: true, overwrite: remote !== undefined });
      await hands.setAttributes(to, { mtime: Math.floor(local.mtimeMs / 1000) });
      ledger.sent(path, { size: content.length, mtimeMs: local.mtimeMs });
      done.files++;
      done.bytes += content.length;
      onProgress?.({ ...done });
    } catch (error) {
      if (isFileError(error, 'exists')) changedThere.push(path);
      else if (isFileError(error, 'no-permission', 'is-a-directory', 'not-a-directory')) failed.push({ path, detail: error.message });
      else throw error;
    }
  }
  return { ...done, failed, changedThere };
}

/** `a`, `a/b` and so on of `a/b`, with something in front. An absolute path begins with its first folder. */
function above(path: string, prefix = ''): string[] {
  const root = path.startsWith('/') ? '/' : '';
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, n) => prefix + root + parts.slice(0, n + 1).join('/'));
}

async function makeFolders(hands: SftpHands, folders: readonly string[]): Promise<void> {
  for (const folder of new Set(folders))
    await hands.createDirectory(folder).catch((error: unknown) => {
      if (!isFileError(error, 'exists')) throw error;
    });
}

export interface BroughtBySftp extends Brought {
  readonly links: number;
}

/** Brings what an order says by SFTP alone, in resumable pieces. */
export async function bringBySftp(hands: SftpHands, root: string, order: PullOrder, ledger: Ledger, options: LargeOptions & { readonly names: LocalNames }): Promise<BroughtBySftp> {
  const arrived: Arrived[] = [];
  const outside: string[] = [];
  for (const path of order.links) {
    options.signal?.throwIfAborted();
    const link = await hands.readLink(`${order.target}/${path}`);
    if (staysInside(path, link)) arrived.push({ path, link, mode: 0, mtime: 0, size: 0 });
    else outside.push(path);
  }
  const placed = await placeHere(root, { ...order, files: [] }, arrived, options.names);
  for (const { path, mode } of order.modes) ledger.agreedMode(path, mode);
  const brought = await bringLarge(hands, order.target, order.files, root, ledger, options);
  return { ...brought, links: placed.links, blocked: [...outside, ...placed.blocked, ...brought.blocked], failed: [...placed.failed, ...brought.failed] };
}
