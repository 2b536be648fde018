import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { executables, repositories } from './gitFacts';
import type { LocalEntry, LocalTree } from './localTree';

// These take half the processor time of their like in fs/promises, and a project has thousands of files.
const lstat = promisify(fs.lstat);
const readFile = promisify(fs.readFile);

/** git's own default: file names differ by case on Linux only. */
const ignoreCase = process.platform === 'win32' || process.platform === 'darwin';

/** A folder on this computer's disk. @param root its absolute path */
export function diskTree(root: string): LocalTree {
  const at = (path: string): string => join(root, ...path.split('/'));
  let runnable: Promise<ReadonlySet<string>> | undefined;
  return {
    ignoreCase,
    list: async (folder) => (await fs.promises.readdir(at(folder), { withFileTypes: true })).map((entry): LocalEntry => ({ name: process.platform === 'darwin' ? entry.name.normalize('NFC') : entry.name, type: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other' })),
    stat: async (file) => {
      const { size, mtimeMs, mode } = await lstat(at(file));
      if (process.platform !== 'win32') return { size, mtimeMs, mode: mode & 0o7777 };
      // Windows makes its modes up; git remembers which files are programs.
      return { size, mtimeMs, mode: (await (runnable ??= executables(root))).has(file) ? 0o755 : undefined };
    },
    whole: (file) => readFile(at(file)),
    read: (file) => fs.createReadStream(at(file), { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>,
    readLink: async (link) => (await fs.promises.readlink(at(link))).replaceAll('\\', process.platform === 'win32' ? '/' : '\\'),
    repository: repositories(root),
  };
}
