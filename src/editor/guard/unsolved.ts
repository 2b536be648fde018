import { l10n, type Disposable, type Event, type Memento } from 'vscode';
import { Emitter } from '../../base/emitter';
import { secondLook, type Finding, type OnTheirWay } from '../../pods/guard/secondLook';
import type { Parts } from '../parts';
import { run } from '../commands/command';

const ON_THEIR_WAY = 'runpod.onTheirWay';

/** One thing to do about a finding, as a button. */
export interface Way {
  readonly title: string;
  readonly go: () => Promise<void>;
}

/**
 * The local second look at every list: pods past their limit, pods that never get to run, and pods that nobody knows to have
 * asked for, as long as they are there. No request is made for it.
 */
export class Unsolved implements Disposable {
  readonly #changed = new Emitter<readonly Finding[]>();
  readonly onDidChange: Event<readonly Finding[]> = this.#changed.event;
  readonly #subscription: Disposable;
  readonly #memento: Memento;
  #findings: readonly Finding[] = [];

  constructor(private readonly parts: Pick<Parts, 'store' | 'orphans' | 'keys' | 'context' | 'now'>) {
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
  ways({ kind, pod }: Finding): readonly Way[] {
    const target = { podId: pod.id };
    const terminate: Way = { title: l10n.t('Terminate Pod…'), go: () => run('runpod.terminatePod', target) };
    switch (kind) {
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

  #look(): void {
    const { phase, problem, pods, rows } = this.parts.store.state;
    // An old list proves nothing, and solves nothing: what was found stands.
    if (problem) return;
    if (phase !== 'ready') return this.#set([]);
    const before = this.#memento.get<OnTheirWay>(ON_THEIR_WAY, {});
    const { findings, onTheirWay } = secondLook(pods, before, this.parts.now(), this.parts.orphans.in(rows, this.parts.keys.account));
    if (JSON.stringify(onTheirWay) !== JSON.stringify(before)) void this.#memento.update(ON_THEIR_WAY, onTheirWay);
    this.#set(findings);
  }

  #set(findings: readonly Finding[]): void {
    if (findings.length === 0 && this.#findings.length === 0) return;
    this.#findings = findings;
    this.#changed.fire(findings);
  }
}

