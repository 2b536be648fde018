import { l10n, MarkdownString, StatusBarAlignment, ThemeColor, window, type Disposable, type StatusBarItem } from 'vscode';
import type { SpendMeter } from '../pods/meter';
import { isLostAtZero, outlookOf, type Outlook } from '../pods/outlook';
import type { PodStore } from '../pods/store';
import { timeLeftOf } from '../pods/timeLeft';
import type { Pod } from '../runpod/types';
import { balanceWords } from './balanceWords';
import { TICKER, type CommandId } from './ids';
import { hardwareOf } from './podsView/rows';
import { byImportance, lookOf, stateWord } from './podsView/state';
import { localTime, longTime, money, plainMarkdown, rate, shortTime } from './words';

const TICK_MS = 1000;
const WARN_MS = 30 * 60_000;
const TODAY_MS = 24 * 3_600_000;
/** More pods than this make the tooltip taller than a screen. */
const TOOLTIP_PODS = 15;

/**
 * The one status bar item: what runs costs, and when it ends. It ticks from what is known and asks nobody; what a list
 * means is added up when the list comes, so that a tick only compares a time with the clock.
 */
export class Ticker implements Disposable {
  readonly #item: StatusBarItem;
  readonly #subscription: Disposable;
  #outlook: Outlook | undefined;
  /** What runs, the most important first. */
  #running: readonly Pod[] = [];
  #lost = 0;
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
    this.#subscription = store.onDidChange(() => this.#listed());
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#subscription.dispose();
    this.#item.dispose();
  }

  /** Writes what has changed since the last tick; public so that it can be timed. */
  tick(): void {
    if (this.#outlook) this.#paint(this.#outlook, false);
  }

  #listed(): void {
    const outlook = outlookOf(this.store.state);
    if (outlook.burn.running === 0 && outlook.stoppedStoragePerHour === 0) {
      this.#outlook = undefined;
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#item.hide();
      this.#text = '';
      return;
    }
    this.#outlook = outlook;
    const { pods } = this.store.state;
    this.#running = pods.filter((pod) => lookOf(pod) !== 'stopped').sort(byImportance);
    this.#lost = pods.filter(isLostAtZero).length;
    this.#timer ??= setInterval(() => this.tick(), TICK_MS);
    this.#paint(outlook, true);
  }

  #paint(outlook: Outlook, listed: boolean): void {
    const { burn, first } = outlook;
    const left = first && first.at - this.now();
    const soon = left !== undefined && left < TODAY_MS ? shortTime(left) : undefined;
    const text = this.#textOf(outlook, soon);
    // Only what changed is sent to the window: the tooltip with it, at most once a minute of difference.
    if (text === this.#text && !listed) return;
    this.#text = text;
    this.#item.text = text;
    this.#item.backgroundColor = left !== undefined && left < WARN_MS ? new ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.tooltip = this.#tooltip(outlook);
    this.#item.accessibilityInformation = {
      label:
        burn.running === 0
          ? l10n.t('RunPod: no pod runs, stopped pods pay {0} for storage', rate(outlook.stoppedStoragePerHour, { estimate: true }))
          : l10n.t('RunPod: {0} pods running, {1}', burn.running, rate(burn.computePerHour)) + (left === undefined ? '' : `, ${l10n.t('{0} left', longTime(left))}`),
    };
    this.#item.show();
  }

  #textOf({ burn, stoppedStoragePerHour }: Outlook, soon: string | undefined): string {
    if (burn.running === 0) return `$(database) ${rate(stoppedStoragePerHour, { estimate: true })}`;
    const estimate = this.store.state.problem !== undefined || burn.unknown > 0;
    return [`$(flame) ${rate(burn.computePerHour, { estimate })}`, soon].filter(Boolean).join(' · ');
  }

  #tooltip(outlook: Outlook): MarkdownString {
    const { account, problem, fetchedAt } = this.store.state;
    const { burn, stoppedStoragePerHour: stopped, first } = outlook;
    const now = this.now();
    const text = new MarkdownString(undefined, true);
    text.isTrusted = { enabledCommands: ['runpod.showPods', 'runpod.refreshPods', 'runpod.showCosts', 'runpod.setBalance', 'runpod.extendLimit', 'runpod.liftLimit'] };
    this.#podTable(text, outlook);
    const lines = [
      stopped > 0
        ? l10n.t('Now: {0} compute, {1} storage, of it {2} for stopped pods', rate(burn.computePerHour), rate(burn.storagePerHour, { estimate: true }), rate(stopped, { estimate: true }))
        : l10n.t('Now: {0} compute, {1} storage', rate(burn.computePerHour), rate(burn.storagePerHour, { estimate: true })),
      l10n.t('Spent this session: {0} · today: {1}', money(this.meter.total(now), { estimate: true }), money(this.meter.today(now), { estimate: true })),
      ...balanceWords(account, now),
      first === undefined
        ? l10n.t('Ends first: unknown')
        : first.by !== 'balance'
          ? l10n.t('Ends first: {0}, by its limit in {1} ({2})', first.pod.name, longTime(first.at - now), localTime(first.at))
          : account?.typed?.kind === 'budget'
            ? l10n.t('Your budget lasts {0} ({1})', longTime(first.at - now), localTime(first.at))
            : l10n.t('Time to $0: {0} ({1}); then all pods stop', longTime(first.at - now), localTime(first.at)),
    ];
    const lost = this.#lost;
    if (lost > 0 && account?.typed?.kind !== 'budget') lines.push(l10n.t('Pods without a network volume, deleted with their data at $0: {0}', lost));
    if (burn.unknown > 0) lines.push(l10n.t('Pods whose rate RunPod did not say: {0}; the total lacks them', burn.unknown));
    if (problem && fetchedAt !== undefined) lines.push(l10n.t('Last seen {0} ago', longTime(Date.now() - fetchedAt)));
    text.appendMarkdown(lines.map(plainMarkdown).join('  \n'));
    const links = [
      ...(first && first.by !== 'balance' ? [`[${l10n.t('Extend {0}…', plainMarkdown(first.pod.name))}](command:runpod.extendLimit?${encodeURIComponent(JSON.stringify([{ podId: first.pod.id }]))})`, `[${l10n.t('Lift Its Limit…')}](command:runpod.liftLimit?${encodeURIComponent(JSON.stringify([{ podId: first.pod.id }]))})`] : []),
      `[${l10n.t('Show Costs')}](command:runpod.showCosts)`,
      `[${l10n.t('Show Pods')}](command:runpod.showPods)`,
      `[${l10n.t('Refresh')}](command:runpod.refreshPods)`,
      ...(account?.balance === undefined || account.typed ? [`[${l10n.t('Set Balance…')}](command:runpod.setBalance)`] : []),
    ];
    text.appendMarkdown(`\n\n${links.join(' · ')}`);
    return text;
  }

  #podTable(text: MarkdownString, { balanceEndsAt }: Outlook): void {
    const running = this.#running;
    if (running.length === 0) return;
    // Tables in a tooltip have no gaps of their own.
    text.appendMarkdown(`| ${[l10n.t('Pod'), l10n.t('Rate'), l10n.t('Time left'), l10n.t('Hardware')].join(' | &emsp;')} |\n|:--|--:|--:|:--|\n`);
    for (const pod of running.slice(0, TOOLTIP_PODS)) {
      const left = timeLeftOf(pod, balanceEndsAt);
      text.appendMarkdown(`| ${plainMarkdown(pod.name)} | &emsp;${plainMarkdown(rate(pod.costPerHour))} | &emsp;${left ? shortTime(left.at - this.now()) : ''} | &emsp;${plainMarkdown(hardwareOf(pod) ?? stateWord(pod))} |\n`);
    }
    if (running.length > TOOLTIP_PODS) text.appendMarkdown(`| ${l10n.t('and {0} more', running.length - TOOLTIP_PODS)} | | | |\n`);
    text.appendMarkdown('\n\n');
  }
}
