import { randomBytes } from 'node:crypto';
import { isStatus, Status } from './errors';
import { dirname, join } from './names';
import { outcome, type Room } from './room';
import type { SftpSession } from './sftp';
import { partKey } from './transfer/partNames';

const prefix = '.runpod-save-';

/** A name beside `path` that no one else uses and anyone can recognise; short, so that it fits wherever `path` did. */
export const tempBeside = (path: string): string => join(dirname(path), `${prefix}${randomBytes(6).toString('hex')}`);

/** A name like those of `tempBeside`, the same one for the same version, so that a transfer finds again what it has begun. */
export const tempFor = (path: string, version: string): string => join(dirname(path), prefix + partKey(path, version));

export const isTempName = (name: string): boolean => new RegExp(`^\\${prefix}[0-9a-f]{12}(-[0-9a-f]{12})?$`).test(name);

/** Removes a temporary file of ours now, or, when the link has gone, as soon as there is one again. */
export async function discard(room: Room, session: SftpSession, temp: string): Promise<void> {
  room.leftovers.add(temp);
  const removed = await outcome(session.remove(temp));
  if (removed.ok || isStatus(removed.error, Status.NoSuchFile)) room.leftovers.delete(temp);
}
