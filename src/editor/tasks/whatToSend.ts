import { l10n, Uri, workspace } from 'vscode';
import { CancelledError } from '../../base/errors';
import { folderName, isProject } from '../sync/localFolder';
import { notice } from '../prompts/notice';

/** What is sent for a local file or folder that is run. */
export interface Source {
  readonly folder: Uri;
  /** What is run, below that folder. */
  readonly file: string;
  /** Nothing but that file is sent. */
  readonly only: boolean;
}

/** The project that is sent for a folder, and the folder in it; the folder itself where no project is open around it. */
export function folderSource(uri: Uri): Source {
  const open = workspace.getWorkspaceFolder(uri)?.uri;
  const folder = open !== undefined && isProject(open) ? open : uri;
  if (!isProject(folder)) throw new Error(l10n.t('{0} is a home folder or a whole disk, and is not sent.', folder.path));
  return { folder, file: uri.path.slice(folder.path.replace(/\/+$/, '').length + 1).replace(/\/+$/, ''), only: false };
}

/** Where a pod's file is run: in the folder that is open, as it would be locally; in its own where that is the whole volume. */
export function folderOfFile(uri: Uri, mount: string | undefined): Uri {
  const open = workspace.getWorkspaceFolder(uri)?.uri;
  const own = uri.with({ path: uri.path.slice(0, Math.max(1, uri.path.lastIndexOf('/'))) });
  return open === undefined || open.path === '/' || open.path.replace(/\/+$/, '') === mount?.replace(/\/+$/, '') ? own : open;
}

/** The folder that is sent for a local file, and the file in it. */
export async function localSource(uri: Uri, confirmed: boolean): Promise<Source> {
  const open = workspace.getWorkspaceFolder(uri)?.uri;
  if (open !== undefined && isProject(open)) return { folder: open, file: uri.path.slice(open.path.replace(/\/+$/, '').length + 1), only: false };
  const folder = Uri.joinPath(uri, '..');
  const file = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  if (!isProject(folder)) return { folder, file, only: true };
  if (confirmed) return { folder, file, only: false };
  // No folder is open: whether its neighbours belong to the file is the person's to say.
  const whole = l10n.t('Send Folder');
  const alone = l10n.t('Send {0} Only', file);
  const answer = await notice.inform(l10n.t('{0} lies in no open folder. Send its folder {1} along?', file, folderName(folder)), whole, alone);
  if (answer === undefined) throw new CancelledError();
  return { folder, file, only: answer === alone };
}
