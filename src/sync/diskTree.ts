import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { executables, repositories } from './gitFacts';
import type { LocalEntry, LocalTree } from './localTree';

// These take half the processor time of their like in fs/promises, and a project has thousands of files.
const lstat = promisify(fs.lstat);
const readFile = promisify(fs.readFile);

/** What a listing, or a look at one entry, tells of it. */
type Kind = Pick<fs.Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>;
const kindOf = (entry: Kind): LocalEntry['type'] => (entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other');

/** A folder on this computer's disk. @param root its absolute path */
export function diskTree(root: string, platform: NodeJS.Platform = process.platform): LocalTree {
  const [windows, mac] = [platform === 'win32', platform === 'darwin'];
  const at = (path: string): string => join(root, ...path.split('/'));
  let runnable: Promise<ReadonlySet<string>> | undefined;
  const entryOf = (name: string, kind: Kind): LocalEntry => ({ name: mac ? name.normalize('NFC') : name, type: kindOf(kind) });
  const list = async (folder: string): Promise<LocalEntry[]> => {
    const entries = await fs.promises.readdir(at(folder), { withFileTypes: true });
    if (!windows) return entries.map((entry) => entryOf(entry.name, entry));
    // To a listing of Windows all that OneDrive keeps is a link; a look at it tells which is one.
    return Promise.all(entries.map(async (entry) => entryOf(entry.name, entry.isSymbolicLink() ? await lstat(join(at(folder), entry.name)).catch(() => entry) : entry)));
  };
  return {
    // git's own default: file names differ by case on Linux only.
    ignoreCase: windows || mac,
    list,
    stat: async (file) => {
      const { size, mtimeMs, mode } = await lstat(at(file));
      if (!windows) return { size, mtimeMs, mode: mode & 0o7777 };
      // Windows makes its modes up; git remembers which files are programs.
      return { size, mtimeMs, mode: (await (runnable ??= executables(root))).has(file) ? 0o755 : undefined };
    },
    whole: (file) => readFile(at(file)),
    read: (file) => fs.createReadStream(at(file), { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>,
    readLink: (link) => fs.promises.readlink(at(link)).then((text) => (windows ? text.replaceAll('\\', '/') : text), () => undefined),
    repository: repositories(root),
  };
}
