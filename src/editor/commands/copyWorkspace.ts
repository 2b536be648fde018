import { commands, l10n, ProgressLocation, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import { quote } from '../../base/shell';
import { PodUnavailableError } from '../../pods/contracts';
import type { Pod } from '../../runpod/types';
import type { Parts } from '../parts';
import { choices, command, run, Targets } from './command';
import { workspaceUri } from './openWorkspace';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

/** A large tree on a network volume takes minutes to add up; more than this helps nobody decide. */
const SIZE_DEADLINE_MS = 5 * 60_000;
const DOWNLOAD = 'runpod.downloadFromPod';

/**
 * `runpod.copyWorkspace(pod, {sizeOnly?})`: says how large a pod's folder is and copies it to this machine, before a
 * stop, a terminate or the end of the credit deletes it.
 * @returns the folder and its size in bytes on the pod's disk
 */
export function registerCopyWorkspace(parts: Parts): Disposable {
  const targets = new Targets(parts.store, parts.activePod);
  return command('runpod.copyWorkspace', parts.log, async (target, options) => {
    const pod = await targets.forUse(target, l10n.t('Copy the data of which pod?'), (p) => p.status === 'RUNNING');
    if (pod.status === 'EXITED') throw new PodUnavailableError('stopped', pod.id, pod);
    const folder = workspaceUri(pod);
    const bytes = await measure(parts, pod, folder.path);
    const result = { path: folder.path, bytes };
    if (choices(options)?.['sizeOnly'] === true) return result;
    await offer(pod, folder, bytes);
    return result;
  });
}

/** @returns bytes, or undefined where the pod could not say */
async function measure(parts: Parts, pod: Pod, path: string): Promise<number | undefined> {
  return withProgress({ location: ProgressLocation.Notification, title: l10n.t('Adding up {0} of {1}…', path, pod.name), cancellable: true }, async (_, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    const { stdout } = await parts.sessions.get(pod.id).run(`du -sk -- ${quote(path)} 2>/dev/null`, { deadlineMs: SIZE_DEADLINE_MS, signal: controller.signal, endable: true });
    // Folders that may not be read make `du` fail, and the sum of the rest is a sum all the same.
    const kilobytes = /^(\d+)\s/.exec(stdout.toString('latin1'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  });
}

async function offer(pod: Pod, folder: ReturnType<typeof workspaceUri>, bytes: number | undefined): Promise<void> {
  const copy = l10n.t('Copy to This Machine…');
  const open = l10n.t('Open Folder');
  const known = (await commands.getCommands(true)).includes(DOWNLOAD);
  const size = bytes === undefined ? l10n.t('The size of {0} on {1} could not be read.', folder.path, pod.name) : l10n.t('{0} on {1} holds {2}.', folder.path, pod.name, fileSize(bytes));
  const answer = await notice.inform(size, ...(known ? [copy] : [open]));
  if (answer === undefined) throw new CancelledError();
  if (answer === open) await run('runpod.openRemoteWorkspace', { podId: pod.id });
  else await commands.executeCommand(DOWNLOAD, folder);
}

/** `4.2 GB`, in the units of the disk sizes that RunPod sells. */
export function fileSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
