import { l10n, window, type Disposable } from 'vscode';
import { isCancelled, messageOf } from '../../base/errors';
import { PodUnavailableError } from '../../pods/contracts';
import { guardInArgs, type GuardUrls } from '../../pods/guard/args';
import { armGuard, isCurrent, noteUse, readGuard, type GuardedPod, type GuardOrder } from '../../pods/guard/onPod';
import { isHopeless, standingOf, type GuardFound, type GuardStanding, type WithGuard } from '../../pods/guard/standing';
import { hasLimit, readWish, wishOf } from '../../pods/guard/wish';
import type { GuardReport } from '../../pods/guard/word';
import type { Pod } from '../../runpod/types';
import type { PodSessions } from '../../pods/session';
import type { PodStore } from '../../pods/store';
import type { Logger } from '../../base/log';
import { steadyNow } from '../../base/time';
import { unarmedText } from './words';

export interface GuardParts {
  readonly store: PodStore;
  readonly sessions: PodSessions;
  readonly log: Logger;
  /** Where guards ask: what this editor itself uses. */
  readonly urls: () => GuardUrls;
  /** ms since 1970 by the API's clock. */
  readonly now: () => number;
}

/** How often a guard that can be heard is asked, in front and in the background (only over a connection that is there). */
const LISTEN_MS = { front: 60_000, idleRule: 30_000, countdown: 15_000, background: 300_000 } as const;
/** When a pod that did not answer is tried again: it may just be starting, or there is nothing to be had. */
const AGAIN_MS = { passing: 30_000, lasting: 600_000 } as const;
const TICK_MS = 10_000;
const USE_MS = 60_000;
const CARRY_MS = 8_000;

interface Watched {
  readonly startedAt: number | undefined;
  nextAt: number;
  busy: boolean;
  /** The last look did not get through: a connection that somebody else has made is used at once. */
  unheard: boolean;
}

/**
 * What is known of the guards on the pods, kept up to date: each running pod is asked within a minute of SSH, and a guard
 * that should be there and is not is put there. The window in front connects for it; others only listen on what is open.
 */
export class Guards implements Disposable {
  readonly #found = new Map<string, GuardFound>();
  readonly #watched = new Map<string, Watched>();
  readonly #noted = new Map<string, number>();
  readonly #subscriptions: Disposable[];
  readonly #ended = new AbortController();
  #queue: Promise<void> = Promise.resolve();

