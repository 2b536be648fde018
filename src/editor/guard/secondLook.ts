import { l10n, window, type Disposable, type Memento } from 'vscode';
import { secondLook, type Finding, type OnTheirWay } from '../../pods/guard/secondLook';
import type { PodStore } from '../../pods/store';
import { run } from '../commands/command';
import { longTime, rate } from '../words';

const ON_THEIR_WAY = 'runpod.onTheirWay';
const TOLD = 'runpod.secondLook.told';
/** Said again after so long, until it is solved. */
const AGAIN_MS = 10 * 60_000;
const CALM_MS = 60_000;

/**
 * The local second look at every list: pods past their limit and pods that never get to run are spoken of until they are dealt
 * with. The window in front speaks; what was said is shared by all. No request is made for it.
 */
export class SecondLook implements Disposable {
  readonly #subscriptions: Disposable[];
  #quietUntil = 0;
  /** Questions that are on the screen. */
  readonly #open = new Set<string>();

  constructor(
    private readonly store: PodStore,
    private readonly memento: Memento,
    private readonly now: () => number,
  ) {
    this.#subscriptions = [store.onDidChange(() => this.#look()), window.onDidChangeWindowState((state) => state.focused && this.#look())];
  }

  dispose(): void {
    for (const s of this.#subscriptions) s.dispose();
  }

  #look(): void {
    const { phase, problem, pods } = this.store.state;
    if (phase !== 'ready' || problem) return;
    const before = this.memento.get<OnTheirWay>(ON_THEIR_WAY, {});
    const { findings, onTheirWay } = secondLook(pods, before, this.now());
    if (JSON.stringify(onTheirWay) !== JSON.stringify(before)) void this.memento.update(ON_THEIR_WAY, onTheirWay);
    if (!window.state.focused || Date.now() < this.#quietUntil) return;
    const told = this.memento.get<Record<string, number>>(TOLD, {});
    const due = findings.find((f) => !this.#open.has(keyOf(f)) && Date.now() - (told[keyOf(f)] ?? 0) >= AGAIN_MS);
    if (!due) return;
    this.#quietUntil = Date.now() + CALM_MS;
    const still = Object.fromEntries(findings.map((f) => [keyOf(f), told[keyOf(f)] ?? 0]));
    void this.memento.update(TOLD, { ...still, [keyOf(due)]: Date.now() });
    void this.#tell(due);
  }

  async #tell(finding: Finding): Promise<void> {
    const { pod, kind } = finding;
    const key = keyOf(finding);
    this.#open.add(key);
    const late = longTime(this.now() - finding.since);
    const [stop, extend, terminate, log] = [l10n.t('Stop Pod'), l10n.t('Extend 2 h'), l10n.t('Terminate Pod…'), l10n.t('Show Log')];
    const answer =
      kind === 'past-limit'
        ? await window.showErrorMessage(l10n.t('{0} should have ended {1} ago and still runs at {2}: nothing on it could stop it.', pod.name, late, rate(pod.costPerHour)), stop, extend)
        : await window.showErrorMessage(l10n.t('{0} has been on its way for {1} and may bill {2}; it does not run, so no limit can end it.', pod.name, late, rate(pod.costPerHour)), terminate, log);
    this.#open.delete(key);
    const target = { podId: pod.id };
    if (answer === stop) await run('runpod.stopPod', target, { confirmed: true });
    if (answer === extend) await run('runpod.extendLimit', target, { minutes: 120 });
    if (answer === terminate) await run('runpod.terminatePod', target);
    if (answer === log) await run('runpod.showPodLog', target);
  }
}

const keyOf = ({ kind, pod }: Finding): string => `${kind}:${pod.id}`;
