import type { Pod } from '../../runpod/types';
import { mayBill } from '../money';
import type { PendingEnd } from '../pendingEnds';
import { ownEnd } from '../timeLeft';
import type { WithGuard } from './standing';

/** As much of a pod as is known of one that cannot be read just now. */
export type FoundPod = Pick<Pod, 'id' | 'name' | 'costPerHour'>;

/**
 * A pod that costs money and perhaps should not. `orphan`: it exists though the answer to its create was lost. `unconfirmed`:
 * it was to be stopped or terminated, and RunPod has not said that it is. `since`: when it should have ended, since when it is
 * on its way, when it was made, or when its end was asked for; ms since 1970 by the API's clock.
 */
export type Finding =
  | { readonly kind: 'past-limit' | 'stuck' | 'orphan'; readonly pod: FoundPod; readonly since: number }
  | { readonly kind: 'unconfirmed'; readonly pod: FoundPod; readonly since: number; readonly end: PendingEnd };

/** Since when pods are on their way, by id; kept across reloads, for the API does not tell of a second start. */
export type OnTheirWay = Readonly<Record<string, number>>;

/** How late a guard may be before somebody is told: the API may have been away, and it asks every few seconds. */
const LATE_MS = 3 * 60_000;
/** RunPod pulls large images in ten minutes; after fifteen a bad machine is likelier. */
const STUCK_MS = 15 * 60_000;

/**
 * Looks at a list for pods that nothing on them can end: one whose guard should have stopped it and has not (or never lived),
 * one that never got to run, where no guard can live, and one that nobody knows to have asked for.
 * @param now ms since 1970 by the API's clock
 */
export function secondLook(pods: readonly (Pod & WithGuard)[], before: OnTheirWay, now: number, orphans: ReadonlySet<string> = new Set()): { readonly findings: Finding[]; readonly onTheirWay: OnTheirWay } {
  const findings: Finding[] = [];
  const onTheirWay: Record<string, number> = {};
  for (const pod of pods) {
    if (orphans.has(pod.id) && pod.status !== 'TERMINATED') findings.push({ kind: 'orphan', pod, since: pod.createdAt?.getTime() ?? now });
    if (!mayBill(pod)) continue;
    if (pod.status === 'PROVISIONING' || pod.status === 'STARTING') {
      const made = pod.createdAt?.getTime();
      const since = before[pod.id] ?? (pod.startedAt === undefined && made !== undefined ? Math.min(made, now) : now);
      onTheirWay[pod.id] = since;
      if (now - since >= STUCK_MS) findings.push({ kind: 'stuck', pod, since });
      continue;
    }
    const end = ownEnd(pod);
    if (end && pod.status === 'RUNNING' && now - end.at >= LATE_MS) findings.push({ kind: 'past-limit', pod, since: end.at });
  }
  return { findings, onTheirWay };
}
