import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { configPath } from './configText';
import { systemCode } from './tcp';

/**
 * How a person's OpenSSH configuration names our file. From `~/.ssh/config` OpenSSH looks beside it, so that the line holds on
 * every computer which shares that file; a configuration elsewhere needs the whole path.
 */
export function includeLine(userConfig: string, ours: string): string {
  const inFolder = path.relative(path.dirname(userConfig), ours).replaceAll('\\', '/');
  const beside = path.basename(path.dirname(userConfig)) === '.ssh' && path.basename(userConfig) === 'config' && !inFolder.startsWith('..') && !path.isAbsolute(inFolder);
  return `Include ${beside ? inFolder : configPath(ours)}`;
}

const meansSame = (line: string, include: string): boolean => line.trim().replace(/\s+/g, ' ').toLowerCase() === include.toLowerCase();
/** A line of the file that is nobody's but ours. */
const lines = (text: string): string[] => text.split(/\r?\n/);

/** Whether the line is there and counts for every host: not below a `Host` or `Match`. */
export function hasInclude(text: string, include: string): boolean {
  for (const line of lines(text)) {
    if (/^\s*(host|match)\b/i.test(line)) return false;
    if (meansSame(line, include)) return true;
  }
  return false;
}

/** The same configuration with the line first: below a `Host` it would count for that host only. */
export function withInclude(text: string, include: string): string {
  if (hasInclude(text, include)) return text;
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  return `${include}${end}${text === '' ? '' : end}${text}`;
}

/** The same configuration without the line, and without the empty line that came with it. */
export function withoutInclude(text: string, include: string): string {
  const escaped = include.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`^${escaped}\\r?\\n(\\r?\\n)?`, 'm'), '');
}

/**
 * Changes a person's configuration in place: the file a link leads to, its mode kept, whole or not at all (on Windows, whose
 * access rules would be lost with a new file, in place). An unchanged text is not written.
 * @returns whether it was written
 */
export async function editUserConfig(file: string, change: (text: string) => string): Promise<boolean> {
  const real = await fs.realpath(file).catch(() => file);
  const before = await fs.readFile(real, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  const after = change(before ?? '');
  if (after === (before ?? '')) return false;
  if (before !== undefined && process.platform === 'win32') {
    await fs.writeFile(real, after);
    return true;
  }
  await fs.mkdir(path.dirname(real), { recursive: true, mode: 0o700 });
  const mode = before === undefined ? 0o600 : (await fs.stat(real)).mode & 0o777;
  const fresh = `${real}.${randomBytes(6).toString('hex')}.new`;
  try {
    await fs.writeFile(fresh, after, { mode, flag: 'wx' });
    await fs.chmod(fresh, mode);
    await fs.rename(fresh, real);
  } catch (error) {
    await fs.rm(fresh, { force: true });
    throw error;
  }
  return true;
}
