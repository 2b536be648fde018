import { l10n } from 'vscode';
import { limitInArgs } from '../../pods/timeLeft';
import type { GuardStanding, WithGuard } from '../../pods/guard/standing';
import { isGuarded } from '../../pods/guard/standing';
import type { GuardWish } from '../../pods/guard/wish';
import type { Pod } from '../../runpod/types';
import type { Finding } from '../../pods/guard/secondLook';
import type { PendingEnd } from '../../pods/pendingEnds';
import { localTime, longTime, money, rate, shortTime } from '../words';

/** Whether somebody has to see to it that this pod ends. */
export const endsItself = (pod: Pod & WithGuard): boolean => isGuarded(pod.guard) || limitInArgs(pod) !== undefined;

/** Whether there is a limit that can be moved or lifted, be it one that its guard cannot keep. */
export const isLimited = (pod: Pod & WithGuard): boolean => endsItself(pod) || pod.guard?.kind === 'unarmed' || pod.guard?.kind === 'awaited';

/**
 * What a running pod's row says of its limit besides the time: that there is none, that it will not be kept, or for how long
 * it is. Nothing where the time says it all.
 */
export function limitNote(pod: Pod & WithGuard, now: number): { readonly alarm?: string; readonly remark?: string } {
  if (pod.status !== 'RUNNING') return {};
  const { guard } = pod;
  if (pod.locked && endsItself(pod)) return { alarm: l10n.t('locked, won’t stop') };
  if (guard?.kind === 'unarmed' && guard.why !== '') return { alarm: l10n.t('can’t stop itself ⚠') };
  if (guard?.kind === 'armed') {
    if (guard.state === 'refused') return { alarm: l10n.t('may not stop itself ⚠') };
    const idle = guard.endsAt === undefined && guard.idleMinutes !== undefined ? untilIdle(guard.idleMinutes) : undefined;
    const past = guard.endsAt !== undefined && guard.endsAt + PAST_MS < now ? l10n.t('past its limit ⚠') : undefined;
    const remark = guard.untilRestart ? l10n.t('limit lost on restart') : undefined;
    return { ...(past ? { alarm: past } : idle ? { alarm: idle } : {}), ...(remark ? { remark } : {}) };
  }
  if (guard?.kind === 'expected' && guard.endsAt === undefined && guard.wish.idleMinutes !== undefined) return { alarm: untilIdle(guard.wish.idleMinutes) };
  return endsItself(pod) ? {} : { alarm: l10n.t('no limit ⚠') };
}

const untilIdle = (minutes: number): string => l10n.t('until idle {0}', longTime(minutes * 60_000));

/** What is the matter with a pod that somebody has to decide on, for a sentence of its own. */
export function findingWords(finding: Finding, now: number): string {
  const { pod, since } = finding;
  const late = longTime(now - since);
  switch (finding.kind) {
    case 'unconfirmed':
      return finding.end.kind === 'stop'
        ? l10n.t('RunPod has not confirmed that {0} is stopped, asked for {1} ago. It may go on billing: {2}.', pod.name, late, rate(pod.costPerHour))
        : l10n.t('RunPod has not confirmed that {0} is deleted, asked for {1} ago. It may go on billing: {2}.', pod.name, late, rate(pod.costPerHour));
    case 'past-limit':
      return l10n.t('{0} should have ended {1} ago and still runs at {2}: nothing on it could stop it.', pod.name, late, rate(pod.costPerHour));
    case 'stuck':
      return l10n.t('{0} has been on its way for {1} and may bill {2}; it does not run, so no limit can end it.', pod.name, late, rate(pod.costPerHour));
    case 'orphan':
      return l10n.t('{0} exists and costs {1}: RunPod made it though its answer to the request was lost.', pod.name, rate(pod.costPerHour));
  }
}

