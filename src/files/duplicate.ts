import { isCancelled } from '../base/errors';
import { FileError, isStatus, Status } from './errors';
import { isDirectory, isLink, isRegular, permissionMask } from './kinds';
import { readNames } from './list';
import { join } from './names';
import { discardTree } from './remove';
import { noLongerInUse, outcome, type Room, runOnPod, unawaited } from './room';
import { assign, errorOfRun, Exit, script } from './shell';
import type { SftpSession } from './sftp';
import { checkParent, exists } from './stat';
import { isTempName, tempBeside } from './temp';
import { type Attributes, OpenFlag } from './wire';

const runMs = 3_600_000;

/**
 * A whole copy of `from` under a temporary name beside `to`, links as links, with modes, times and, as far as the login user may,
 * owners. Resolves with that name.
 * @param overwrite when false, something under `to` is refused before anything is copied.
 */
export async function copyBeside(room: Room, session: SftpSession, from: string, to: string, overwrite: boolean): Promise<string> {
  const temp = tempBeside(to);
  room.inUse.add(temp);
  try {
    if (await room.sessions.hasShell()) await byShell(room, session, from, to, temp, overwrite);
    else await bySftp(room, session, from, to, temp, overwrite);
    return temp;
  } finally {
    noLongerInUse(room, temp);
  }
}

async function byShell(room: Room, session: SftpSession, from: string, to: string, temp: string, overwrite: boolean): Promise<void> {
  const lines = script(
    assign('a', from),
    assign('b', to),
    assign('t', temp),
    `test -e "$a" || test -L "$a" || exit ${Exit.NotFound}`,
    overwrite ? '' : `if test -e "$b" || test -L "$b"; then exit ${Exit.Exists}; fi`,
    `cp -a -- "$a" "$t" || { rm -rf -- "$t"; exit 1; }`,
  );
  const ran = await outcome(runOnPod(room, from, lines, { deadlineMs: runMs }));
  if (!ran.ok) {
    if (!isCancelled(ran.error)) room.leftovers.add(temp);
    throw ran.error;
  }
  const { code } = ran.value;
  if (code === 0) return;
  if (code === Exit.NotFound) throw new FileError('not-found', from);
  if (code === Exit.Exists) throw new FileError('exists', to);
  await checkParent(session, to);
  throw errorOfRun(ran.value, to);
}

async function bySftp(room: Room, session: SftpSession, from: string, to: string, temp: string, overwrite: boolean): Promise<void> {
  const found = await session.lstat(from);
  await checkParent(session, to);
  if (!overwrite && (await exists(session, to))) throw new FileError('exists', to);
  const copied = await outcome(copyEntry(room, session, from, found, temp));
  if (copied.ok) return;
  await discardTree(room, session, temp);
  throw copied.error;
}

async function copyEntry(room: Room, session: SftpSession, from: string, found: Attributes, to: string): Promise<void> {
  if (isLink(found)) return session.symlink(await session.readlink(from), to);
  if (isDirectory(found)) {
    await session.mkdir(to, { mode: 0o700 });
    for (const entry of await readNames(room, session, from))
      // Of a folder that is copied into itself by way of a link, the copy must not be copied.
      if (!isTempName(entry.name)) await copyEntry(room, session, join(from, entry.name), entry.attributes, join(to, entry.name));
    return keepAttributes(found, (value) => session.setstat(to, value));
  }
  if (!isRegular(found) && found.mode !== undefined) throw new FileError('unsupported', from, 'a device, pipe or socket');
  const source = await session.open(from, OpenFlag.Read);
  try {
    const target = await session.open(to, OpenFlag.Write | OpenFlag.Create | OpenFlag.Exclusive, { mode: 0o600 });
    try {
      if (session.has('copy-data')) await session.copyData(source, 0, 0, target, 0);
      else
        for (let at = 0; ; ) {
          const part = await session.read(source, at, Math.min(session.maxRead, session.maxWrite));
          if (part.length === 0) break;
          await session.write(target, at, part);
          at += part.length;
        }
      await keepAttributes(found, (value) => session.fsetstat(target, value));
    } finally {
      await session.close(target);
    }
  } finally {
    unawaited(session.close(source), room.log);
  }
}

async function keepAttributes(found: Attributes, set: (value: Attributes) => Promise<void>): Promise<void> {
  if (found.mode !== undefined) await set({ mode: found.mode & permissionMask });
  // Only root may give files away; a copy of our own is then ours, as with `cp`.
  for (const value of [found.uid !== undefined && found.gid !== undefined ? { uid: found.uid, gid: found.gid } : {}, found.mtime !== undefined ? { mtime: found.mtime } : {}]) {
    const kept = await outcome(set(value));
    if (!kept.ok && !isStatus(kept.error, Status.PermissionDenied, Status.Failure)) throw kept.error;
  }
}
