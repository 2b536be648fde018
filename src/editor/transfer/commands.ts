import { homedir } from 'node:os';
import { join } from 'node:path';
import { l10n, Uri, window, workspace, FileType, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { TransferResult } from '../../files/transfer/contract';
import type { Pod } from '../../runpod/types';
import { command, targetId, Targets } from '../commands/command';
import { SCHEME } from '../ids';
import type { Parts } from '../parts';
import { besideRemoteWindow } from '../settings';
import { isOnPod, localPath, readChoices } from './arguments';
import { runTransfer } from './run';
import { ask } from '../prompts/ask';

const LAST_FOLDER = 'runpod.lastDownloadFolder';

/** Upload to Pod… and Download from Pod…, from the palette, the menus of both sides, and code. */
export function registerTransfers(parts: Parts): Disposable[] {
  const targets = new Targets(parts.store);
  return [
    command('runpod.uploadToPod', parts.log, async (target, second): Promise<TransferResult> => {
      const given = readChoices(second, (path) => Uri.file(path));
      // From the Explorer of this computer the files are named, and the pod is asked for.
      const fromHere = target instanceof Uri && !isOnPod(target);
      const pod = await targets.pod(fromHere ? undefined : target, l10n.t('Upload to which pod?'), (p) => p.status === 'RUNNING');
      const sources = (fromHere ? (given.sources ?? [target]) : given.complete ? given.sources : undefined) ?? (await askSources());
      const destination = given.destination ?? (target instanceof Uri && isOnPod(target) ? await folderOf(target) : fromHere || targetId(target) === undefined ? await askFolder(pod) : mountOf(pod));
      return runTransfer(parts, { pod, direction: 'upload', sources: sources.map(localPath), destination, conflicts: given.conflicts, silent: given.complete });
    }),
    command('runpod.downloadFromPod', parts.log, async (target, second): Promise<TransferResult> => {
      const active = window.activeTextEditor?.document.uri;
      const meant = target === undefined && active !== undefined && isOnPod(active) ? active : target;
      const pod = await targets.pod(meant, l10n.t('Download from which pod?'), (p) => p.status === 'RUNNING');
      const onPod = (path: string): Uri => Uri.from({ scheme: SCHEME, authority: pod.id, path });
      const given = readChoices(second, onPod);
      const sources = given.sources?.filter((uri) => isOnPod(uri) && uri.authority === pod.id).map(({ path }) => path) ?? (meant instanceof Uri ? [meant.path] : [await askPath(pod)]);
      if (sources.length === 0) throw new Error(l10n.t('None of these files is on {0}.', pod.name));
      const destination = given.destination ?? (await askDestination(parts));
      return runTransfer(parts, { pod, direction: 'download', sources, destination, conflicts: given.conflicts, silent: given.complete && given.destination !== undefined });
    }),
  ];
}

/** Where a pod keeps what lasts, else its login's home. */
export const mountOf = (pod: Pod): string => pod.mount?.path ?? '/root';

async function folderOf(uri: Uri): Promise<string> {
  const { type } = await workspace.fs.stat(uri);
  return type & FileType.Directory ? uri.path : Uri.joinPath(uri, '..').path;
}

async function askSources(): Promise<readonly Uri[]> {
  const title = l10n.t('Upload to Pod');
  const both = { canSelectFiles: true, canSelectFolders: true };
  let kind: { canSelectFiles: boolean; canSelectFolders: boolean } = both;
  // Only the dialog of macOS can choose files and folders at once.
  if (process.platform !== 'darwin') {
    const files = { label: l10n.t('Files…'), canSelectFiles: true, canSelectFolders: false };
    const folder = { label: l10n.t('Folder…'), canSelectFiles: false, canSelectFolders: true };
    const picked = await ask.oneOf([files, folder], { title, placeHolder: l10n.t('What is to be uploaded? Files can also be dropped onto a pod’s row.') });
    if (picked === undefined) throw new CancelledError();
    kind = picked;
  }
  // Beside a remote window the dialog would show that machine's files, which are not of this computer.
  const chosen = await window.showOpenDialog({ title, canSelectFiles: kind.canSelectFiles, canSelectFolders: kind.canSelectFolders, canSelectMany: true, openLabel: l10n.t('Upload'), ...(besideRemoteWindow() ? { defaultUri: Uri.file(homedir()) } : {}) });
  if (chosen === undefined || chosen.length === 0) throw new CancelledError();
  return chosen;
}

async function askFolder(pod: Pod): Promise<string> {
  const path = await ask.text({ title: l10n.t('Upload to {0}', pod.name), prompt: l10n.t('Folder on the pod; it is made where missing.'), value: mountOf(pod), validateInput: absolute });
  if (path === undefined) throw new CancelledError();
  return path;
}

async function askPath(pod: Pod): Promise<string> {
  const path = await ask.text({ title: l10n.t('Download from {0}', pod.name), prompt: l10n.t('File or folder on the pod.'), value: `${mountOf(pod)}/`, valueSelection: [mountOf(pod).length + 1, mountOf(pod).length + 1], validateInput: absolute });
  if (path === undefined) throw new CancelledError();
  return path;
}

export const absolute = (path: string): string | undefined => (path.startsWith('/') ? undefined : l10n.t('A path on a pod begins with “/”.'));

async function askDestination(parts: Parts): Promise<string> {
  const last = parts.context.globalState.get<string>(LAST_FOLDER) ?? join(homedir(), 'Downloads');
  const [chosen] = (await window.showOpenDialog({ title: l10n.t('Download to'), canSelectFiles: false, canSelectFolders: true, defaultUri: Uri.file(last), openLabel: l10n.t('Download Here') })) ?? [];
  if (chosen === undefined) throw new CancelledError();
  const folder = localPath(chosen);
  await parts.context.globalState.update(LAST_FOLDER, folder);
  return folder;
}
