import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, parse, relative } from 'node:path';
import { FileType, Uri, workspace } from 'vscode';
import type { LocalEntry, LocalTree } from '../../sync/localTree';

/** git's own default: file names differ by case on Linux only. */
const ignoreCase = process.platform === 'win32' || process.platform === 'darwin';

/** A folder of this window's machine, or of any file system that the editor knows. */
export const localTree = (folder: Uri): LocalTree => (folder.scheme === 'file' ? diskTree(folder.fsPath) : editorTree(folder));

/** Nothing but one file of a folder. */
export const onlyFile = (tree: LocalTree, name: string): LocalTree => ({ ...tree, list: async (folder) => (folder === '' ? [{ name, type: 'file' }] : []), above: async () => [] });

/** A home folder or a whole disk is nobody's project. */
export function isProject(folder: Uri): boolean {
  if (folder.scheme !== 'file') return folder.path !== '/';
  const path = folder.fsPath;
  return relative(path, homedir()) !== '' && parse(path).root !== path && relative(homedir(), path).split(/[\\/]/).some((part) => part !== '..');
}

/** What the folder is called on a pod. */
export const folderName = (folder: Uri): string => folder.path.replace(/\/+$/, '').split('/').at(-1) || 'project';

function diskTree(root: string): LocalTree {
  const at = (path: string): string => join(root, ...path.split('/'));
  return {
    ignoreCase,
    list: async (folder) => (await readdir(at(folder), { withFileTypes: true })).map((entry): LocalEntry => ({ name: entry.name, type: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other' })),
    stat: async (file) => {
      const { size, mtimeMs, mode } = await lstat(at(file));
      // Windows makes its modes up.
      return { size, mtimeMs, mode: process.platform === 'win32' ? undefined : mode & 0o7777 };
    },
    read: (file) => createReadStream(at(file), { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>,
    readLink: async (link) => (await readlink(at(link))).replaceAll('\\', process.platform === 'win32' ? '/' : '\\'),
    above: () => ignoreFilesAbove(root),
  };
}

/** The `.gitignore` files between a folder and the top of the repository it lies in, and that repository's own list. */
async function ignoreFilesAbove(root: string): Promise<{ below: string; text: string }[]> {
  const folders: string[] = [];
  for (let folder = root; ; folder = dirname(folder)) {
    const isTop = await lstat(join(folder, '.git')).then(() => true, () => false);
    if (folder !== root) folders.unshift(folder);
    if (isTop) break;
    // No repository: then no ignore file above says anything.
    if (dirname(folder) === folder) return [];
  }
  const [top] = folders;
  const sources = [...(top === undefined ? [] : [{ folder: top, file: join(top, '.git', 'info', 'exclude') }]), ...folders.map((folder) => ({ folder, file: join(folder, '.gitignore') }))];
  const found: { below: string; text: string }[] = [];
  for (const { folder, file } of sources) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) found.push({ below: relative(folder, root).split(/[\\/]/).join('/'), text });
  }
  return found;
}

/** By way of the editor: the disk of the machine at the other end of a remote window, or a virtual folder. */
function editorTree(root: Uri): LocalTree {
  const at = (path: string): Uri => (path === '' ? root : Uri.joinPath(root, ...path.split('/')));
  return {
    ignoreCase: false,
    list: async (folder) =>
      (await workspace.fs.readDirectory(at(folder))).map(([name, type]): LocalEntry => ({
        name,
        type: type & FileType.SymbolicLink ? 'link' : type & FileType.Directory ? 'folder' : type & FileType.File ? 'file' : 'other',
      })),
    stat: async (file) => {
      const { size, mtime } = await workspace.fs.stat(at(file));
      return { size, mtimeMs: mtime, mode: undefined };
    },
    async *read(file) {
      yield await workspace.fs.readFile(at(file));
    },
    readLink: async () => undefined,
  };
}
