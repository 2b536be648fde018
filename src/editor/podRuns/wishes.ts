import { hostname } from 'node:os';
import { Uri, workspace, type WorkspaceFolder } from 'vscode';
import type { RunRecord } from '../../runs/detached/list';
import { runWishes, type RunWishes } from '../../pods/profile/runs';
import { SCHEME } from '../ids';
import { readFolder } from '../profile/folder';

export interface FolderWishes extends RunWishes {
  /** Whose profile says so. */
  readonly folder?: WorkspaceFolder;
}

/** The folder of this machine that a run's files were sent from. */
export function sourceFolder({ meta: { source } }: RunRecord): Uri | undefined {
  if (source === undefined || source.machine !== hostname()) return undefined;
  const uri = Uri.parse(source.uri, true);
  return uri.scheme === 'file' ? uri : undefined;
}

/**
 * What the profile of a run's folder asks: the local one that was sent, else the pod's one that it works in, where that is
 * open in this window. Nothing from an untrusted folder, or from a file that cannot be read.
 */
export async function wishesOf(run: RunRecord, podName: string): Promise<FolderWishes> {
  const at = sourceFolder(run) ?? (run.meta.cwd === undefined ? undefined : Uri.from({ scheme: SCHEME, authority: run.podId, path: run.meta.cwd }));
  const folder = at === undefined ? undefined : workspace.getWorkspaceFolder(at);
  if (folder === undefined || !workspace.isTrusted) return {};
  try {
    return { ...runWishes((await readFolder(folder)).profiles, podName), folder };
  } catch {
    return {};
  }
}
