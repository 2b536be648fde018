import { l10n } from 'vscode';
import { isLostAtZero, outlookOf } from '../../pods/outlook';
import { utcDay, type SpendMeter } from '../../pods/meter';
import { mayBill, networkVolumePerMonth, stoppedStoragePerHour } from '../../pods/money';
import { monthOutlook, monthStart, spendRows, type MonthOutlook, type SpendRow } from '../../pods/spendHistory';
import type { PodsState } from '../../pods/store';
import type { BillingRecord, NetworkVolume } from '../../runpod/types';
import { balanceWords } from '../balanceWords';
import { stateWord } from '../podsView/state';
import type { Spending } from '../spending';
import { gigabytes, localTime, longTime, money, rate } from '../words';
import type { Figure, IdleStorage, PanelPod } from './messages';

const DAY_MS = 86_400_000;
const HOURS_A_MONTH = 730;

/** The last answer of the billing history, and how far back it reaches. */
export interface Bills {
  readonly records: readonly BillingRecord[];
  /** Undefined where they cannot be listed. */
  readonly volumes: readonly NetworkVolume[] | undefined;
  readonly at: number;
}

/** How far back bills are asked for: the shown span, and the whole month for its projection. */
export const billsFrom = (days: number, now: number): number => Math.min(utcDay(now) - (days - 1) * DAY_MS, monthStart(now), utcDay(now) - 7 * DAY_MS);

/** Bills joined with what this editor has counted yesterday and today. */
export function rowsOf(bills: Bills, meter: SpendMeter, now: number): SpendRow[] {
  const days = [utcDay(now) - DAY_MS, utcDay(now)];
  return spendRows(bills.records, days.map((day) => ({ day, pods: meter.inUtcDay(day, now) })));
}

export function monthOf(rows: readonly SpendRow[], state: PodsState, now: number): MonthOutlook {
  const { burn } = outlookOf(state);
  return monthOutlook(rows, burn.computePerHour + burn.storagePerHour, now);
}

/** The figures above the charts. */
export function figures(state: PodsState, spending: Spending, month: MonthOutlook | undefined, volumes: readonly NetworkVolume[] | undefined, now: number): Figure[] {
  const { burn, balanceEndsAt, stoppedStoragePerHour: stopped } = outlookOf(state);
  const { meter } = spending;
  const volumesPerMonth = (volumes ?? []).reduce((sum, v) => sum + (v.sizeGb === undefined ? 0 : networkVolumePerMonth({ sizeGb: v.sizeGb })), 0);
  const projected = l10n.t('{0} at last week’s average', money(month?.projectedByWeek, { estimate: true }));
  const balance = balanceWords(state.account, now).join(' ');
  return [
    {
      label: l10n.t('Now'),
      value: rate(burn.computePerHour, { estimate: burn.unknown > 0 }),
      note: l10n.t('{0} more for storage, of it {1} for stopped pods', rate(burn.storagePerHour, { estimate: true }), rate(stopped, { estimate: true })),
    },
    { label: l10n.t('Today'), value: money(meter.today(now), { estimate: true }), note: l10n.t('since your midnight; {0} in this session', money(meter.total(now), { estimate: true })).replaceAll('< ', '<\u00a0') },
    { label: l10n.t('This month so far'), value: money(month?.toDate), note: l10n.t('pods only, UTC month') },
    {
      label: l10n.t('Month’s end'),
      value: money(month?.projected, { estimate: true }),
      note: volumesPerMonth > 0 ? l10n.t('if all goes on as now; {0}. Network volumes: {1} a month more', projected, money(volumesPerMonth, { estimate: true })) : l10n.t('if all goes on as now; {0}', projected),
    },
    {
      label: l10n.t('Left'),
      value: money(state.account?.balance, { estimate: state.account?.typed !== undefined }),
      note: balanceEndsAt === undefined ? (state.account?.balance === undefined || state.account.typed ? balance : '') : l10n.t('{0} at this rate, until {1}', longTime(balanceEndsAt - now), localTime(balanceEndsAt)) + (state.account?.typed ? `. ${balance}` : ''),
    },
  ];
}

/** What pays for storage although nothing runs, the dearest first. */
export function idleStorage(state: PodsState, volumes: readonly NetworkVolume[] | undefined): IdleStorage[] {
  const disks = state.pods.flatMap((pod): IdleStorage[] => {
    if (mayBill(pod) || pod.mount?.kind !== 'persistent') return [];
    return [
      {
        name: pod.name,
        kind: l10n.t('{0} of a stopped pod', pod.mount.path),
        size: gigabytes(pod.mount.sizeGb),
        perMonth: stoppedStoragePerHour(pod) * HOURS_A_MONTH,
        atZero: isLostAtZero(pod) ? l10n.t('deleted') : l10n.t('kept'),
      },
    ];
  });
  const network = (volumes ?? []).flatMap((v): IdleStorage[] =>
    v.sizeGb === undefined ? [] : [{ name: v.name, kind: l10n.t('network volume'), size: gigabytes(v.sizeGb), perMonth: networkVolumePerMonth({ sizeGb: v.sizeGb }), atZero: l10n.t('kept for a while') }],
  );
  return [...disks, ...network].sort((a, b) => b.perMonth - a.perMonth);
}

/** Every pod of the list and of the bills, with a name where one is known. */
export function panelPods(rows: readonly SpendRow[], state: PodsState, spending: Spending): PanelPod[] {
  const listed = state.pods.map((pod) => ({ id: pod.id, name: pod.name, state: stateWord(pod) }));
  const ids = new Set(listed.map((pod) => pod.id));
  const gone = [...new Set(rows.map((row) => row.podId))].filter((id) => !ids.has(id)).map((id) => ({ id, name: spending.nameOf(id) ?? id, state: l10n.t('gone') }));
  return [...listed, ...gone];
}
