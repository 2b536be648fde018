import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import * as path from 'node:path';
import type { LocalTree } from '../../src/sync/localTree';

/** A folder on this disk. */
export function diskTree(root: string, options: { mode?: boolean } = {}): LocalTree {
  return {
    ignoreCase: false,
    list: async (folder) =>
      (await readdir(path.join(root, folder), { withFileTypes: true })).map((entry) => ({
        name: entry.name,
        type: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other',
      })),
    stat: async (file) => {
      const stat = await lstat(path.join(root, file));
      return { size: stat.size, mtimeMs: stat.mtimeMs, mode: options.mode === false ? undefined : stat.mode & 0o7777 };
    },
    read: (file) => createReadStream(path.join(root, file)) as AsyncIterable<Buffer>,
    readLink: (link) => readlink(path.join(root, link)),
  };
}
