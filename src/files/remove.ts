import { FileError, isStatus, SessionLostError, Status, StatusError } from './errors';
import { isDirectory } from './kinds';
import { readNames } from './list';
import { join } from './names';
import { outcome, type Room, runOnPod } from './room';
import { assign, errorOfRun, Exit, script } from './shell';
import type { SftpSession } from './sftp';

const runMs = 600_000;
/** Requests of a walk that are under way at once. */
const atOnce = 64;

/**
 * Deletes a file, a link (never what it leads to) or a folder. One round trip for a file; a folder with all it holds in
 * the time of one command, where the pod has a shell.
 */
export async function remove(room: Room, path: string, options: { readonly recursive: boolean }): Promise<void> {
  if (path === '/') throw new FileError('no-permission', path, 'the root of the file system is not deleted');
  await room.locks.run([path], async () => {
    room.cache.forget(path);
    try {
      await room.sessions.use(path, false, (session) => removeOn(room, session, path, options.recursive));
    } finally {
      room.cache.forget(path);
    }
  });
}

async function removeOn(room: Room, session: SftpSession, path: string, recursive: boolean): Promise<void> {
  // REMOVE is unlink(2), which refuses a folder, so it may go out beside the question what it is.
  const [found, removed] = await Promise.all([outcome(session.lstat(path)), outcome(session.remove(path))]);
  if (removed.ok) return;
  if (removed.error instanceof SessionLostError) throw removed.error;
  if (!found.ok) throw found.error;
  if (!isDirectory(found.value)) throw removed.error;
  if (recursive) await removeTree(room, session, path);
  else await removeEmpty(room, session, path);
}

async function removeEmpty(room: Room, session: SftpSession, path: string): Promise<void> {
  const removed = await outcome(session.rmdir(path));
  if (removed.ok) return;
  if (isStatus(removed.error, Status.Failure) && (await readNames(room, session, path)).length > 0) throw new FileError('not-empty', path, '', { cause: removed.error });
  throw removed.error;
}

/** A folder and all it holds; links in it are removed, not followed. */
export async function removeTree(room: Room, session: SftpSession, path: string): Promise<void> {
  if (!(await room.sessions.hasShell())) return removeWalk(room, session, path);
  const lines = script(assign('f', path), `test -d "$f" || exit ${Exit.NotFound}`, 'exec rm -rf -- "$f"');
  const result = await runOnPod(room, path, lines, { deadlineMs: runMs });
  if (result.code !== 0) throw errorOfRun(result, path);
}

/** Whatever it is, with all it holds. */
export async function removeAny(room: Room, session: SftpSession, path: string): Promise<void> {
  await removeOn(room, session, path, true);
}

/** Ends a temporary file or folder of ours; what cannot be removed now is removed on the next connection. */
export async function discardTree(room: Room, session: SftpSession, temp: string): Promise<void> {
  room.leftovers.add(temp);
  const removed = await outcome(removeAny(room, session, temp));
  if (removed.ok || isStatus(removed.error, Status.NoSuchFile)) room.leftovers.delete(temp);
}

/** On a new connection: removes what earlier ones left behind. */
export function sweep(room: Room, session: SftpSession): void {
  for (const temp of room.leftovers) void discardTree(room, session, temp);
}

/** Folder by folder, each with its files at once and its folders after each other, bottom up. */
async function removeWalk(room: Room, session: SftpSession, path: string): Promise<void> {
  const entries = await readNames(room, session, path);
  const folders = entries.filter((e) => isDirectory(e.attributes));
  const others = entries.filter((e) => !isDirectory(e.attributes));
  for (let i = 0; i < others.length; i += atOnce) {
    const results = await Promise.all(others.slice(i, i + atOnce).map((e) => outcome(session.remove(join(path, e.name)))));
    for (const result of results) if (!result.ok && !isStatus(result.error, Status.NoSuchFile)) throw result.error;
  }
  // The walk of a few folders may overlap; all at once could run the server out of handles.
  for (let i = 0; i < folders.length; i += 8) await Promise.all(folders.slice(i, i + 8).map((e) => removeWalk(room, session, join(path, e.name))));
  const removed = await outcome(session.rmdir(path));
  if (!removed.ok && removed.error instanceof StatusError && removed.error.status === Status.NoSuchFile) return;
  if (!removed.ok) throw removed.error;
}
