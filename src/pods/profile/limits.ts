import { minutesOf } from './duration';
import type { Profile } from './schema';

/** What a profile says about the pod's end; the guard's own terms. */
export interface ProfileLimits {
  readonly limitMinutes?: number;
  readonly idleMinutes?: number;
  /** USD of compute in one start. */
  readonly budgetUsd?: number;
  readonly atLimit: 'stop' | 'terminate';
}

/** Undefined for a profile without any limit. */
export function limitsOf(profile: Profile): ProfileLimits | undefined {
  const limitMinutes = profile.timeLimit === undefined ? undefined : minutesOf(profile.timeLimit);
  const idleMinutes = profile.idleStop === undefined ? undefined : minutesOf(profile.idleStop);
  if (limitMinutes === undefined && idleMinutes === undefined && profile.budget === undefined) return undefined;
  return {
    ...(limitMinutes === undefined ? {} : { limitMinutes }),
    ...(idleMinutes === undefined ? {} : { idleMinutes }),
    ...(profile.budget === undefined ? {} : { budgetUsd: profile.budget }),
    atLimit: profile.atLimit ?? 'stop',
  };
}
