import { Uri, workspace, type WorkspaceFolder } from 'vscode';
import type { RunRecord } from '../../runs/detached/list';
import { runWishes, type RunWishes } from '../../pods/profile/runs';
import { SCHEME } from '../ids';
import { readFolder } from '../profile/folder';
import { sourceFolder, type IsOurs } from '../runSource';

export interface FolderWishes extends RunWishes {
  /** Whose profile says so. */
  readonly folder?: WorkspaceFolder;
}

/**
 * What the profile of a run's folder asks: the local one that was sent, else the pod's one that it works in, where that is
 * open in this window. Nothing from an untrusted folder, or from a file that cannot be read.
 */
export async function wishesOf(run: RunRecord, podName: string, isOurs: IsOurs): Promise<FolderWishes> {
  const at = sourceFolder(run, isOurs) ?? (run.meta.cwd === undefined ? undefined : Uri.from({ scheme: SCHEME, authority: run.podId, path: run.meta.cwd }));
  const folder = at === undefined ? undefined : workspace.getWorkspaceFolder(at);
  if (folder === undefined || !workspace.isTrusted) return {};
  try {
    return { ...runWishes((await readFolder(folder)).profiles, podName), folder };
  } catch {
    return {};
  }
}
