import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { CancelledError } from '../../base/errors';
import { whileBusy } from '../../base/whileBusy';
import { decodeName, encodeName } from '../names';
import { localError, LocalFileError } from './contract';

/**
 * A path of this computer as the system wants it. Linux names that are no UTF-8 are shown as on a pod (see `encodeName`) and
 * go back to their bytes here.
 */
export const native = (text: string): string | Buffer => (process.platform === 'linux' && /[\uef80-\uefff]/.test(text) ? encodeName(text) : text);

export const joinLocal = (folder: string, name: string): string => (folder.endsWith(path.sep) ? folder + name : folder + path.sep + name);

export interface LocalEntry {
  readonly kind: 'file' | 'directory' | 'link' | 'special';
  readonly size: number;
  readonly mtimeMs: number;
  readonly mode: number;
}

/** One operation; the system's refusal becomes a `LocalFileError`. */
export async function local<T>(file: string, work: (file: string | Buffer) => Promise<T>): Promise<T> {
  try {
    return await work(native(file));
  } catch (error) {
    throw localError(error, file);
  }
}

function entryOf(stats: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean; size: number; mtimeMs: number; mode: number }): LocalEntry {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'special';
  return { kind, size: stats.size, mtimeMs: stats.mtimeMs, mode: stats.mode & 0o777 };
}

/** What is there, links not followed; `undefined` for nothing. */
export async function lookAt(file: string): Promise<LocalEntry | undefined> {
  return orNothing(local(file, async (f) => entryOf(await fs.lstat(f))));
}

/** What is there at the end of all links. */
export async function lookThrough(file: string): Promise<LocalEntry | undefined> {
  return orNothing(local(file, async (f) => entryOf(await fs.stat(f))));
}

async function orNothing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof LocalFileError && (error.code === 'not-found' || /ENOTDIR|ELOOP/.test(error.detail))) return undefined;
    throw error;
  }
}

export async function namesIn(folder: string): Promise<string[]> {
  if (process.platform !== 'linux') return local(folder, (f) => fs.readdir(f));
  return (await local(folder, (f) => fs.readdir(f, { encoding: 'buffer' }))).map((name) => decodeName(name));
}

/** Where a link points, as it is written in it. */
export async function linkText(file: string): Promise<string> {
  if (process.platform !== 'linux') return local(file, (f) => fs.readlink(f));
  return decodeName(await local(file, (f) => fs.readlink(f, { encoding: 'buffer' })));
}

/** Makes a folder and those it lies in. What is there must be a folder. */
export async function makeFolder(folder: string): Promise<void> {
  await local(folder, (f) => fs.mkdir(f, { recursive: true }));
}

/** Writes all of `data` at `position`. */
export async function writeAll(handle: fs.FileHandle, data: Buffer, position: number): Promise<void> {
  for (let at = 0; at < data.length; ) at += (await handle.write(data, at, data.length - at, position + at)).bytesWritten;
}

/**
 * Gives a complete file its name. Without `overwrite` a file that has come to be there is not replaced.
 * @throws LocalFileError `exists`
 */
export async function place(temp: string, to: string, overwrite: boolean): Promise<void> {
  if (!overwrite) {
    if ((await lookAt(to)) !== undefined) throw new LocalFileError('exists', to);
    const linked = await fs.link(native(temp), native(to)).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw new LocalFileError('exists', to);
        // No hard links on this disk (exFAT, some shares): looked for a moment ago, and renamed.
        return false;
      },
    );
    if (linked) return local(temp, (f) => whileBusy(() => fs.rm(f)));
  }
  await local(to, (f) => whileBusy(() => fs.rename(native(temp), f)));
}

/** Reads pieces of an open file, shorter at its end. */
export const readerOf =
  (handle: fs.FileHandle) =>
  async (position: number, length: number): Promise<Buffer> => {
    const buffer = Buffer.allocUnsafe(length);
    let at = 0;
    for (let last = -1; at < length && last !== 0; at += last) last = (await handle.read(buffer, at, length - at, position + at)).bytesRead;
    return buffer.subarray(0, at);
  };

const piece = 1024 * 1024;

/** SHA-256 of a file's first `length` bytes, in hexadecimal digits. */
export async function localHash(file: string, length: number, signal?: AbortSignal): Promise<string> {
  return local(file, async (f) => {
    const handle = await fs.open(f, 'r');
    try {
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafeSlow(Math.min(piece, Math.max(1, length)));
      for (let at = 0; at < length; ) {
        if (signal?.aborted === true) throw new CancelledError();
        const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - at), at);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      return hash.digest('hex');
    } finally {
      await handle.close();
    }
  });
}
