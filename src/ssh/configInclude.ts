import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { systemCode } from './tcp';

/**
 * How a person's OpenSSH configuration names our file. From `~/.ssh/config` OpenSSH looks beside it, so that the line holds on
 * every computer which shares that file; a configuration elsewhere needs the whole path.
 */
export function includeLine(userConfig: string, ours: string): string {
  const inFolder = path.relative(path.dirname(userConfig), ours).replaceAll('\\', '/');
  const beside = path.basename(path.dirname(userConfig)) === '.ssh' && path.basename(userConfig) === 'config' && !inFolder.startsWith('..') && !path.isAbsolute(inFolder);
  return `Include ${beside ? inFolder : pattern(ours)}`;
}

/**
 * What follows `Include` is a pattern of names, and from OpenSSH 9.9 on `%` begins a token in it. Such characters are asked for
 * as any character, which every version understands.
 */
const pattern = (file: string): string => `"${(/^([A-Za-z]:)?\\/.test(file) ? file.replaceAll('\\', '/') : file).replace(/[%*[\]\\"$]/g, '?')}"`;

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
  return text.replace(new RegExp(`^${escaped}(\\r?\\n(\\r?\\n)?|$)`, 'm'), '');
}

/** A person's configuration that we may not write, for its owner may not either. */
export class ReadOnlyConfigError extends Error {
  override readonly name = 'ReadOnlyConfigError';
  constructor(
    readonly file: string,
    /** The line that was to go in, where it is known. */
    readonly line?: string,
    options?: ErrorOptions,
  ) {
    super(`${file} is read-only`, options);
  }
}

/** A look and the writing after it are tried again where another program has written between them. */
const TRIES = 5;

/**
 * Changes a person's configuration in place: the file a link leads to, its mode kept, every byte that is not changed too, whole
 * or not at all (on Windows, whose access rules would be lost with a new file, in place). An unchanged text is not written.
 * @returns whether it was written
 * @throws ReadOnlyConfigError
 */
export async function editUserConfig(file: string, change: (text: string) => string): Promise<boolean> {
  const real = await fs.realpath(file).catch(() => file);
  for (let attempt = 1; ; attempt++) {
    const before = await bytesOf(real);
    const { text, encoding } = textOf(before ?? Buffer.alloc(0));
    const after = change(text);
    if (after === text) return false;
    const unchanged = async (): Promise<boolean> => attempt === TRIES || same(before, await bytesOf(real));
    try {
      if (await put(real, Buffer.from(after, encoding), before !== undefined, unchanged)) return true;
    } catch (error) {
      throw ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '') ? new ReadOnlyConfigError(file, undefined, { cause: error }) : error;
    }
  }
}

/** What is no UTF-8 is read byte by byte, so that it comes out again as it was. */
function textOf(bytes: Buffer): { text: string; encoding: 'utf8' | 'latin1' } {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? { text, encoding: 'utf8' } : { text: bytes.toString('latin1'), encoding: 'latin1' };
}

async function bytesOf(file: string): Promise<Buffer | undefined> {
  try {
    return await fs.readFile(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const same = (a: Buffer | undefined, b: Buffer | undefined): boolean => (a === undefined || b === undefined ? a === b : a.equals(b));

/** Writes unless the file is another than before by then. */
async function put(file: string, bytes: Buffer, isThere: boolean, unchanged: () => Promise<boolean>): Promise<boolean> {
  if (isThere && process.platform === 'win32') {
    if (!(await unchanged())) return false;
    await fs.writeFile(file, bytes);
    return true;
  }
  await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const mode = isThere ? (await fs.stat(file)).mode & 0o777 : 0o600;
  // A new file in its place would do, but not as its owner wants it.
  if ((mode & 0o200) === 0) throw Object.assign(new Error(`${file} may not be written`), { code: 'EACCES' });
  const fresh = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    await fs.writeFile(fresh, bytes, { mode, flag: 'wx' });
    await fs.chmod(fresh, mode);
    const still = await unchanged();
    if (still) await fs.rename(fresh, file);
    else await fs.rm(fresh);
    return still;
  } catch (error) {
    await fs.rm(fresh, { force: true });
    throw error;
  }
}
