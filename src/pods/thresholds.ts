import type { Pod } from '../runpod/types';
import type { KnownAccount } from './balance';
import { balanceEnd } from './money';
import { timeLeftOf } from './timeLeft';

/** When a person wants to be told; 0 is never. */
export interface Thresholds {
  /** Credit left, USD. */
  readonly balanceUsd: number;
  /** Time until the credit is gone at the present rate, ms. */
  readonly runwayMs: number;
  /** How long a pod without a limit of its own may run, ms. */
  readonly runningMs: number;
}

export type CostAlarm =
  | { readonly kind: 'balance'; readonly key: string; readonly balance: number }
  | { readonly kind: 'runway'; readonly key: string; readonly balance: number; readonly endsAt: number; readonly spendPerHour: number }
  | { readonly kind: 'running'; readonly key: string; readonly pod: Pod; readonly sinceMs: number };

/** The alarms that were told and have not been re-armed, with the moment of telling (ms since 1970). */
export type Told = Readonly<Record<string, number>>;

/** A value must come back by so much before it can alarm again, or one that hovers would alarm without end. */
const REARM = 1.25;

/**
 * What crosses a threshold and has not been told, the most urgent first; and what of the told still stands. An alarm is
 * told once; it is armed again when the value has recovered, and for a pod at its next start.
 * @param now ms since 1970, by the API's clock
 */
export function crossings(pods: readonly Pod[], account: KnownAccount | undefined, limits: Thresholds, told: Told, now: number): { readonly due: CostAlarm[]; readonly told: Told } {
  const due: CostAlarm[] = [];
  const stands: Record<string, number> = {};
  /** Keeps what was told while `held`; alarms where it is `crossed` and new. */
  const weigh = (key: string, crossed: boolean, held: boolean, alarm: () => CostAlarm): void => {
    const before = told[key];
    if (before !== undefined && (crossed || held)) stands[key] = before;
    else if (crossed) due.push(alarm());
  };
  const endsAt = balanceEnd(account);
  const { balance, spendPerHour } = account ?? {};
  if (endsAt === undefined || balance === undefined || spendPerHour === undefined) keep('runway');
  else {
    const runway = endsAt - now;
    weigh('runway', runway < limits.runwayMs, runway < limits.runwayMs * REARM, () => ({ kind: 'runway', key: 'runway', balance, endsAt, spendPerHour }));
  }
  if (balance === undefined) keep('balance');
  else weigh('balance', balance < limits.balanceUsd, balance < limits.balanceUsd * REARM, () => ({ kind: 'balance', key: 'balance', balance }));
  for (const pod of pods) {
    // While a start is under way RunPod still tells the start before.
    if (pod.status !== 'RUNNING' || pod.startedAt === undefined || limits.runningMs <= 0 || timeLeftOf(pod, undefined) !== undefined) continue;
    const sinceMs = now - pod.startedAt.getTime();
    const key = `running:${pod.id}:${pod.startedAt.getTime()}`;
    weigh(key, sinceMs >= limits.runningMs, false, () => ({ kind: 'running', key, pod, sinceMs }));
  }
  return { due, told: stands };

  /** What cannot be judged now is neither told nor armed again. */
  function keep(key: string): void {
    const before = told[key];
    if (before !== undefined) stands[key] = before;
  }
}
