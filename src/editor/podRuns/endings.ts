import { l10n, type Memento } from 'vscode';
import { messageOf } from '../../base/errors';
import { sleep } from '../../base/time';
import type { Logger } from '../../base/log';
import type { PodStore } from '../../pods/store';
import { isSetUp } from '../../runs/detached/setUp';
import { durationOf, type RunRecord } from '../../runs/detached/list';
import type { Pod } from '../../runpod/types';
import { run } from '../commands/command';
import { longTime, rate } from '../words';
import { settings } from '../settings';
import type { AfterRuns } from './afterRun';
import type { EndedRun } from './followed';
import { stateOf } from './describe';
import type { FolderWishes } from './wishes';
import { notice } from '../prompts/notice';

const AFTER = 'runpod.afterRun';

export interface EndingsDeps {
  readonly store: PodStore;
  readonly memento: Memento;
  readonly log: Logger;
  readonly afterRuns: AfterRuns;
  /** What the profile of its folder asks. */
  wishes(run: RunRecord): Promise<FolderWishes>;
  /**
   * Brings the results of a run to where they belong before its pod may go. Resolves when they are safe; throws when they are
   * not, and then the pod stays.
   */
  pullResults(run: RunRecord): Promise<void>;
  /** @param agreed what is lost is not asked about again */
  endPod(podId: string, how: 'stop' | 'terminate', agreed: boolean): Promise<void>;
  /** How long somebody who is there can say no. 10 s unless told: enough to read it. */
  readonly graceMs?: number;
}

/** Tells how long runs ended, and stops or terminates their pod where that is wanted. */
export class Endings {
  readonly #deps: EndingsDeps;
  /** Runs whose results are not here, being brought or not to be had, by the pod that has them. */
  readonly #owed = new Map<string, Set<string>>();

  constructor(deps: EndingsDeps) {
    this.#deps = deps;
  }

  /** @param running how many runs the pod still has; it is nobody's to stop while there are some */
  async tell({ run: ended, lines, exitCode }: EndedRun, running: () => Promise<number>): Promise<void> {
    const { store, memento } = this.#deps;
    const took = durationOf(ended);
    const name = store.find(ended.podId)?.name ?? ended.podId;
    // Results first: whatever is chosen below, they are here then.
    await this.#pull(ended, name);
    // A run that is over in a moment is somebody trying something out.
    if (took < settings.tellAfterMs()) return;
    const free = async (): Promise<Pod | undefined> => {
      const pod = store.find(ended.podId);
      return pod !== undefined && pod.costPerHour !== undefined && pod.costPerHour > 0 && pod.status === 'RUNNING' && this.#owed.get(pod.id) === undefined && (await running()) === 0 ? pod : undefined;
    };
    const pod = await free();
    const profile = this.#deps.afterRuns.decided(await this.#deps.wishes(ended));
    const decided = isSetUp(ended.meta) ? 'keep' : (profile ?? memento.get<'keep' | 'stop'>(AFTER));
    // Without a volume a stop deletes everything, which nobody has agreed to.
    if (pod !== undefined && (decided === 'terminate' || (decided === 'stop' && pod.mount !== undefined))) {
      if (await this.#end(ended, pod, decided, lines, free)) return;
      if (profile === undefined) await memento.update(AFTER, undefined);
      return;
    }
    const what = l10n.t('{0} on {1} ended after {2}: {3}.', ended.meta.title, name, longTime(took), stateOf(ended));
    const show = l10n.t('Show Output');
    const stop = l10n.t('Stop Pod');
    const terminate = l10n.t('Terminate Pod…');
    const keep = l10n.t('Keep Pod');
    const offer = pod !== undefined && decided !== 'keep';
    const message = what + quoted(lines) + (offer ? ` ${l10n.t('The pod goes on at {0}.', rate(pod.costPerHour))}` : '');
    const buttons = offer ? [show, stop, terminate, keep] : [show];
    const answer = await (exitCode === 0 ? notice.inform(message, ...buttons) : notice.warn(message, ...buttons));
    if (answer === show) await run('runpod.showRunOutput', { podId: ended.podId, runId: ended.id });
    if (answer === terminate) await this.#deps.endPod(ended.podId, 'terminate', false);
    if (answer === keep && decided === undefined) await memento.update(AFTER, 'keep');
    if (answer === stop) {
      // Without a volume there is more to lose than this question tells.
      await this.#deps.endPod(ended.podId, 'stop', pod?.mount !== undefined);
      const always = l10n.t('Always Stop');
      if (decided === undefined && (await notice.inform(l10n.t('Stop a pod whenever a long run in this workspace has ended and nothing else runs on it?'), always, l10n.t('Ask Each Time'))) === always) await memento.update(AFTER, 'stop');
    }
  }

  async #pull(ended: RunRecord, name: string): Promise<void> {
    const owed = this.#owed.get(ended.podId) ?? new Set();
    this.#owed.set(ended.podId, owed.add(ended.id));
    try {
      await this.#deps.pullResults(ended);
      owed.delete(ended.id);
      if (owed.size === 0) this.#owed.delete(ended.podId);
    } catch (error) {
      this.#deps.log.error(`Results of run ${ended.id}: ${messageOf(error)}`);
      void notice.warn(l10n.t('The results of {0} could not be brought from {1}: {2}. The pod is kept.', ended.meta.title, name, messageOf(error)));
    }
  }

  /** A person who is there can still say no; and what has begun meanwhile is not ended. @returns false when somebody said no */
  async #end(ended: RunRecord, pod: Pod, how: 'stop' | 'terminate', lines: readonly string[], free: () => Promise<Pod | undefined>): Promise<boolean> {
    const { graceMs = GRACE_MS } = this.#deps;
    const keep = l10n.t('Keep Pod');
    const message =
      how === 'stop'
        ? l10n.t('{0} ended ({1}). {2} is stopped in {3} s.', ended.meta.title, stateOf(ended), pod.name, graceMs / 1000)
        : l10n.t('{0} ended ({1}). {2} is terminated in {3} s.', ended.meta.title, stateOf(ended), pod.name, graceMs / 1000);
    const waited = new AbortController();
    const grace = sleep(graceMs, waited.signal).catch(() => undefined);
    // Clicking it away is no answer.
    const kept = notice.inform(message + quoted(lines), keep).then((answer): Promise<string | undefined> => (answer === undefined ? grace.then(() => undefined) : Promise.resolve(answer)));
    const answer = await Promise.race([kept, grace]);
    waited.abort();
    if (answer === keep) return false;
    if ((await free()) !== undefined) await this.#deps.endPod(ended.podId, how, true);
    return true;
  }
}

const GRACE_MS = 10_000;

const quoted = (lines: readonly string[]): string => (lines.length === 0 ? '' : ` “${lines.slice(-3).join(' ⏎ ').slice(-300)}”`);
