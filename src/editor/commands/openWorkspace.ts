import { commands, Disposable, env, FileType, l10n, UIKind, Uri, workspace } from 'vscode';
import { CancelledError } from '../../base/errors';
import { normalise } from '../../files/names';
import { PodUnavailableError } from '../../pods/contracts';
import { DEFAULT_MOUNT_PATH } from '../../pods/request';
import type { Pod } from '../../runpod/types';
import { SCHEME, SCHEME_READONLY } from '../ids';
import type { Parts } from '../parts';
import { choices, command, run, Targets } from './command';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';
import { withProgress } from '../progress';

/** Where a pod's files begin: its mount path as the API says it, else the root user's home. */
export const workspaceUri = (pod: Pod): Uri => Uri.from({ scheme: SCHEME, authority: pod.id, path: pod.mount?.path ?? '/root' });

/** Opens pods' folders: the mount path unless another is named, writable unless told. */
export function registerOpenWorkspace(parts: Parts): Disposable {
  const targets = new Targets(parts.store);
  const open = async (target: unknown, how: OpenChoices): Promise<{ uri: string } | undefined> => {
    const pod = await targets.pod(target, l10n.t('Open the folder of which pod?'));
    if (pod.status === 'EXITED') return startFirst(pod);
    if (pod.status === 'RUNNING' && !pod.ssh.direct && !pod.ports.includes('22/tcp')) throw new PodUnavailableError('proxy-only', pod.id, pod);
    // The connection is made now: what is wrong with it is said here, not by an empty explorer.
    const session = parts.sessions.get(pod.id);
    parts.identities.askAgain();
    await withProgress({ location: { viewId: 'runpod.pods' } }, () => session.link());
    const path = how.path === 'ask' ? await askPath(pod) : (how.path ?? workspaceUri(pod).path);
    const uri = Uri.from({ scheme: how.readOnly === true ? SCHEME_READONLY : SCHEME, authority: pod.id, path });
    if (how.path !== undefined && !((await workspace.fs.stat(uri)).type & FileType.Directory)) throw new Error(l10n.t('{0} on {1} is a file, not a folder.', path, pod.name));
    await parts.activePod.set(pod.id);
    await openFolder(uri, pod);
    return { uri: uri.toString() };
  };
  return Disposable.from(
    command('runpod.openRemoteWorkspace', parts.log, (target, second) => open(target, readChoices(second))),
    command('runpod.openFolder', parts.log, (target, second) => open(target, { path: 'ask', ...readChoices(second) })),
    command('runpod.openReadOnly', parts.log, (target, second) => open(target, { ...readChoices(second), readOnly: true })),
  );
}

interface OpenChoices {
  /** Absolute, on the pod; `ask`: the person says which. */
  readonly path?: string | undefined;
  readonly readOnly?: boolean;
}

function readChoices(second: unknown): OpenChoices {
  const { path, readOnly } = choices(second) ?? {};
  if (typeof path === 'string' && !path.startsWith('/')) throw new TypeError(l10n.t('A path on a pod begins with “/”.'));
  return { ...(typeof path === 'string' ? { path: normalise(path) } : {}), ...(readOnly === true ? { readOnly } : {}) };
}

async function askPath(pod: Pod): Promise<string> {
  const path = await ask.text({
    title: l10n.t('Open Folder on {0}', pod.name),
    prompt: l10n.t('A folder of the pod. Outside its volume everything is lost with a stop.'),
    value: workspaceUri(pod).path,
    validateInput: (text) => (text.startsWith('/') ? undefined : l10n.t('A path on a pod begins with “/”.')),
  });
  if (path === undefined) throw new CancelledError();
  return normalise(path);
}

async function startFirst(pod: Pod): Promise<undefined> {
  const start = l10n.t('Start Pod');
  const answer = await notice.warn(l10n.t('{0} is stopped, so its files cannot be reached.', pod.name), start);
  if (answer === start) await run('runpod.startPod', { podId: pod.id });
  return undefined;
}

/** Adds the folder to what is open, beside other folders of the same pod too; an empty window becomes the pod's, a workspace stays what it is. */
async function openFolder(uri: Uri, pod: Pod): Promise<void> {
  const folders = workspace.workspaceFolders ?? [];
  if (folders.some((f) => f.uri.toString() === uri.toString())) {
    await commands.executeCommand('workbench.view.explorer');
    return;
  }
  if ((folders.length === 0 && workspace.workspaceFile === undefined) || losesFolders()) await commands.executeCommand('vscode.openFolder', uri, { forceReuseWindow: true });
  else workspace.updateWorkspaceFolders(folders.length, 0, { uri, name: folderName(uri, pod) });
}

/**
 * In a browser, a window of one folder that is given a second becomes an untitled workspace by a reload that can come before
 * that workspace is written: both folders are gone then. There the pod's folder takes the window instead.
 */
export const losesFolders = (): boolean => env.uiKind === UIKind.Web && workspace.workspaceFile === undefined && workspace.workspaceFolders?.length === 1;

function folderName(uri: Uri, pod: Pod): string {
  const name = uri.path === (pod.mount?.path ?? DEFAULT_MOUNT_PATH) ? pod.name : `${pod.name}: ${uri.path}`;
  return uri.scheme === SCHEME_READONLY ? l10n.t('{0} (read-only)', name) : name;
}
