import type { Pod } from '../runpod/types';
import type { WithGuard } from './guard/standing';
import { mayBill } from './money';

/** What will end a pod first. */
export interface TimeLeft {
  /** ms since 1970, by the API's clock. */
  readonly at: number;
  readonly by: 'limit' | 'budget' | 'balance';
}

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * The limit a pod carries in its own start command, as community tools write it:
 * `… sleep 3600 … ; runpodctl stop pod $RUNPOD_POD_ID` ends the pod that long after its start.
 * @returns ms since 1970, or undefined where the command holds no such limit
 */
export function limitInArgs(pod: Pod): number | undefined {
  if (pod.startedAt === undefined) return undefined;
  const match = /\bsleep\s+(\d+(?:\.\d+)?)([smhd]?)\b(?=[\s\S]*\b(?:runpodctl\s+(?:pod\s+)?(?:stop|remove|delete|terminate)|(?:stop|remove)\s+pod|\/v2\/pods\/))/.exec(pod.args);
  if (!match) return undefined;
  return pod.startedAt.getTime() + Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1) * 1000;
}

/** When the pod ends by itself: by its guard, or as its start command says. A locked pod does not. */
export function ownEnd(pod: Pod & WithGuard): TimeLeft | undefined {
  if (pod.locked) return undefined;
  const { guard } = pod;
  if ((guard?.kind === 'armed' || guard?.kind === 'expected') && guard.endsAt !== undefined) return { at: guard.endsAt, by: guard.by ?? 'limit' };
  const limit = limitInArgs(pod);
  return limit === undefined ? undefined : { at: limit, by: 'limit' };
}

/** The sooner of the pod's own limit and the end of the balance; undefined for a pod that does not bill or has neither. */
export function timeLeftOf(pod: Pod & WithGuard, balanceEndsAt: number | undefined): TimeLeft | undefined {
  if (!mayBill(pod)) return undefined;
  const own = ownEnd(pod);
  if (own && (balanceEndsAt === undefined || own.at <= balanceEndsAt)) return own;
  return balanceEndsAt === undefined ? undefined : { at: balanceEndsAt, by: 'balance' };
}
