import { homedir } from 'node:os';
import { parse, relative } from 'node:path';
import { FileType, Uri, workspace } from 'vscode';
import { diskTree } from '../../sync/diskTree';
import type { LocalEntry, LocalTree } from '../../sync/localTree';

/** A folder of this window's machine, or of any file system that the editor knows. */
export const localTree = (folder: Uri): LocalTree => (folder.scheme === 'file' ? diskTree(folder.fsPath) : editorTree(folder));

/** Nothing but one file of a folder. */
export const onlyFile = (tree: LocalTree, name: string): LocalTree => ({ ...tree, list: async (folder) => (folder === '' ? [{ name, type: 'file' }] : []), repository: async () => undefined });

/** A home folder or a whole disk is nobody's project. */
export function isProject(folder: Uri): boolean {
  if (folder.scheme !== 'file') return folder.path !== '/';
  const path = folder.fsPath;
  return relative(path, homedir()) !== '' && parse(path).root !== path && relative(homedir(), path).split(/[\\/]/).some((part) => part !== '..');
}

/**
 * Where a file lies below a folder; '' for the folder itself, `undefined` for what lies elsewhere. Windows and macOS do not mind
 * case, and the letter of a drive is written now one way and now another.
 */
export function pathBelow(folder: Uri, uri: Uri, platform: NodeJS.Platform = process.platform): string | undefined {
  const [root, path] = [folder, uri].map((one) => one.path.replace(/\/+$/, '')) as [string, string];
  const folds = folder.scheme === 'file' && (platform === 'win32' || platform === 'darwin');
  const start = path.slice(0, root.length);
  if (folds ? start.toLowerCase() !== root.toLowerCase() : start !== root) return undefined;
  const rest = path.slice(root.length);
  return rest === '' || rest.startsWith('/') ? rest.slice(1) : undefined;
}

/** What the folder is called on a pod. */
export const folderName = (folder: Uri): string => folder.path.replace(/\/+$/, '').split('/').at(-1) || 'project';

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
