import { commands, l10n, Uri, window, workspace, type Disposable } from 'vscode';
import { PodUnavailableError } from '../../pods/contracts';
import { DEFAULT_MOUNT_PATH } from '../../pods/request';
import type { Pod } from '../../runpod/types';
import { SCHEME } from '../ids';
import type { Parts } from '../parts';
import { command, run, Targets } from './command';

/** Where a pod's files begin: its mount path as the API says it, else the root user's home. */
export const workspaceUri = (pod: Pod): Uri => Uri.from({ scheme: SCHEME, authority: pod.id, path: pod.mount?.path ?? '/root' });

export function registerOpenWorkspace(parts: Parts): Disposable {
  const targets = new Targets(parts.store);
  return command('runpod.openRemoteWorkspace', parts.log, async (target) => {
    const pod = await targets.pod(target, l10n.t('Open the folder of which pod?'));
    if (pod.status === 'EXITED') return startFirst(pod);
    if (pod.status === 'RUNNING' && !pod.ssh.direct && !pod.ports.includes('22/tcp')) throw new PodUnavailableError('proxy-only', pod.id, pod);
    // The connection is made now: what is wrong with it is said here, not by an empty explorer.
    const session = parts.sessions.get(pod.id);
    await window.withProgress({ location: { viewId: 'runpod.pods' } }, () => session.link());
    const uri = workspaceUri(pod);
    await parts.activePod.set(pod.id);
    await openFolder(uri, pod.name);
    return { uri: uri.toString() };
  });
}

async function startFirst(pod: Pod): Promise<undefined> {
  const start = l10n.t('Start Pod');
  const answer = await window.showWarningMessage(l10n.t('{0} is stopped, so its files cannot be reached.', pod.name), start);
  if (answer === start) await run('runpod.startPod', { podId: pod.id });
  return undefined;
}

/** Adds the folder to what is open; an empty window becomes the pod's. */
async function openFolder(uri: Uri, name: string): Promise<void> {
  const folders = workspace.workspaceFolders ?? [];
  if (folders.some((f) => f.uri.toString() === uri.toString())) {
    await commands.executeCommand('workbench.view.explorer');
    return;
  }
  if (folders.length === 0) await commands.executeCommand('vscode.openFolder', uri, { forceReuseWindow: true });
  else workspace.updateWorkspaceFolders(folders.length, 0, { uri, name: uri.path === DEFAULT_MOUNT_PATH ? name : `${name}: ${uri.path}` });
}
