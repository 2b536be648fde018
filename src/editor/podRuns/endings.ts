import { l10n, window, type Memento } from 'vscode';
import { messageOf } from '../../base/errors';
import { sleep } from '../../base/time';
import type { Logger } from '../../base/log';
import type { PodStore } from '../../pods/store';
import { durationOf, type RunRecord } from '../../runs/detached/list';
import { run } from '../commands/command';
import { longTime, rate } from '../words';
import { settings } from '../settings';
import type { EndedRun } from './followed';
import { stateOf } from './rows';

const AFTER = 'runpod.afterRun';

export type AfterRun = 'keep' | 'stop' | 'terminate';

/**
 * Brings the results of a run to where they belong before its pod may go. Resolves when they are safe; throws when they are
 * not, and then the pod stays.
 */
export type PullResults = (run: RunRecord) => Promise<void>;

/** Tells how long runs ended, and once asks what becomes of their pod. */
export class Endings {
  constructor(
    private readonly store: PodStore,
    private readonly memento: Memento,
    private readonly log: Logger,
    private readonly pullResults: PullResults,
  ) {}

  /** @param running how many runs the pod still has; it is nobody's to stop while there are some */
  async tell({ run: ended, lines, exitCode }: EndedRun, running: () => Promise<number>): Promise<void> {
    const took = durationOf(ended);
    const name = this.store.find(ended.podId)?.name ?? ended.podId;
    // Results first: whatever is chosen below, they are here then.
    const pulled = await this.pullResults(ended).then(
      () => true,
      (error: unknown) => {
        this.log.error(`Results of run ${ended.id}: ${messageOf(error)}`);
        void window.showWarningMessage(l10n.t('The results of {0} could not be brought from {1}: {2}. The pod is kept.', ended.meta.title, name, messageOf(error)));
        return false;
      },
    );
    const pod = this.store.find(ended.podId);
    if (took < settings.tellAfterMs()) return;
    const bills = pod !== undefined && pod.costPerHour !== undefined && pod.costPerHour > 0 && pod.status === 'RUNNING' && (await running()) === 0;
    const decided = this.memento.get<AfterRun>(AFTER);
    if (bills && pulled && (decided === 'stop' || decided === 'terminate')) {
      // A person who is there can still say no; what deletes asks by itself.
      void this.#tellAndStop(ended, name, decided);
      return;
    }
    const what = l10n.t('{0} on {1} ended after {2}: {3}.', ended.meta.title, name, longTime(took), stateOf(ended));
    const last = lines.length === 0 ? '' : ` “${lines.slice(-3).join(' ⏎ ').slice(-300)}”`;
    const show = l10n.t('Show Output');
    const stop = l10n.t('Stop Pod');
    const keep = l10n.t('Keep Pod');
    const offer = bills && pulled && decided === undefined;
    const message = what + last + (offer ? ` ${l10n.t('The pod goes on at {0}.', rate(pod.costPerHour))}` : '');
    const buttons = offer ? [show, stop, keep] : [show];
    const answer = await (exitCode === 0 ? window.showInformationMessage(message, ...buttons) : window.showWarningMessage(message, ...buttons));
    if (answer === show) await run('runpod.showRunOutput', { podId: ended.podId, runId: ended.id });
    if (answer === keep) await this.memento.update(AFTER, 'keep');
    if (answer === stop) {
      await run('runpod.stopPod', { podId: ended.podId }, { confirmed: true });
      const always = l10n.t('Always Stop');
      if ((await window.showInformationMessage(l10n.t('Stop a pod whenever a long run in this workspace has ended and nothing else runs on it?'), always, l10n.t('Ask Each Time'))) === always) await this.memento.update(AFTER, 'stop');
    }
  }

  async #tellAndStop(ended: RunRecord, name: string, how: 'stop' | 'terminate'): Promise<void> {
    const keep = l10n.t('Keep Pod');
    const message = how === 'stop' ? l10n.t('{0} ended ({1}). {2} is being stopped.', ended.meta.title, stateOf(ended), name) : l10n.t('{0} ended ({1}).', ended.meta.title, stateOf(ended));
    const answer = await Promise.race([window.showInformationMessage(message, keep), sleep(GRACE_MS).then(() => undefined)]);
    if (answer === keep) return void (await this.memento.update(AFTER, undefined));
    await run(how === 'stop' ? 'runpod.stopPod' : 'runpod.terminatePod', { podId: ended.podId }, how === 'stop' ? { confirmed: true } : undefined);
  }
}

/** Long enough to read the notification and say no. */
const GRACE_MS = 15_000;
