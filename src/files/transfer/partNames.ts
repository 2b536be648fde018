import { createHash } from 'node:crypto';

/** What nobody has written to for so long, in milliseconds, no transfer that still lives has under way. */
export const ABANDONED_MS = 2 * 60_000;

/**
 * The middle of a temporary name: the same one for the same version of the same file, so that a later attempt finds what an
 * earlier one has begun, and what was begun of another version is known for it.
 */
export const partKey = (file: string, version: string): string => `${hashed(file)}-${hashed(version)}`;

/** Whether `name` is that of another version of the file that is collected under `own`. */
export function isOtherVersion(name: string, own: string): boolean {
  const [, before = '', file, after = ''] = own.match(/^(.*)([0-9a-f]{12})-[0-9a-f]{12}(.*)$/) ?? [];
  return file !== undefined && name !== own && name.startsWith(`${before}${file}-`) && name.endsWith(after) && name.length === own.length;
}

const hashed = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
