import { l10n, MarkdownString, StatusBarAlignment, ThemeColor, window, type Disposable, type StatusBarItem } from 'vscode';
import type { SpendMeter } from '../pods/meter';
import { balanceEnd, burnOf } from '../pods/money';
import type { PodStore } from '../pods/store';
import { timeLeftOf, type TimeLeft } from '../pods/timeLeft';
import type { Pod } from '../runpod/types';
import { TICKER, type CommandId } from './ids';
import { hardwareOf } from './podsView/rows';
import { byImportance, lookOf, stateWord } from './podsView/state';
import { localTime, longTime, money, rate, shortTime } from './words';

const TICK_MS = 1000;
const WARN_MS = 30 * 60_000;
const TODAY_MS = 24 * 3_600_000;

/** The one status bar item: what runs costs, and when it ends. It ticks from what is known and asks nobody. */
export class Ticker implements Disposable {
  readonly #item: StatusBarItem;
  readonly #subscription: Disposable;
  #timer: NodeJS.Timeout | undefined;
  #text = '';

  constructor(
    private readonly store: PodStore,
    private readonly meter: SpendMeter,
    private readonly now: () => number,
  ) {
    this.#item = window.createStatusBarItem(TICKER, StatusBarAlignment.Left, -10);
    this.#item.name = l10n.t('RunPod Cost');
    this.#item.command = 'runpod.showPods' satisfies CommandId;
    this.#subscription = store.onDidChange(() => this.#paint(true));
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#subscription.dispose();
    this.#item.dispose();
  }

  #paint(stateChanged = false): void {
    const { pods } = this.store.state;
    const burn = burnOf(pods);
    if (burn.running === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#item.hide();
      this.#text = '';
      return;
    }
    this.#timer ??= setInterval(() => this.#paint(), TICK_MS);
    const ends = this.#firstEnd(pods);
    const left = ends && ends.at - this.now();
    const stale = this.store.state.problem !== undefined;
    const text = [
      `$(flame) ${rate(burn.computePerHour, { estimate: stale || burn.unknown > 0 })}`,
      left !== undefined && left < TODAY_MS ? shortTime(left) : undefined,
    ].filter(Boolean).join(' · ');
    // Only what changed is sent to the window: the tooltip with it, at most once a minute of difference.
    if (text === this.#text && !stateChanged) return;
    this.#text = text;
    this.#item.text = text;
    this.#item.backgroundColor = left !== undefined && left < WARN_MS ? new ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.tooltip = this.#tooltip(pods, ends);
    this.#item.accessibilityInformation = {
      label: l10n.t('RunPod: {0} pods running, {1}', burn.running, rate(burn.computePerHour)) + (left === undefined ? '' : `, ${l10n.t('{0} left', longTime(left))}`),
    };
    this.#item.show();
  }

  /** What ends first of all the running pods. */
  #firstEnd(pods: readonly Pod[]): TimeLeft | undefined {
    const end = balanceEnd(this.store.state.account);
    let first: TimeLeft | undefined;
    for (const pod of pods) {
      const left = timeLeftOf(pod, end);
      if (left && (!first || left.at < first.at)) first = left;
    }
    return first;
  }

  #tooltip(pods: readonly Pod[], ends: TimeLeft | undefined): MarkdownString {
    const { account, problem, fetchedAt } = this.store.state;
    const text = new MarkdownString(undefined, true);
    text.isTrusted = { enabledCommands: ['runpod.showPods', 'runpod.refreshPods'] };
    text.appendMarkdown(`| ${l10n.t('Pod')} | | | |\n|:--|--:|:--|:--|\n`);
    for (const pod of [...pods].sort(byImportance)) {
      if (lookOf(pod) === 'stopped') continue;
      const left = timeLeftOf(pod, balanceEnd(account));
      text.appendMarkdown('| ').appendText(pod.name.replaceAll('|', '¦'))
        .appendMarkdown(` | ${rate(pod.costPerHour)} | ${left ? shortTime(left.at - this.now()) : ''} | ${hardwareOf(pod) ?? stateWord(pod)} |\n`);
    }
    const burn = burnOf(pods);
    text.appendMarkdown('\n\n');
    const lines = [
      l10n.t('Spent since the editor opened: {0}', money(this.meter.total(this.now()), { estimate: true })),
      l10n.t('Storage of all listed pods: {0}', rate(burn.storagePerHour, { estimate: true })),
      account?.balance === undefined ? l10n.t('Balance: unknown') : l10n.t('Balance: {0}', money(account.balance)),
      ends === undefined ? l10n.t('Time to $0: unknown') : ends.by === 'balance' ? l10n.t('Time to $0: {0} ({1})', longTime(ends.at - this.now()), localTime(ends.at)) : l10n.t('First limit: {0} ({1})', longTime(ends.at - this.now()), localTime(ends.at)),
    ];
    if (burn.unknown > 0) lines.push(l10n.t('Pods whose rate RunPod did not say: {0}; the total lacks them', burn.unknown));
    if (problem && fetchedAt !== undefined) lines.push(l10n.t('Last seen {0} ago', shortTime(Date.now() - fetchedAt)));
    text.appendMarkdown(lines.map((l) => l.replace(/[<>~$]/g, '\\$&')).join('  \n'));
    text.appendMarkdown(`\n\n[${l10n.t('Show Pods')}](command:runpod.showPods) · [${l10n.t('Refresh')}](command:runpod.refreshPods)`);
    return text;
  }
}
