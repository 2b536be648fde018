import { l10n, ProgressLocation } from 'vscode';
import { isCancelled } from '../../base/errors';
import { waitUntilReady, type ReadyProgress, type Stuck } from '../../pods/ready';
import type { Pod } from '../../runpod/types';
import type { Parts } from '../parts';
import { longTime, money } from '../words';
import { run, showError } from './command';
import { hasNoGpu, WaysOut } from './withoutGpu';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

export interface ReadyOptions {
  /** What a cancel of the wait means beyond no longer waiting, for example ending a pod that was just made. */
  readonly onCancel?: () => Promise<void>;
  /** Say nothing when it is ready. */
  readonly quiet?: boolean;
}

/**
 * Shows progress until the pod answers on SSH: what it waits for, the log's latest line, and what that cost so far; then says
 * that it is ready.
 * @returns the pod as it is when ready, or undefined when it did not get there (which has then been shown)
 */
export async function showUntilReady(parts: Parts, podId: string, name: string, options: ReadyOptions = {}): Promise<Pod | undefined> {
  try {
    const ready = await untilReady(parts, podId, name);
    if (!options.quiet) void announce(parts, ready);
    return ready;
  } catch (error) {
    if (isCancelled(error)) await options.onCancel?.();
    else void showError(error);
    return undefined;
  }
}

/**
 * The same without a word at its end: somebody else goes on from there.
 * @param onProgress told what the progress shows
 * @throws CancelledError when the person has enough of waiting; PodUnavailableError when it will not get there
 */
export async function untilReady(parts: Parts, podId: string, name: string, onProgress?: (text: string) => void): Promise<Pod> {
  const ready = await withProgress({ location: ProgressLocation.Notification, title: name, cancellable: true }, async (progress, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    return waitUntilReady(
      {
        ...parts.reach,
        getPod: async (id, signal) => {
          const pod = await parts.reach.getPod(id, signal);
          parts.sessions.podChanged(pod);
          return pod;
        },
      },
      podId,
      {
        signal: controller.signal,
        onProgress: (p) => {
          progress.report({ message: progressText(p) });
          onProgress?.(phaseText(p));
        },
        onStuck: (stuck) => askStuck(name, stuck),
      },
    );
  });
  void parts.store.refresh();
  return ready;
}

function progressText(p: ReadyProgress): string {
  const line = p.line ? ` — ${p.line.slice(0, 120)}` : '';
  return phaseText(p) + line;
}

function phaseText(p: ReadyProgress): string {
  const phase = {
    placing: l10n.t('finding a machine'),
    pulling: p.percent === undefined ? l10n.t('pulling the image') : l10n.t('pulling the image {0} %', Math.round(p.percent)),
    starting: l10n.t('starting'),
    ssh: l10n.t('waiting for SSH'),
    ready: l10n.t('ready'),
  }[p.phase];
  const cost = p.spent === undefined ? '' : ` · ${l10n.t('so far {0}', money(p.spent, { estimate: true }))}`;
  return `${phase} · ${longTime(p.elapsedMs)}${cost}`;
}

async function askStuck(name: string, stuck: Stuck): Promise<'wait' | 'stop'> {
  const wait = l10n.t('Keep Waiting');
  const stop = l10n.t('Stop Waiting');
  const why =
    stuck.failure !== undefined
      ? l10n.t('Its container does not start. RunPod says: “{0}”', stuck.failure.slice(0, 300))
      : stuck.code === 'no-ssh'
      ? l10n.t('It runs, but no SSH server answers; its image may not start one.')
      : l10n.t('Large images can take that long; a bad machine never gets there.');
  const cost = stuck.spent === undefined ? l10n.t('It may be billing.') : l10n.t('So far it has cost {0}.', money(stuck.spent, { estimate: true }));
  const answer = await notice.warn(`${l10n.t('{0} is not ready after {1}.', name, longTime(stuck.elapsedMs))} ${why} ${cost}`, wait, stop);
  return answer === stop ? 'stop' : 'wait';
}

async function announce(parts: Parts, pod: Pod): Promise<void> {
  if (hasNoGpu(pod)) return waysOut(parts).afterEmptyStart(pod);
  const open = l10n.t('Open Folder');
  const terminal = l10n.t('Open Terminal');
  const answer = await notice.inform(l10n.t('{0} is ready.', pod.name), open, terminal);
  if (answer === open) await run('runpod.openRemoteWorkspace', { podId: pod.id });
  if (answer === terminal) await run('runpod.openTerminal', { podId: pod.id });
}

/** What can be done when a stopped pod does not start, or starts without a GPU. */
export const waysOut = (parts: Parts): WaysOut => new WaysOut(parts, (pod) => showUntilReady(parts, pod.id, pod.name));
