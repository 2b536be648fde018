import type { Pod } from '../../runpod/types';
import { guardInArgs } from './args';
import { hasLimit, readWish, wishOf, type AtLimit, type GuardWish } from './wish';
import type { EndsBy, GuardReport, GuardWord } from './word';

/** How a running pod stands with its guard. Moments are ms since 1970 by the API's clock. */
export type GuardStanding =
  /** It lives, and the API has said that it may stop its pod. */
  | {
      readonly kind: 'armed';
      /** When this start ends by its time or budget. */
      readonly endsAt?: number;
      readonly by?: Exclude<EndsBy, 'idle'>;
      /** When it ends if nobody uses the pod from now on. */
      readonly idleEndsAt?: number;
      readonly idleMinutes?: number;
      /** A restart of the container loses it. */
      readonly untilRestart: boolean;
      readonly at: AtLimit;
      readonly state: GuardWord['state'];
      readonly trouble: string;
    }
  /** Made with a guard in its start command that nobody has heard yet. */
  | { readonly kind: 'expected'; readonly endsAt?: number; readonly by?: Exclude<EndsBy, 'idle'>; readonly wish: GuardWish }
  /** It is to have one, which is yet to be put there. */
  | { readonly kind: 'awaited'; readonly wish: GuardWish }
  /** It lives and cannot stop its pod: `refused`, `no-key`, `no-tool`, `tls`, `unreachable`, or empty before it knows. */
  | { readonly kind: 'unarmed'; readonly why: string }
  /** Its limits were lifted for this start. */
  | { readonly kind: 'lifted' }
  /** There is no limit. */
  | { readonly kind: 'none' }
  /** Nobody has looked. */
  | { readonly kind: 'unknown' };

/** A pod as the list carries it, with what is known of its guard. */
export interface WithGuard {
  readonly guard?: GuardStanding;
}

/** What was found on a pod, with the start in which it was found. */
export interface GuardFound {
  readonly startedAt: number | undefined;
  readonly report: GuardReport;
}

/** @param found the last look at the pod, if there was one */
export function standingOf(pod: Pod, found: GuardFound | undefined): GuardStanding | undefined {
  if (pod.status !== 'RUNNING') return undefined;
  const word = found?.startedAt === pod.startedAt?.getTime() ? found?.report.word : undefined;
  if (word && (word.alive || isHopeless(word))) return standingBy(word, pod);
  const inArgs = readWish(guardInArgs(pod) ?? '');
  const wish = inArgs ?? wishOf(pod) ?? found?.report.planned;
  // Once looked for and not found, the one in the start command is missing.
  const looked = found !== undefined && found.startedAt === pod.startedAt?.getTime();
  if (inArgs && !looked) {
    const limitEndsAt = inArgs.limitMinutes === undefined || !pod.startedAt ? undefined : pod.startedAt.getTime() + inArgs.limitMinutes * 60_000;
    return { kind: 'expected', wish: inArgs, ...sooner(limitEndsAt, budgetEndOf(inArgs, pod)) };
  }
  if (hasLimit(wish)) return { kind: 'awaited', wish };
  return looked ? { kind: 'none' } : { kind: 'unknown' };
}

function standingBy(word: GuardWord, pod: Pod): GuardStanding {
  if (word.armed !== 'yes') return { kind: 'unarmed', why: word.why };
  if (word.lifted) return { kind: 'lifted' };
  const idleMinutes = word.wish?.idleMinutes;
  const idleEndsAt = idleMinutes === undefined || word.lastUse === undefined ? undefined : word.lastUse + idleMinutes * 60_000;
  // The guard names it where it comes first; else it follows from the pod's price.
  const budgetEndsAt = word.endsBy === 'budget' ? word.end : budgetEndOf(word.wish, pod);
  const ends = sooner(word.endsBy === 'limit' ? word.end : word.deadline, budgetEndsAt);
  if (ends.endsAt === undefined && idleEndsAt === undefined) return { kind: 'none' };
  return {
    kind: 'armed',
    ...ends,
    ...(idleEndsAt === undefined || idleMinutes === undefined ? {} : { idleEndsAt, idleMinutes }),
    untilRestart: word.by !== 'args' || !word.kept,
    at: word.at,
    state: word.state,
    trouble: word.trouble,
  };
}

function sooner(deadline: number | undefined, budgetEndsAt: number | undefined): { readonly endsAt?: number; readonly by?: Exclude<EndsBy, 'idle'> } {
  if (budgetEndsAt !== undefined && (deadline === undefined || budgetEndsAt < deadline)) return { endsAt: budgetEndsAt, by: 'budget' };
  return deadline === undefined ? {} : { endsAt: deadline, by: 'limit' };
}

/** When the budget of this start is spent at the pod's price. */
function budgetEndOf(wish: GuardWish | undefined, pod: Pod): number | undefined {
  if (wish?.budgetUsd === undefined || !pod.costPerHour || !pod.startedAt) return undefined;
  return pod.startedAt.getTime() + (wish.budgetUsd / pod.costPerHour) * 3_600_000;
}

/** So long before an idle stop it is announced: five minutes, or a third of a short rule. */
export const idleNoticeMs = (idleMinutes: number): number => Math.min(5, idleMinutes / 3) * 60_000;

/** It has looked around and gone: there is nothing on this pod that it could ask the API with. */
export const isHopeless = (word: GuardWord): boolean => word.armed === 'no' && (word.why === 'no-key' || word.why === 'no-tool');

/** Whether a guard keeps this pod's limit, as far as is known. */
export const isGuarded = (standing: GuardStanding | undefined): boolean => standing?.kind === 'armed' || standing?.kind === 'expected';
