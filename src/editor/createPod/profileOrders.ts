import { commands, Uri, workspace } from 'vscode';
import type { ProfileRef } from '../../pods/watch';
import { run } from '../commands/command';

/**
 * Makes the pod of a folder's profile whose hardware was seen free, as was agreed to when the watch began.
 * @param cap USD per hour of compute that was agreed to
 * @returns `gone`: somebody else was faster, or nothing is within the cap any more; `changed`: the profile says something else now
 * @throws whatever else keeps the pod from being made
 */
export type LaunchOnSight = (profile: ProfileRef, cap: number | undefined) => Promise<'made' | 'gone' | 'changed'>;

/** Whether this window can make a profile's pod. */
export const isHere = ({ folder }: ProfileRef): boolean => workspace.isTrusted && workspace.getWorkspaceFolder(Uri.parse(folder, true)) !== undefined;

/** In the window of its folder a person goes on there; where that is another one, or none, the folder is opened. */
export async function goToProfile(profile: ProfileRef): Promise<void> {
  const folder = Uri.parse(profile.folder, true);
  if (isHere(profile)) return run('runpod.createPodFromFolder', folder, profile.key === undefined ? {} : { profile: profile.key });
  await commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: true });
}
