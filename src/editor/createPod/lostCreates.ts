import { l10n, window, type Disposable, type Memento } from 'vscode';
import { isCancelled, messageOf } from '../../base/errors';
import type { Logger } from '../../base/log';
import { PendingCreates, type PendingCreate } from '../../pods/pendingCreates';
import type { PodStore } from '../../pods/store';
import type { Pod } from '../../runpod/types';
import type { ApiKeys } from '../apiKey';
import { run } from '../commands/command';
import { rate } from '../words';

const KEY = 'runpod.pendingCreates';

/** The creates of all windows of this editor, kept across reloads. */
export function pendingCreates(memento: Memento): PendingCreates {
  return new PendingCreates({ read: () => memento.get<PendingCreate[]>(KEY) ?? [], write: (all) => memento.update(KEY, all.length === 0 ? undefined : all) });
}

/** Looks through every fresh list for pods whose create was never answered, and tells of each. No request is made for it. */
export function followLostCreates(store: PodStore, pending: PendingCreates, keys: ApiKeys, log: Logger): Disposable {
  return store.onDidChange((state) => {
    if (state.phase !== 'ready' || state.problem || pending.all.length === 0) return;
    pending.reconcile(state.rows, keys.account).then(
      (pods) => pods.forEach((pod) => void tell(pod)),
      (error: unknown) => (isCancelled(error) ? undefined : log.warn(`Lost creates: ${messageOf(error)}`)),
    );
  });
}

async function tell(pod: Pod): Promise<void> {
  const terminate = l10n.t('Terminate Pod…');
  const keep = l10n.t('Keep Pod');
  const answer = await window.showWarningMessage(l10n.t('{0} exists and costs {1}: RunPod made it though its answer to the request was lost.', pod.name, rate(pod.costPerHour)), terminate, keep);
  if (answer === terminate) await run('runpod.terminatePod', { podId: pod.id });
}
