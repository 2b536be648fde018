import { parseCpu } from '../candidates';
import type { Profile } from './schema';

/** One profile with everything it inherits. */
export interface NamedProfile {
  /** Its name in `profiles`; undefined for the one profile of a file without several. */
  readonly key: string | undefined;
  readonly profile: Profile;
}

/** The clouds in the order to try them. */
export const cloudsOf = (profile: Pick<Profile, 'cloud'>): readonly ('SECURE' | 'COMMUNITY')[] =>
  profile.cloud === undefined ? ['SECURE'] : typeof profile.cloud === 'string' ? [profile.cloud] : [...new Set(profile.cloud)];

export const gpuChoicesOf = (profile: Pick<Profile, 'gpu'>): readonly string[] => (profile.gpu === undefined ? [] : typeof profile.gpu === 'string' ? [profile.gpu] : profile.gpu);

/** The CPU that a profile names, in either form; undefined when it names none. */
export function cpuOf(profile: Pick<Profile, 'cpu'>): { readonly id: string; readonly vcpuCount: number; readonly memoryGb?: number } | undefined {
  if (profile.cpu === undefined) return undefined;
  return typeof profile.cpu === 'string' ? parseCpu(profile.cpu) : { id: profile.cpu.flavor, vcpuCount: profile.cpu.vcpus };
}
