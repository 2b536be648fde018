import { l10n, ProgressLocation, window, type Disposable } from 'vscode';
import { sleep } from '../../base/time';
import { isCancelled } from '../../base/errors';
import { idleNoticeMs, type GuardStanding, type WithGuard } from '../../pods/guard/standing';
import type { PodStore } from '../../pods/store';
import type { Pod } from '../../runpod/types';
import { run, showError } from '../commands/command';
import { localTime, longTime } from '../words';
import type { Guards } from './guards';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

/** So long before a limit it is announced. */
const NOTICE_MS = 10 * 60_000;

type Armed = Extract<GuardStanding, { kind: 'armed' }>;

/**
 * Announces what the guards will do: a countdown before a stop for want of use, which one click cancels, and one word in time
 * before a limit. Only the window in front speaks.
 */
export class Countdowns implements Disposable {
  readonly #running = new Map<string, AbortController>();
  /** Ends that were announced. */
  readonly #told = new Set<string>();
  readonly #subscription: Disposable;

  constructor(
    private readonly store: PodStore,
    private readonly guards: Guards,
    private readonly now: () => number,
  ) {
    this.#subscription = store.onDidChange(() => this.#look());
  }

  dispose(): void {
    this.#subscription.dispose();
    for (const countdown of this.#running.values()) countdown.abort();
  }

  #look(): void {
    if (!window.state.focused) return;
    for (const pod of this.store.state.pods as readonly (Pod & WithGuard)[]) {
      const { guard } = pod;
      if (guard?.kind !== 'armed' || pod.locked) continue;
      const now = this.now();
      if (this.#idleSoon(guard, now) && !this.#running.has(pod.id)) void this.#countDown(pod);
      const key = `${pod.id}@${guard.endsAt}`;
      if (guard.endsAt !== undefined && guard.endsAt > now && guard.endsAt - now <= NOTICE_MS && !this.#told.has(key)) {
        this.#told.add(key);
        void this.#announce(pod, guard, guard.endsAt);
      }
    }
  }

  #idleSoon(guard: Armed, now: number): boolean {
    const { idleEndsAt, idleMinutes, endsAt } = guard;
    if (idleEndsAt === undefined || idleMinutes === undefined || (endsAt !== undefined && endsAt <= idleEndsAt)) return false;
    return idleEndsAt > now && idleEndsAt - now <= idleNoticeMs(idleMinutes);
  }

  /** Runs until the pod is stopped, is used again, or the person cancels. */
  async #countDown(pod: Pod): Promise<void> {
    const ended = new AbortController();
    this.#running.set(pod.id, ended);
    try {
      await withProgress({ location: ProgressLocation.Notification, title: l10n.t('Nobody uses {0}. Cancel keeps it running; else it stops', pod.name), cancellable: true }, async (progress, token) => {
        const cancelled = new AbortController();
        token.onCancellationRequested(() => cancelled.abort());
        const signal = AbortSignal.any([ended.signal, cancelled.signal]);
        try {
          for (;;) {
            const guard = this.guards.standing(pod.id);
            if (guard?.kind !== 'armed' || guard.idleEndsAt === undefined || !(guard.idleEndsAt <= this.now() || this.#idleSoon(guard, this.now()))) return;
            const left = guard.idleEndsAt - this.now();
            progress.report({ message: left > 0 ? l10n.t('in {0} min {1} s', Math.floor(left / 60_000), Math.floor(left / 1000) % 60) : l10n.t('now') });
            await sleep(1000, signal);
          }
        } catch (error) {
          if (!isCancelled(error) || ended.signal.aborted) return;
          await this.guards.order(pod, { used: true }).catch((why: unknown) => showError(why));
        }
      });
    } finally {
      this.#running.delete(pod.id);
    }
  }

  async #announce(pod: Pod, guard: Armed, endsAt: number): Promise<void> {
    const extend = l10n.t('Extend 2 h');
    const change = l10n.t('Set Limit…');
    const what = guard.at === 'stop' ? l10n.t('{0} stops itself in {1} ({2}).', pod.name, longTime(endsAt - this.now()), localTime(endsAt)) : l10n.t('{0} deletes itself in {1} ({2}).', pod.name, longTime(endsAt - this.now()), localTime(endsAt));
    const answer = await notice.warn(what, extend, change);
    if (answer === extend) await run('runpod.extendLimit', { podId: pod.id }, { minutes: 120 });
    if (answer === change) await run('runpod.setLimit', { podId: pod.id });
  }
}
