import { FileError, type StatusError } from './errors';
import { dirname } from './names';
import { outcome, type Room, runOnPod, toFileError } from './room';
import { assign, codeOfMessage, script } from './shell';
import type { SftpSession } from './sftp';
import { tempBeside } from './temp';

const probeBytes = 64 * 1024 * 1024;

/**
 * SFTP says "failure" to a full disk, a quota, a read-only file system and a broken disk alike. Asks the file system, and
 * where that is no wiser (quotas do not show in statvfs) lets the pod's shell try the same and takes its word.
 */
export async function whyNotWritten(room: Room, session: SftpSession, path: string, size: number, refusal: StatusError): Promise<FileError> {
  const mapped = toFileError(refusal, path);
  if (!(mapped instanceof FileError) || mapped.code !== 'failure') return mapped instanceof FileError ? mapped : new FileError('failure', path);
  const folder = dirname(path);
  const space = session.has('statvfs@openssh.com') ? await outcome(session.statvfs(folder)) : undefined;
  const cause = { cause: refusal };
  if (space?.ok === true) {
    if (space.value.readOnly) return new FileError('no-permission', path, 'a read-only file system', cause);
    if (space.value.totalBlocks > 0 && (space.value.freeBlocks === 0 || space.value.freeBlocks * space.value.blockSize < size)) return new FileError('no-space', path, 'the disk is full', cause);
    if (space.value.files > 0 && space.value.freeFiles === 0) return new FileError('no-space', path, 'the disk can hold no more files', cause);
  }
  if (!(await room.sessions.hasShell())) return mapped;
  const bytes = Math.min(Math.max(size, 1), probeBytes);
  const tried = await outcome(runOnPod(room, path, script(assign('t', tempBeside(path)), `trap 'rm -f "$t"' EXIT`, `head -c ${bytes} /dev/zero > "$t"`), { deadlineMs: 20_000 }));
  const message = tried.ok && tried.value.code !== 0 ? tried.value.stderr.toString('latin1').trim() : '';
  return message === '' ? mapped : new FileError(codeOfMessage(message), path, message, cause);
}
