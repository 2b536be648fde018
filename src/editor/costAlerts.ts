import { env, l10n, Uri, window, type Disposable, type Memento } from 'vscode';
import { steadyNow } from '../base/time';
import { isLostAtZero } from '../pods/outlook';
import type { PodStore } from '../pods/store';
import { crossings, type CostAlarm, type Told } from '../pods/thresholds';
import { run } from './commands/command';
import { settings } from './settings';
import { longTime, money, rate } from './words';
import { notice } from './prompts/notice';

const TOLD = 'runpod.toldAlarms';
/** No more than one notification in so long. */
const CALM_MS = 60_000;
const BILLING_PAGE = 'https://console.runpod.io/user/billing';

/**
 * Says once that the balance is low, that it will soon be gone, or that a pod runs long without a limit, each with the
 * one thing to do. Only the window in front speaks, and what was told is shared by all windows.
 */
export class CostAlerts implements Disposable {
  #quietUntil = 0;
  #later: NodeJS.Timeout | undefined;
  readonly #subscriptions: Disposable[];

  constructor(
    private readonly store: PodStore,
    private readonly memento: Memento,
    private readonly now: () => number,
  ) {
    this.#subscriptions = [store.onDidChange(() => this.#look()), window.onDidChangeWindowState((state) => state.focused && this.#look())];
  }

  dispose(): void {
    clearTimeout(this.#later);
    for (const s of this.#subscriptions) s.dispose();
  }

  #look(): void {
    const { phase, problem, pods, account } = this.store.state;
    // An old list proves nothing, and what nobody looks at need not be said yet.
    if (phase !== 'ready' || problem || !window.state.focused || steadyNow() < this.#quietUntil) return;
    const before = this.memento.get<Told>(TOLD, {});
    const { due, told } = crossings(pods, account, settings.thresholds(), before, this.now());
    const [first] = due;
    // At the end of the credit one message is enough: the runway says what the balance would.
    const covered = first?.kind === 'runway' ? due.filter((alarm) => alarm.kind === 'balance') : [];
    const next: Record<string, number> = { ...told };
    for (const alarm of first ? [first, ...covered] : []) next[alarm.key] = this.now();
    if (JSON.stringify(next) !== JSON.stringify(before)) void this.memento.update(TOLD, next);
    if (!first) return;
    this.#quietUntil = steadyNow() + CALM_MS;
    clearTimeout(this.#later);
    if (due.length > 1 + covered.length) this.#later = setTimeout(() => this.#look(), CALM_MS);
    void this.#tell(first);
  }

  async #tell(alarm: CostAlarm): Promise<void> {
    if (alarm.kind === 'running') {
      const stop = l10n.t('Stop Pod');
      const cost = alarm.pod.costPerHour === undefined ? undefined : (alarm.pod.costPerHour * alarm.sinceMs) / 3_600_000;
      const answer = await notice.warn(
        l10n.t('{0} has been running for {1} without a limit, so far for {2} ({3}).', alarm.pod.name, longTime(alarm.sinceMs), money(cost, { estimate: true }), rate(alarm.pod.costPerHour)),
        stop,
      );
      if (answer === stop) await run('runpod.stopPod', { podId: alarm.pod.id });
      return;
    }
    const budget = this.store.state.account?.typed?.kind === 'budget';
    const button = budget ? l10n.t('Show Costs') : l10n.t('Add Credit');
    const answer = await notice.warn(this.#words(alarm, budget), button);
    if (answer !== button) return;
    if (budget) await run('runpod.showCosts');
    else await env.openExternal(Uri.parse(BILLING_PAGE));
  }

  #words(alarm: Exclude<CostAlarm, { kind: 'running' }>, budget: boolean): string {
    const left = money(alarm.balance, { estimate: this.store.state.account?.typed !== undefined });
    if (budget) return alarm.kind === 'balance' ? l10n.t('{0} of your budget is left.', left) : l10n.t('{0} of your budget is left: at {1} it is used up in {2}.', left, rate(alarm.spendPerHour, { estimate: true }), longTime(alarm.endsAt - this.now()));
    if (alarm.kind === 'balance') return l10n.t('RunPod balance: {0} left.', left);
    const lost = this.store.state.pods.filter(isLostAtZero).map((pod) => pod.name);
    const [name] = lost;
    const deleted = name === undefined ? '' : lost.length === 1 ? l10n.t(' {0} has no network volume and is deleted with its data.', name) : l10n.t(' {0} and others without a network volume are deleted with their data.', name);
    return l10n.t('RunPod balance: {0} lasts {1} more at {2}. Then all pods stop.', left, longTime(alarm.endsAt - this.now()), rate(alarm.spendPerHour, { estimate: true })) + deleted;
  }
}
