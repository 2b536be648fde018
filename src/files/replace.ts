import { withAside } from './aside';
import { isStatus, Status, StatusError } from './errors';
import { outcome, type Room, runOnPod } from './room';
import { assign, errorOfRun, script } from './shell';
import type { SftpSession } from './sftp';
import { exists } from './stat';

/**
 * Renames a complete file over another in one step where the server can, else by the pod's `mv`; else with the old file
 * set aside under a temporary name and brought back when that fails.
 */
export async function replaceFile(room: Room, session: SftpSession, from: string, to: string): Promise<void> {
  if (session.has('posix-rename@openssh.com')) return session.posixRename(from, to);
  const plain = await outcome(session.rename(from, to));
  if (plain.ok) return;
  if (!(plain.error instanceof StatusError) || isStatus(plain.error, Status.PermissionDenied, Status.NoSuchFile) || !(await exists(session, to))) throw plain.error;
  if (await room.sessions.hasShell()) {
    const result = await runOnPod(room, to, script(assign('a', from), assign('b', to), 'exec mv -f -- "$a" "$b"'), { deadlineMs: 60_000 });
    if (result.code !== 0) throw errorOfRun(result, to);
    return;
  }
  await withAside(room, session, from, to, () => session.rename(from, to));
}
