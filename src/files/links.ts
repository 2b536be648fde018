import { FileError, isStatus, Status } from './errors';
import { isLink } from './kinds';
import { dirname, join, normalise } from './names';
import { outcome } from './room';
import type { SftpSession } from './sftp';

const maxLinks = 40;

/** What a symbolic link leads to, all links followed; the file itself need not be there. */
export async function linkTarget(session: SftpSession, path: string): Promise<string> {
  const real = await outcome(session.realpath(path));
  if (real.ok && real.value !== path && real.value.startsWith('/')) return real.value;
  if (!real.ok && !isStatus(real.error, Status.NoSuchFile, Status.Failure)) throw real.error;
  return chase(session, path);
}

/** For a server whose REALPATH does not follow, or wants the end of the way to be there. */
async function chase(session: SftpSession, start: string): Promise<string> {
  let path = start;
  for (let i = 0; i < maxLinks; i++) {
    const folder = await session.realpath(dirname(path));
    const target = await session.readlink(path);
    path = normalise(target.startsWith('/') ? target : join(folder, target));
    const found = await outcome(session.lstat(path));
    if (!found.ok) {
      if (isStatus(found.error, Status.NoSuchFile)) return path;
      throw found.error;
    }
    if (!isLink(found.value)) return path;
  }
  throw new FileError('failure', start, 'its links lead in a circle');
}
