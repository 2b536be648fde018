import { commands, env, FileType, l10n, Uri, window, workspace, type Disposable, type QuickPickItem } from 'vscode';
import { choices, command, targetId, Targets } from '../commands/command';
import { SCHEME } from '../ids';
import type { Parts } from '../parts';
import type { PodsView } from '../podsView/provider';
import { withPatience } from '../progress';
import { isOnPod } from '../transfer/arguments';
import { mountOf } from '../transfer/commands';
import { explainTransferError } from '../transfer/words';
import { dataSize } from '../words';
import { isCancelled } from '../../base/errors';
import type { Pod } from '../../runpod/types';
import type { DiskFigures, Measured } from './figures';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';

/** Commands about a place on a pod: its path, its terminal, its row, its size. */
export function registerPlaces(parts: Parts, view: PodsView, figures: DiskFigures): Disposable[] {
  const targets = new Targets(parts.store);
  return [
    command('runpod.copyPath', parts.log, async (target, second) => {
      const several = Array.isArray(second) ? second.filter((one): one is Uri => one instanceof Uri && isOnPod(one)) : [];
      const uri = placeOf(target);
      const text = several.length > 1 ? several.map(({ path }) => path).join('\n') : uri !== undefined ? uri.path : mountOf(await targets.pod(target, l10n.t('Copy the path of which pod’s folder?')));
      await env.clipboard.writeText(text);
      return text;
    }),
    command('runpod.openTerminalHere', parts.log, async (target) => {
      const uri = placeOf(target);
      const pod = await targets.pod(uri ?? target, l10n.t('Open a terminal on which pod?'), (p) => p.status === 'RUNNING');
      return commands.executeCommand('runpod.openTerminal', uri ?? Uri.from({ scheme: SCHEME, authority: pod.id, path: mountOf(pod) }));
    }),
    command('runpod.revealInPods', parts.log, async (target) => {
      const pod = await targets.pod(placeOf(target) ?? target, l10n.t('Show which pod?'));
      await view.reveal(pod.id);
      return pod.id;
    }),
    command('runpod.measureDiskUse', parts.log, async (target, second): Promise<Measured> => {
      const given = choices(second)?.['path'];
      const uri = target instanceof Uri ? placeOf(target) : undefined;
      const pod = await targets.pod(uri ?? target, l10n.t('Measure the disk of which pod?'), (p) => p.status === 'RUNNING');
      const path = typeof given === 'string' ? given : uri === undefined ? mountOf(pod) : await folderOf(uri);
      const measured = await measure(figures, pod, path);
      if (typeof target !== 'string') void browse(figures, pod, measured);
      return measured;
    }),
  ];
}

/** The file or folder meant: of the Explorer, else of the editor when nothing is named. */
function placeOf(target: unknown): Uri | undefined {
  if (target instanceof Uri) return isOnPod(target) ? target : undefined;
  if (targetId(target) !== undefined) return undefined;
  const active = window.activeTextEditor?.document.uri;
  return active !== undefined && isOnPod(active) ? active : undefined;
}

async function folderOf(uri: Uri): Promise<string> {
  const { type } = await workspace.fs.stat(uri);
  return type & FileType.Directory ? uri.path : Uri.joinPath(uri, '..').path;
}

function measure(figures: DiskFigures, pod: Pod, path: string): Promise<Measured> {
  return withPatience(l10n.t('Adding up {0} on {1}', path, pod.name), async (_report, signal) => {
    try {
      return await figures.measure(pod, path, signal);
    } catch (error) {
      throw isCancelled(error) ? error : new Error(explainTransferError(error, pod.name), { cause: error });
    }
  });
}

/** What takes the room, biggest first; choosing a folder goes on there. */
async function browse(figures: DiskFigures, pod: Pod, first: Measured): Promise<void> {
  let measured = first;
  for (;;) {
    const { path, bytes, entries, free, partial } = measured;
    const items: (QuickPickItem & { readonly path: string })[] = entries.map((entry) => ({
      label: entry.name,
      description: `${dataSize(entry.bytes)} · ${Math.round((entry.bytes / Math.max(1, bytes)) * 100)} %`,
      path: path === '/' ? `/${entry.name}` : `${path}/${entry.name}`,
    }));
    const picked = await ask.oneOf(items, {
      title: [l10n.t('{0} on {1}: {2}', path, pod.name, `${partial ? '> ' : ''}${dataSize(bytes)}`), free === undefined ? undefined : l10n.t('{0} free', dataSize(free))].filter(Boolean).join(' · '),
      placeHolder: l10n.t('What takes the room; choose one to look into it'),
      matchOnDescription: true,
    });
    if (picked === undefined) return;
    try {
      measured = await measure(figures, pod, picked.path);
    } catch (error) {
      if (!isCancelled(error)) void notice.fail(error instanceof Error ? error.message : String(error));
      return;
    }
  }
}
