import type { Pod } from '../../runpod/types';

/** What happens when a limit is reached. */
export type AtLimit = 'stop' | 'terminate';

/** The limits that a person wants for a pod: for each of its starts anew. */
export interface GuardWish {
  /** Minutes from a start. */
  readonly limitMinutes?: number;
  /** Minutes without use. */
  readonly idleMinutes?: number;
  /** USD of compute in one start. */
  readonly budgetUsd?: number;
  readonly atLimit: AtLimit;
}

/** The variable that carries the wish with the pod, so that any editor of the account can arm its guard again. */
export const GUARD_VARIABLE = 'RUNPOD_WORKSPACES_GUARD';

/** Budgets travel in ten-thousandths of a dollar: shells count in whole numbers. */
export const BUDGET_UNIT = 10_000;

/** Whether there is anything to keep. */
export const hasLimit = (wish: GuardWish | undefined): wish is GuardWish =>
  wish !== undefined && ((wish.limitMinutes ?? 0) > 0 || (wish.idleMinutes ?? 0) > 0 || (wish.budgetUsd ?? 0) > 0);

/** The wish as the guard's own words: `limit=14400 idle=1800 budget=50000 at=stop`. */
export function wishWords(wish: GuardWish): string[] {
  return [
    ...(wish.limitMinutes === undefined ? [] : [`limit=${Math.round(wish.limitMinutes * 60)}`]),
    ...(wish.idleMinutes === undefined ? [] : [`idle=${Math.round(wish.idleMinutes * 60)}`]),
    ...(wish.budgetUsd === undefined ? [] : [`budget=${Math.round(wish.budgetUsd * BUDGET_UNIT)}`]),
    `at=${wish.atLimit}`,
  ];
}

/** Reads such words back; `undefined` where there is no limit among them. */
export function readWish(text: string): GuardWish | undefined {
  const number = (name: string): number | undefined => {
    const found = new RegExp(`(?:^|\\s)${name}=(\\d+)(?=\\s|$)`).exec(text)?.[1];
    return found === undefined || Number(found) === 0 ? undefined : Number(found);
  };
  const [limit, idle, budget] = [number('limit'), number('idle'), number('budget')];
  const wish: GuardWish = {
    ...(limit === undefined ? {} : { limitMinutes: limit / 60 }),
    ...(idle === undefined ? {} : { idleMinutes: idle / 60 }),
    ...(budget === undefined ? {} : { budgetUsd: budget / BUDGET_UNIT }),
    atLimit: /(?:^|\s)at=terminate(?=\s|$)/.test(text) ? 'terminate' : 'stop',
  };
  return hasLimit(wish) ? wish : undefined;
}

/** The wish that a pod was made with, as far as it shows. */
export const wishOf = (pod: Pick<Pod, 'env'>): GuardWish | undefined => readWish(pod.env[GUARD_VARIABLE] ?? '');

const MOST_MINUTES = 60 * 24 * 365;

/**
 * The wish among the choices of a command: `timeLimitMinutes`, `idleStopMinutes`, `budgetUsd`, `atLimit`.
 * @returns `undefined` where none of them is given
 * @throws RangeError naming the field and what it may be
 */
export function wishAmong(given: Readonly<Record<string, unknown>>): GuardWish | undefined {
  const number = (name: string, most: number): number | undefined => {
    const value = given[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > most) throw new RangeError(`${name} must be a number from 0 to ${most}`);
    return value;
  };
  const limitMinutes = number('timeLimitMinutes', MOST_MINUTES);
  const idleMinutes = number('idleStopMinutes', MOST_MINUTES);
  const budgetUsd = number('budgetUsd', 1_000_000);
  const at = given['atLimit'];
  if (at !== undefined && at !== 'stop' && at !== 'terminate') throw new RangeError('atLimit must be "stop" or "terminate"');
  if (limitMinutes === undefined && idleMinutes === undefined && budgetUsd === undefined && at === undefined) return undefined;
  if (idleMinutes !== undefined && idleMinutes > 0 && idleMinutes < 5) throw new RangeError('idleStopMinutes must be 5 or more, or 0 for never');
  return {
    ...(limitMinutes === undefined ? {} : { limitMinutes }),
    ...(idleMinutes === undefined ? {} : { idleMinutes }),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    atLimit: at ?? 'stop',
  };
}

/** The choices that are the wish's own, which RunPod's create does not know. */
export const WISH_FIELDS = ['timeLimitMinutes', 'idleStopMinutes', 'budgetUsd', 'atLimit'] as const;
