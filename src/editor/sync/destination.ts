import { workspace, type Uri } from 'vscode';
import { readFolder } from '../profile/folder';
import { folderName } from './localFolder';
import type { Mappings } from './mappings';

/** Where a folder lies on a pod: as its `runpod.json` says, else where it was sent last, else under its own name. */
export async function destinationOf(mappings: Mappings, folder: Uri, podName: string): Promise<string> {
  return (await fromProfile(folder, podName)) ?? mappings.of(folder)?.destination ?? folderName(folder);
}

/** Nothing from an untrusted folder, or from a file that cannot be read: its problems are told where it is used by name. */
async function fromProfile(folder: Uri, podName: string): Promise<string | undefined> {
  const open = workspace.getWorkspaceFolder(folder);
  if (open?.uri.toString() !== folder.toString() || !workspace.isTrusted) return undefined;
  try {
    const [{ runWishes }, { profiles }] = await Promise.all([import('../../pods/profile/runs'), readFolder(open)]);
    return runWishes(profiles, podName).destination;
  } catch {
    return undefined;
  }
}
