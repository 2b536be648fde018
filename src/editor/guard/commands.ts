import { l10n, ProgressLocation, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { GuardOrder } from '../../pods/guard/onPod';
import type { GuardStanding, WithGuard } from '../../pods/guard/standing';
import { hasLimit, wishAmong, type GuardWish } from '../../pods/guard/wish';
import { ownEnd } from '../../pods/timeLeft';
import type { Pod } from '../../runpod/types';
import { choices, command, Targets } from '../commands/command';
import type { Parts } from '../parts';
import { localTime, longTime, shortTime } from '../words';
import { limitChoices, settleLimit } from './limitStep';
import { wishText } from './words';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';
import { withProgress } from '../progress';

/** What the commands give back: when the pod ends by itself, ISO, and by what. */
export interface LimitResult {
  readonly id: string;
  readonly endsAt?: string;
  readonly idleStopMinutes?: number;
}

const isRunning = (pod: Pod): boolean => pod.status === 'RUNNING';

/**
 * - `runpod.extendLimit(pod, { minutes })`: moves the end of this start; negative brings it nearer.
 * - `runpod.setLimit(pod, { timeLimitMinutes?, idleStopMinutes?, budgetUsd?, atLimit?, from? })`: for this start and the next ones;
 *   the time counts from now, or from the start with `from: 'start'`. 0 ends that rule.
 * - `runpod.liftLimit(pod, { confirmed? })`: nothing ends this start; the next one has its limits again.
 * Each resolves when the change is on the pod and its guard has taken it.
 */
export function registerLimitCommands(parts: Parts): Disposable[] {
  const targets = new Targets(parts.store);
  return [
    command('runpod.extendLimit', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Extend the limit of which pod?'), isRunning);
      const given = choices(options)?.['minutes'];
      const minutes = given === undefined ? await askMinutes(parts, pod) : Number(given);
      if (!Number.isFinite(minutes) || minutes === 0) throw new RangeError(l10n.t('extendLimit needs minutes, for example 120 or -30.'));
      return change(parts, pod, { extendSeconds: minutes * 60 });
    }),
    command('runpod.setLimit', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Set the limit of which pod?'), isRunning);
      const given = choices(options) ?? {};
      const from = given['from'] === 'start' ? 'start' : 'now';
      const wish = wishAmong(given) ?? (await askWish(pod));
      if (wish === undefined) return change(parts, pod, { lift: true });
      return change(parts, pod, { wish, from });
    }),
    command('runpod.liftLimit', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Lift the limit of which pod?'), isRunning);
      if (choices(options)?.['confirmed'] !== true) await confirmLift(pod);
      return change(parts, pod, { lift: true });
    }),
  ];
}

/** The change is on the pod before it is shown. */
async function change(parts: Parts, pod: Pod, order: GuardOrder): Promise<LimitResult> {
  const standing = await withProgress({ location: ProgressLocation.Window, title: l10n.t('Telling {0}…', pod.name) }, () => parts.guards.order(pod, order));
  notice.brief(said(pod, standing, order), 8000);
  return {
    id: pod.id,
    ...(standing?.kind === 'armed' && standing.endsAt !== undefined ? { endsAt: new Date(standing.endsAt).toISOString() } : {}),
    ...(standing?.kind === 'armed' && standing.idleMinutes !== undefined ? { idleStopMinutes: standing.idleMinutes } : {}),
  };
}

function said(pod: Pod, standing: GuardStanding | undefined, { wish, lift }: GuardOrder): string {
  if (lift || standing?.kind !== 'armed') return l10n.t('{0}: no limit for this start', pod.name);
  if (standing.endsAt !== undefined) return l10n.t('{0} ends at {1}', pod.name, localTime(standing.endsAt));
  return hasLimit(wish) ? `${pod.name}: ${wishText(wish)}` : pod.name;
}

async function askMinutes(parts: Parts, pod: Pod & WithGuard): Promise<number> {
  const end = ownEnd(pod);
  const left = end && Math.max(0, end.at - parts.now());
  const later = [30, 60, 120, 240, 480].map((minutes) => ({
    label: l10n.t('Extend {0}', longTime(minutes * 60_000)),
    description: end ? l10n.t('until {0}', localTime(Math.max(end.at, parts.now()) + minutes * 60_000)) : l10n.t('from now'),
    minutes,
  }));
  const sooner = [30, 60, 120].flatMap((minutes) =>
    end && left !== undefined && left > minutes * 60_000 ? [{ label: l10n.t('Shorten {0}', longTime(minutes * 60_000)), description: l10n.t('until {0}', localTime(end.at - minutes * 60_000)), minutes: -minutes }] : [],
  );
  const now = left === undefined ? l10n.t('It has no time limit now') : l10n.t('{0} left now', shortTime(left));
  const picked = await ask.oneOf([...later, ...sooner], { title: l10n.t('Extend Limit: {0}', pod.name), placeHolder: now });
  if (!picked) throw new CancelledError();
  return picked.minutes;
}

async function askWish(pod: Pod): Promise<GuardWish | undefined> {
  const items = limitChoices(pod.costPerHour, pod.mount !== undefined);
  const picked = await ask.oneOf(items, { title: l10n.t('Set Limit: {0}', pod.name), placeHolder: l10n.t('Counted from now, and for every start to come'), matchOnDescription: true });
  if (!picked?.value) throw new CancelledError();
  return settleLimit(picked.value, pod.costPerHour);
}

async function confirmLift(pod: Pod): Promise<void> {
  const lift = l10n.t('Lift Limit');
  const detail = l10n.t('Nothing ends it then until somebody stops it. Its next start has its limits again.');
  await notice.confirm(l10n.t('Lift the limit of {0} for this start?', pod.name), detail, lift);
}
