import { withAside } from './aside';
import { copyBeside } from './duplicate';
import { FileError, isStatus, SessionLostError, Status } from './errors';
import { discardTree, removeAny } from './remove';
import { replaceFile } from './replace';
import { outcome, type Room } from './room';
import type { SftpSession } from './sftp';
import { checkParent, refuseNested } from './stat';

/** Moves a file, link or folder. One round trip, unless something is in the way or it lies on another disk. */
export async function rename(room: Room, from: string, to: string, options: { readonly overwrite: boolean }): Promise<void> {
  if (from === to) return room.sessions.use(from, true, async (session) => void (await session.lstat(from)));
  await refuseNested(room, from, to, options.overwrite);
  await room.locks.run([from, to], async () => {
    room.cache.forget(from);
    room.cache.forget(to);
    try {
      await room.sessions.use(from, false, (session) => moveOn(room, session, from, to, options.overwrite));
    } finally {
      room.cache.forget(from);
      room.cache.forget(to);
    }
  });
}

/** With `overwrite` what has the name is replaced, whatever it is; should the move fail, it is back in its place. */
export async function moveOn(room: Room, session: SftpSession, from: string, to: string, overwrite: boolean): Promise<void> {
  const moved = await outcome(overwrite ? replaceFile(room, session, from, to) : renameFree(session, from, to));
  if (moved.ok) return;
  if (moved.error instanceof FileError) throw moved.error;
  if (moved.error instanceof SessionLostError) throw moved.error;
  const [source, target] = await Promise.all([outcome(session.lstat(from)), outcome(session.lstat(to))]);
  if (!source.ok) throw source.error;
  if (!target.ok) {
    if (!isStatus(target.error, Status.NoSuchFile)) throw target.error;
    await checkParent(session, to);
    if (!isStatus(moved.error, Status.Failure)) throw moved.error;
    return moveAcross(room, session, from, to, moved.error);
  }
  if (!overwrite) throw new FileError('exists', to, '', { cause: moved.error });
  // A folder that is not empty, a file where a folder goes, or the other way round: the old one steps aside first.
  await withAside(room, session, from, to, () => moveFree(room, session, from, to));
}

/**
 * Renames to a name that must be free. OpenSSH sees to that, but looks through links, so that a link, or a folder, would
 * take the place of a link to nowhere; that one is remembered, and put back.
 */
async function renameFree(session: SftpSession, from: string, to: string): Promise<void> {
  const [before, moved] = await Promise.all([outcome(session.readlink(to)), outcome(session.rename(from, to))]);
  if (!moved.ok) throw moved.error;
  if (!before.ok) return;
  await session.rename(to, from);
  await session.symlink(before.value, to);
  throw new FileError('exists', to);
}

async function moveFree(room: Room, session: SftpSession, from: string, to: string): Promise<void> {
  const moved = await outcome(session.rename(from, to));
  if (moved.ok) return;
  if (!isStatus(moved.error, Status.Failure)) throw moved.error;
  await moveAcross(room, session, from, to, moved.error);
}

/** To another file system there is no renaming: a copy under a temporary name, then the name, and only then the source goes. */
async function moveAcross(room: Room, session: SftpSession, from: string, to: string, why: unknown): Promise<void> {
  const copied = await outcome(copyBeside(room, session, from, to, true));
  if (!copied.ok) throw copied.error instanceof FileError ? copied.error : why;
  await session.rename(copied.value, to).catch(async (error: unknown) => {
    await discardTree(room, session, copied.value);
    throw error;
  });
  await removeAny(room, session, from);
}