  constructor(private readonly parts: GuardParts) {
    parts.store.dressWith((pod) => this.#dress(pod));
    const timer = setInterval(() => this.#tick(), TICK_MS);
    this.#subscriptions = [
      { dispose: () => clearInterval(timer) },
      parts.store.onDidChange(() => this.#tick()),
      parts.sessions.onDidChange((session) => {
        const watched = this.#watched.get(session.podId);
        if (session.state !== 'connected' || !watched?.unheard) return;
        watched.nextAt = 0;
        this.#tick();
      }),
      window.onDidChangeWindowState((state) => state.focused && this.#tick()),
    ];
  }

  dispose(): void {
    this.#ended.abort();
    for (const s of this.#subscriptions) s.dispose();
  }

  standing(podId: string): GuardStanding | undefined {
    return (this.parts.store.find(podId) as (Pod & WithGuard) | undefined)?.guard;
  }

  /**
   * Hands the pod's guard an order, putting the guard there where it is missing. Resolves when the guard has taken it.
   * @throws PodUnavailableError without SSH; Error in words when the guard has not taken it, or may not stop the pod
   */
  async order(pod: Pod, order: GuardOrder): Promise<GuardStanding | undefined> {
    const report = await armGuard(this.parts.sessions.get(pod.id), guarded(pod), this.parts.urls(), order, { signal: this.#ended.signal }).catch((error: unknown) => {
      if (!(error instanceof PodUnavailableError) || error.code !== 'proxy-only') throw error;
      throw new Error(l10n.t('{0} has no direct SSH, so nothing can be told to it: it keeps the limit that it was made with, or none.', pod.name), { cause: error });
    });
    this.#keep(pod, report);
    if (!report.word || (!report.word.alive && !isHopeless(report.word))) throw new Error(l10n.t('No guard could be started on {0}.', pod.name));
    if (!order.lift && !order.used && report.word.armed === 'no') throw new Error(l10n.t('{0} won’t keep this limit: the guard is {1}.', pod.name, unarmedText(report.word.why)));
    if (report.word.pending) throw new Error(l10n.t('The change lies on {0} but is not in force yet: RunPod’s API does not answer the pod. Its guard takes it as soon as it does.', pod.name));
    const standing = this.standing(pod.id);
    return standing;
  }

  /** A restart of the pod's container is coming that is not to make its limit longer. Never fails: the restart goes on. */
  async beforeRestart(pod: Pod): Promise<void> {
    const session = this.parts.sessions.peek(pod.id);
    const known = this.#found.get(pod.id)?.report.word;
    if (session?.state !== 'connected' || !known?.alive) return;
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(CARRY_MS)]);
    await armGuard(session, guarded(pod), this.parts.urls(), { carry: true }, { signal }).catch((error: unknown) => this.parts.log.debug(`Guard of ${pod.id}, before a restart: ${messageOf(error)}`));
  }

  /** A person uses this pod right now: types in its terminal, edits its files, moves data. Told to the pod once a minute. */
  noteUse(podId: string): void {
    const standing = this.standing(podId);
    const session = this.parts.sessions.peek(podId);
    if (standing?.kind !== 'armed' || standing.idleMinutes === undefined || session?.state !== 'connected') return;
    const now = steadyNow();
    if (now - (this.#noted.get(podId) ?? -Infinity) < USE_MS) return;
    this.#noted.set(podId, now);
    noteUse(session, podId).catch((error: unknown) => this.parts.log.debug(`Use of ${podId}: ${messageOf(error)}`));
  }

  /** Work that uses the pod from its beginning to its end, however long that takes. */
  async whileUsed<T>(podId: string, work: () => Promise<T>): Promise<T> {
    this.noteUse(podId);
    const timer = setInterval(() => this.noteUse(podId), USE_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  #dress(pod: Pod): Pod {
    const { guard: _, ...bare } = pod as Pod & WithGuard;
    const guard = standingOf(bare, this.#found.get(pod.id));
    const dressed: Pod & WithGuard = guard === undefined ? bare : { ...bare, guard };
    return dressed;
  }

  #tick(): void {
    const { state } = this.parts.store;
    if (state.phase !== 'ready') return;
    const now = steadyNow();
    const running = new Set<string>();
    for (const pod of state.pods) {
      if (pod.status !== 'RUNNING' || pod.cluster) continue;
      running.add(pod.id);
      const watched = this.#watch(pod);
      const connected = this.parts.sessions.peek(pod.id)?.state === 'connected';
      if (!pod.ssh.direct || watched.busy || now < watched.nextAt || !(connected || window.state.focused)) continue;
      watched.busy = true;
      // One after the other: a list of many pods is no reason to knock at all of them at once.
      this.#queue = this.#queue.then(() => this.#look(pod.id, watched));
    }
    for (const id of this.#watched.keys()) if (!running.has(id)) this.#watched.delete(id);
  }

  #watch(pod: Pod): Watched {
    const startedAt = pod.startedAt?.getTime();
    const known = this.#watched.get(pod.id);
    if (known && known.startedAt === startedAt) return known;
    const fresh: Watched = { startedAt, nextAt: -Infinity, busy: false, unheard: false };
    this.#watched.set(pod.id, fresh);
    return fresh;
  }

  async #look(podId: string, watched: Watched): Promise<void> {
    const pod = this.parts.store.find(podId);
    try {
      if (!pod || pod.status !== 'RUNNING' || this.#ended.signal.aborted) return;
      const session = this.parts.sessions.get(podId);
      // Nobody has asked for this: a locked key is waited for, not asked for.
      await session.link(this.#ended.signal, { quiet: true });
      const report = await this.#heard(pod, await readGuard(session, guarded(pod), this.#ended.signal));
      this.#keep(pod, report);
      watched.unheard = false;
      watched.nextAt = steadyNow() + this.#patience(podId);
    } catch (error) {
      if (isCancelled(error)) return;
      this.parts.log.debug(`Guard of ${podId}: ${messageOf(error)}`);
      const passing = !(error instanceof PodUnavailableError) || ['starting', 'no-ssh', 'unreachable', 'api'].includes(error.code);
      watched.nextAt = steadyNow() + (passing ? AGAIN_MS.passing : AGAIN_MS.lasting);
      watched.unheard = true;
    } finally {
      watched.busy = false;
    }
  }

  /** Puts the guard there where it should be and is not, with the limits that the pod was made with or that were kept on it. */
  async #heard(pod: Pod, report: GuardReport): Promise<GuardReport> {
    if (isCurrent(report)) return report;
    const wish = report.word?.wish ?? report.planned ?? readWish(guardInArgs(pod) ?? '') ?? wishOf(pod);
    if (!hasLimit(wish)) return report;
    this.parts.log.info(`Pod ${pod.id} has no guard that lives; arming one`);
    return armGuard(this.parts.sessions.get(pod.id), guarded(pod), this.parts.urls(), { fresh: true, wish }, { replace: report.word?.alive === true, signal: this.#ended.signal });
  }

  #keep(pod: Pod, report: GuardReport): void {
    this.#found.set(pod.id, { startedAt: pod.startedAt?.getTime(), report });
    this.parts.store.redress();
  }

  #patience(podId: string): number {
    if (!window.state.focused) return LISTEN_MS.background;
    const standing = this.standing(podId);
    if (standing?.kind === 'unarmed') return LISTEN_MS.countdown;
    if (standing?.kind !== 'armed' || standing.idleEndsAt === undefined) return LISTEN_MS.front;
    return standing.idleEndsAt - this.parts.now() < 6 * 60_000 ? LISTEN_MS.countdown : LISTEN_MS.idleRule;
  }
}

const guarded = (pod: Pod): GuardedPod => ({ id: pod.id, mountPath: pod.mount?.path });