/** The same in as few words as a row has room for. */
export function findingMark(finding: Finding, now: number): string {
  switch (finding.kind) {
    case 'past-limit':
      return l10n.t('past its limit ⚠');
    case 'stuck':
      return l10n.t('stuck ⚠');
    case 'orphan':
      return l10n.t('answer was lost ⚠');
    case 'unconfirmed':
      return finding.end.kind === 'stop' ? l10n.t('stop not confirmed {0} ⚠', shortTime(now - finding.since)) : l10n.t('delete not confirmed {0} ⚠', shortTime(now - finding.since));
  }
}

/** What is the matter with a stop or terminate that is not confirmed, where there is no room for how long. */
export const askWords = ({ kind }: Pick<PendingEnd, 'kind'>): string => (kind === 'stop' ? l10n.t('stop not confirmed') : l10n.t('delete not confirmed'));

/** How late a stop may be before it is said. */
export const PAST_MS = 2 * 60_000;

/** One line for the tooltip: who ends the pod, when, and how sure that is. */
export function guardLine(pod: Pod & WithGuard): string | undefined {
  const { guard } = pod;
  if (!guard) return undefined;
  switch (guard.kind) {
    case 'armed': {
      const verb = guard.at === 'stop' ? l10n.t('stops itself') : l10n.t('deletes itself');
      const when = [
        guard.endsAt === undefined ? undefined : guard.by === 'budget' ? l10n.t('when its budget is spent ({0})', localTime(guard.endsAt)) : l10n.t('at {0}', localTime(guard.endsAt)),
        guard.idleMinutes === undefined ? undefined : l10n.t('after {0} without use', longTime(guard.idleMinutes * 60_000)),
      ].filter(Boolean);
      const kept = guard.untilRestart ? l10n.t('until the container restarts; this editor arms it again') : l10n.t('also after a restart of its container');
      return `${verb} ${when.join(l10n.t(' or '))}, ${l10n.t('with this computer off too')} (${kept})${guard.state === 'refused' ? ` – ${l10n.t('RunPod refuses it the stop; it goes on trying')}` : ''}`;
    }
    case 'expected':
      return pod.ssh.direct ? l10n.t('made with a guard in its start command; not heard from yet') : l10n.t('made with a guard in its start command, which cannot be asked without direct SSH');
    case 'awaited':
      return pod.ssh.direct ? l10n.t('none yet: it is put on the pod as soon as SSH answers') : l10n.t('none: it can be put on the pod only over direct SSH, which there is not (yet)');
    case 'unarmed':
      return unarmedText(guard.why);
    case 'lifted':
      return l10n.t('lifted for this start');
    case 'none':
      return l10n.t('none');
    case 'unknown':
      return l10n.t('unknown: the pod has not been asked');
  }
}

/** Why a guard that is there cannot do its work. */
export function unarmedText(why: string): string {
  switch (why) {
    case 'refused':
      return l10n.t('on the pod, but RunPod does not let the pod’s own key stop it');
    case 'no-key':
      return l10n.t('on the pod, but RunPod gave the pod no key of its own');
    case 'no-tool':
      return l10n.t('on the pod, but its image has neither curl nor python3 nor GNU wget');
    case 'tls':
      return l10n.t('on the pod, but its image lacks the certificates to trust RunPod’s API');
    case 'unreachable':
      return l10n.t('on the pod, but RunPod’s API does not answer it');
    default:
      return l10n.t('on the pod, not sure yet whether it may stop it');
  }
}

/** `4 h then stop`, `until idle 30 min`, `until $5.00 are spent`. */
export function wishText(wish: GuardWish): string {
  const end = wish.atLimit === 'stop' ? l10n.t('then stop') : l10n.t('then delete');
  const parts = [
    wish.limitMinutes ? longTime(wish.limitMinutes * 60_000) : undefined,
    wish.idleMinutes ? untilIdle(wish.idleMinutes) : undefined,
    wish.budgetUsd ? l10n.t('until {0} are spent', money(wish.budgetUsd)) : undefined,
  ].filter((part) => part !== undefined);
  return `${parts.join(l10n.t(' or '))} ${end}`;
}

export type { GuardStanding };
