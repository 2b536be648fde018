import { FileError, isStatus, Status } from './errors';
import { type FileStat, fileStat, isLink } from './kinds';
import { dirname, isWithin } from './names';
import { outcome, type Room } from './room';
import type { SftpSession } from './sftp';

/** Links followed; one that leads nowhere, or in a circle, is a `link`. One round trip, or none shortly after a listing. */
export async function stat(room: Room, path: string, signal?: AbortSignal): Promise<FileStat> {
  return room.cache.get(path) ?? (await room.sessions.use(path, true, (session) => statFresh(room, session, path, signal), signal));
}

export async function statFresh(room: Room, session: SftpSession, path: string, signal?: AbortSignal): Promise<FileStat> {
  const options = signal === undefined ? {} : { signal };
  const [itself, target] = await Promise.all([outcome(session.lstat(path, options)), outcome(session.stat(path, options))]);
  if (!itself.ok) throw itself.error;
  if (!target.ok && !isLink(itself.value)) throw target.error;
  return fileStat(itself.value, target.value, await room.sessions.who());
}

/** Whether anything has this name, be it a link to nowhere. */
export async function exists(session: SftpSession, path: string): Promise<boolean> {
  const found = await outcome(session.lstat(path));
  if (!found.ok && !isStatus(found.error, Status.NoSuchFile)) throw found.error;
  return found.ok;
}

/** The folder that `path` is to be in is missing, or is none. SFTP calls both "no such file". */
export async function checkParent(session: SftpSession, path: string): Promise<void> {
  const parent = dirname(path);
  const found = await outcome(session.stat(parent));
  if (!found.ok) {
    if (isStatus(found.error, Status.NoSuchFile)) throw new FileError('not-found', parent);
    throw found.error;
  }
  const { kind } = fileStat(found.value, undefined, undefined);
  if (kind !== 'directory') throw new FileError('not-a-directory', parent);
}

/** A folder cannot go into itself, nor take the place of what it lies in; but that the source is missing comes first. */
export async function refuseNested(room: Room, from: string, to: string, overwrite: boolean): Promise<void> {
  if (!isWithin(to, from) && !isWithin(from, to)) return;
  await room.sessions.use(from, true, (session) => session.lstat(from));
  if (from === to) throw new FileError('exists', to);
  if (isWithin(to, from)) throw new FileError('unsupported', to, 'a folder cannot go into itself');
  throw new FileError(overwrite ? 'unsupported' : 'exists', to, 'it holds the source');
}
