import { l10n, type Disposable, type Event, type Memento } from 'vscode';
import { Emitter } from '../../base/emitter';
import { messageOf } from '../../base/errors';
import { secondLook, type Finding, type OnTheirWay } from '../../pods/guard/secondLook';
import { hasEnded, PendingEnds, type PendingEnd } from '../../pods/pendingEnds';
import { RunPodError } from '../../runpod/errors';
import { run } from '../commands/command';
import type { CommandId } from '../ids';
import type { Parts } from '../parts';
import { notice } from '../prompts/notice';

const ON_THEIR_WAY = 'runpod.onTheirWay';

const ENDS = 'runpod.pendingEnds';

/** The stops and terminates of all windows, kept across reloads. @param now ms since 1970 by the API's clock */
export const pendingEnds = (memento: Memento, now: () => number): PendingEnds =>
  new PendingEnds({ read: () => memento.get<PendingEnd[]>(ENDS) ?? [], write: (all) => memento.update(ENDS, all.length === 0 ? undefined : all) }, now);

/** One thing to do about a finding, as a button. */
export interface Way {
  readonly title: string;
  readonly go: () => Promise<void>;
  /** The same for a link in a notification. */
  readonly link?: string;
}

/**
 * The local second look at every list: stops and terminates that RunPod does not confirm, pods past their limit, pods that
 * never get to run, and pods that nobody knows to have asked for, as long as they are there. A request is made only for what
 * should be deleted and is no longer listed.
 */
export class Unsolved implements Disposable {
  readonly #changed = new Emitter<readonly Finding[]>();
  readonly onDidChange: Event<readonly Finding[]> = this.#changed.event;
  readonly #subscription: Disposable;
  readonly #memento: Memento;
  #findings: readonly Finding[] = [];
  /** What the last good list showed. */
  #listed: readonly Finding[] = [];
  readonly #asking = new Set<string>();

  constructor(private readonly parts: Pick<Parts, 'store' | 'api' | 'orphans' | 'pendingEnds' | 'keys' | 'context' | 'now' | 'log'>) {
    this.#memento = parts.context.globalState;
    this.#subscription = parts.store.onDidChange(() => this.#look());
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  /** What is the matter with a pod, if anything. */
  of(podId: string): Finding | undefined {
    return this.#findings.find(({ pod }) => pod.id === podId);
  }

  /** What can be done about it, the likeliest first. */
  ways(finding: Finding): readonly Way[] {
    const { pod } = finding;
    const target = { podId: pod.id };
    const terminate: Way = { title: l10n.t('Terminate Pod…'), go: () => run('runpod.terminatePod', target) };
    switch (finding.kind) {
      case 'unconfirmed': {
        const { kind, asks } = finding.end;
        const console = wayTo(l10n.t('Open Console'), 'runpod.openPodInConsole', target);
        if (kind === 'terminate') {
          const again = wayTo(l10n.t('Terminate Again'), 'runpod.terminatePod', target, { confirmed: true });
          return asks > 1 ? [console, again] : [again, console];
        }
        const again = wayTo(l10n.t('Stop Again'), 'runpod.stopPod', target, { confirmed: true });
        return [...(asks > 1 ? [console, again] : [again, console]), { title: l10n.t('Let It Run'), go: () => this.#letRun(pod.id) }];
      }
      case 'past-limit':
        return [
          { title: l10n.t('Stop Pod'), go: () => run('runpod.stopPod', target, { confirmed: true }) },
          { title: l10n.t('Extend 2 h'), go: () => run('runpod.extendLimit', target, { minutes: 120 }) },
        ];
      case 'stuck':
        return [terminate, { title: l10n.t('Show Log'), go: () => run('runpod.showPodLog', target) }];
      case 'orphan':
        return [terminate, { title: l10n.t('Keep Pod'), go: () => this.#keep(pod.id) }];
    }
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }

  async #keep(podId: string): Promise<void> {
    await this.parts.orphans.settle(podId);
    this.parts.store.redress();
  }

  async #letRun(podId: string): Promise<void> {
    await this.parts.pendingEnds.settle(podId);
    this.#look();
  }

  #look(): void {
    const { store, keys, pendingEnds, orphans, now } = this.parts;
    const { phase, problem, pods, rows } = store.state;
    // An old list proves nothing, and solves nothing: what was found stands, and what was asked for grows older.
    if (phase === 'ready' && !problem) {
      const { confirmed, missing } = pendingEnds.reconcile(rows, keys.account);
      for (const end of confirmed) this.#sayConfirmed(end);
      for (const end of missing) void this.#askFor(end);
      const before = this.#memento.get<OnTheirWay>(ON_THEIR_WAY, {});
      const { findings, onTheirWay } = secondLook(pods, before, now(), orphans.in(rows, keys.account));
      if (JSON.stringify(onTheirWay) !== JSON.stringify(before)) void this.#memento.update(ON_THEIR_WAY, onTheirWay);
      this.#listed = findings;
    } else if (!problem) {
      this.#listed = [];
      return this.#set([]);
    }
    const late = pendingEnds.unconfirmed(keys.account).map((end): Finding => {
      const { podId: id, name, costPerHour } = end;
      return { kind: 'unconfirmed', pod: store.find(id) ?? { id, name, costPerHour }, since: end.since, end };
    });
    this.#set([...late, ...this.#listed.filter(({ pod }) => !late.some((l) => l.pod.id === pod.id))]);
  }

  /** A pod that is to end and that the list does not have: RunPod knows by its id whether it is gone. */
  async #askFor(end: PendingEnd): Promise<void> {
    const { api, pendingEnds, log } = this.parts;
    if (this.#asking.has(end.podId)) return;
    this.#asking.add(end.podId);
    try {
      const pod = await (await api.client()).pods.get(end.podId, { background: true, once: true });
      if (!hasEnded(end, pod)) return;
    } catch (error) {
      if (!(error instanceof RunPodError) || error.code !== 'not-found') return log.debug(`Whether ${end.podId} is gone: ${messageOf(error)}`);
    } finally {
      this.#asking.delete(end.podId);
    }
    await pendingEnds.settle(end.podId);
    this.#sayConfirmed(end);
    this.#look();
  }

  /** Only where somebody was told that it is not. */
  #sayConfirmed({ podId, name, kind }: PendingEnd): void {
    if (this.of(podId)?.kind !== 'unconfirmed') return;
    notice.brief(kind === 'stop' ? l10n.t('RunPod has confirmed it: {0} is stopped.', name) : l10n.t('RunPod has confirmed it: {0} is deleted.', name), 12_000);
  }

  #set(findings: readonly Finding[]): void {
    if (findings.length === 0 && this.#findings.length === 0) return;
    this.#findings = findings;
    this.#changed.fire(findings);
  }
}

/** A deed that is one of our commands. */
function wayTo(title: string, id: CommandId, ...args: readonly unknown[]): Way {
  // A bracket in an id would end the link.
  const encoded = encodeURIComponent(JSON.stringify(args)).replace(/[()]/g, (c) => (c === '(' ? '%28' : '%29'));
  return { title, go: () => run(id, ...args), link: `command:${id}?${encoded}` };
}
