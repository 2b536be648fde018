import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { env, ExtensionKind, extensions, Uri, workspace } from 'vscode';
import type { RunRecord } from '../runs/detached/list';
import { EXTENSION } from './settings';
import type { Mappings } from './sync/mappings';

/** Whether a file or folder of this machine is one that this window works with: open in it, or sent from it before. */
export type IsOurs = (uri: Uri) => boolean;

export const oursBy =
  (mappings: Mappings): IsOurs =>
  (uri) =>
    workspace.getWorkspaceFolder(uri) !== undefined || mappings.knows(uri);

/**
 * A name of this machine that it keeps. macOS changes its host name with the network; beside the window the editor's own id of the
 * machine says it, which is written nowhere as it is. On a server the window is another machine's.
 */
export const machineName = (): string =>
  extensions.getExtension(EXTENSION)?.extensionKind === ExtensionKind.UI ? createHash('sha256').update(`runpod-workspaces ${env.machineId}`).digest('hex').slice(0, 16) : hostname();

/**
 * The folder of this machine that a run's files were sent from. The run's record lies on the pod, where whoever can write
 * there may have written another folder into it, to have it sent or to have files put into it: one that this window does not
 * know is none.
 */
export function sourceFolder({ meta: { source } }: Pick<RunRecord, 'meta'>, isOurs: IsOurs): Uri | undefined {
  if (source === undefined || source.machine !== machineName()) return undefined;
  try {
    // Joined with nothing, dots in the path lead where they lead before anybody compares it.
    const uri = Uri.joinPath(Uri.parse(source.uri, true), '.');
    return uri.scheme === 'file' && isOurs(uri) ? uri : undefined;
  } catch {
    return undefined;
  }
}

/** The file that such a run ran; undefined where it ran none, or one elsewhere. */
export function sourceFile(run: Pick<RunRecord, 'meta'>, folder: Uri): Uri | undefined {
  const { file } = run.meta.source ?? {};
  if (file === undefined) return undefined;
  const uri = Uri.joinPath(folder, file);
  return uri.path.startsWith(`${folder.path.replace(/\/$/, '')}/`) ? uri : undefined;
}
