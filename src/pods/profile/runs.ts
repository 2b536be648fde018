import type { NamedProfile } from './asked';
import type { Profile } from './schema';

/** What a folder asks of its runs, and of the place that it has on a pod. */
export type RunWishes = Pick<Profile, 'destination' | 'results' | 'resultsWhileRunning' | 'afterRun'>;

const FIELDS = ['destination', 'results', 'resultsWhileRunning', 'afterRun'] as const;

/**
 * What a folder's profiles ask of a run on a pod: the profile that the pod was made from speaks, told by its name; where none
 * is called so, what all of them say alike.
 */
export function runWishes(profiles: readonly NamedProfile[], podName: string): RunWishes {
  const own = profileOf(profiles, podName);
  const speaking = own === undefined ? profiles : [own];
  const wishes: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const [first, ...others] = speaking.map(({ profile }) => profile[field]);
    if (first !== undefined && others.every((other) => JSON.stringify(other) === JSON.stringify(first))) wishes[field] = first;
  }
  return wishes;
}

/** The profile that a pod was made from, told by its name. */
export const profileOf = (profiles: readonly NamedProfile[], podName: string): NamedProfile | undefined =>
  profiles.find(({ key, profile }) => [key, profile.name].some((name) => name !== undefined && isNamed(podName, name)));

/** A number is added to the name of a pod where it is taken. */
const isNamed = (pod: string, name: string): boolean => pod === name || (pod.startsWith(`${name}-`) && /^\d+$/.test(pod.slice(name.length + 1)));
