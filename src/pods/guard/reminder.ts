import { CONFIRM_MS } from '../pendingEnds';
import type { Finding } from './secondLook';

/** When a finding was told last, ms since 1970 by the API's clock, and how often it has been. */
export interface Told {
  readonly at: number;
  readonly times: number;
}

const MINUTE = 60_000;
/** Row and status bar say it all the time; a notification that was put away comes again after so long. */
const AGAIN_MS = 60 * MINUTE;
/** What somebody has asked for and not got comes again sooner at first. */
const UNCONFIRMED_AGAIN_MS = [2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE];
/** A moment so far ahead is of a clock that was set back since. */
const SET_BACK_MS = MINUTE;

/** Whether it is time to tell, or to tell again. What was just asked for once more has its time first. */
export function isDue(finding: Finding, told: Told | undefined, now: number): boolean {
  if (finding.kind === 'unconfirmed' && Math.abs(now - finding.end.askedAt) < CONFIRM_MS) return false;
  if (!told || told.at > now + SET_BACK_MS) return true;
  const again = finding.kind === 'unconfirmed' ? (UNCONFIRMED_AGAIN_MS[told.times - 1] ?? AGAIN_MS) : AGAIN_MS;
  return now - told.at >= again;
}

/** By what it is remembered that a finding was told; asked for again in vain, it is another. */
export const keyOf = (finding: Finding): string => (finding.kind === 'unconfirmed' ? `${finding.kind}:${finding.pod.id}:${finding.end.asks}` : `${finding.kind}:${finding.pod.id}`);
