import { FileType, l10n, Uri, window, workspace } from 'vscode';
import { CancelledError } from '../../base/errors';
import { SCHEME, SCHEME_READONLY } from '../ids';
import { folderName, isProject, pathBelow } from './localFolder';
import { ask } from '../prompts/ask';

/** A local folder, and the part of it that is meant. */
export interface Source {
  readonly folder: Uri;
  /** Relative to the folder; absent for all of it. */
  readonly paths?: readonly string[];
}

export const isLocal = (uri: Uri): boolean => uri.scheme !== SCHEME && uri.scheme !== SCHEME_READONLY && uri.scheme !== 'untitled';

/**
 * What a command is about: the chosen files and folders, which lie in an open folder; an address or path as text; else the
 * open folder, or the one that is picked where several are open.
 */
export async function sourceOf(target: unknown, others: readonly Uri[]): Promise<Source> {
  const given = target instanceof Uri ? target : typeof target === 'string' && target !== '' ? toUri(target) : undefined;
  if (given === undefined) return { folder: await openFolder() };
  const all = others.length > 0 ? others : [given];
  const open = workspace.getWorkspaceFolder(given)?.uri;
  const isFolder = ((await workspace.fs.stat(given).then((stat) => stat.type, () => FileType.File)) & FileType.Directory) !== 0;
  const folder = open ?? (isFolder ? given : Uri.joinPath(given, '..'));
  if (!isLocal(folder)) throw new Error(l10n.t('{0} is on a pod already. Choose a folder of this computer.', given.toString(true)));
  if (!isProject(folder)) throw new Error(l10n.t('{0} is a whole home folder or disk; open the project’s own folder.', folder.fsPath));
  const paths = all.map((uri) => pathBelow(folder, uri)).filter((path) => path !== undefined);
  return paths.includes('') ? { folder } : { folder, paths };
}

/** `C:\data` is a path, not an address. */
const toUri = (text: string): Uri => (/^[a-z][a-z0-9+.-]+:\/\//i.test(text) ? Uri.parse(text, true) : Uri.file(text));

async function openFolder(): Promise<Uri> {
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri).filter((uri) => isLocal(uri));
  const [first] = folders;
  if (first === undefined) throw new Error(l10n.t('Open a folder of this computer; then it can be kept in step with a pod.'));
  if (folders.length === 1) return first;
  const active = window.activeTextEditor && workspace.getWorkspaceFolder(window.activeTextEditor.document.uri)?.uri.toString();
  const items = folders.map((uri) => ({ label: folderName(uri), description: uri.fsPath, uri })).sort((a, b) => Number(b.uri.toString() === active) - Number(a.uri.toString() === active));
  const picked = await ask.oneOf(items, { placeHolder: l10n.t('Which folder?') });
  if (picked === undefined) throw new CancelledError();
  return picked.uri;
}
