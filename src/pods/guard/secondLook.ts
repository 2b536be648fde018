import type { Pod } from '../../runpod/types';
import { mayBill } from '../money';
import { ownEnd } from '../timeLeft';
import type { WithGuard } from './standing';

/** A pod that costs money and perhaps should not. `orphan`: it exists though the answer to its create was lost. */
export interface Finding {
  readonly kind: 'past-limit' | 'stuck' | 'orphan';
  readonly pod: Pod;
  /** When it should have ended, since when it is on its way, or when it was made; ms since 1970 by the API's clock. */
  readonly since: number;
}

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
