import type { Profile, ProfileSecret } from './schema';

/** Something of this machine that a profile would put on a pod. */
export interface Leaving {
  /** The variable on the pod. */
  readonly to: string;
  readonly from: 'environment' | 'secretStorage';
  /** Its name here. */
  readonly name: string;
  readonly required: boolean;
}

const REFERENCE = /\$\{(?:env|localEnv):([^}:]+)(?::([^}]*))?\}/g;

/** Everything of this machine that would leave it, by name and in a steady order. Secrets of the RunPod account do not. */
export function leavingOf(profile: Profile): Leaving[] {
  const fromEnv = Object.entries(profile.env ?? {}).flatMap(([to, value]) =>
    [...value.matchAll(REFERENCE)].map((m): Leaving => ({ to, from: 'environment', name: m[1] ?? '', required: m[2] === undefined })),
  );
  const fromSecrets = Object.entries(profile.secrets ?? {}).flatMap(([to, s]): Leaving[] => (s.from === 'runpod' ? [] : [{ to, from: s.from, name: s.name ?? to, required: s.required ?? true }]));
  return [...fromEnv, ...fromSecrets].sort((a, b) => a.name.localeCompare(b.name) || a.to.localeCompare(b.to));
}

/** How a value of this machine is found. Undefined when it is not there. */
export interface LocalValues {
  environment(name: string): string | undefined;
  secretStorage(name: string): Promise<string | undefined>;
}

/** Required values that are not there. */
export class MissingValuesError extends Error {
  override readonly name = 'MissingValuesError';
  constructor(readonly missing: readonly Leaving[]) {
    super(`Not there: ${missing.map((m) => m.name).join(', ')}`);
  }
}

/**
 * The pod's variables with everything filled in. Only to be called once the person has agreed to what leaves.
 * @throws MissingValuesError
 */
export async function environmentOf(profile: Profile, local: LocalValues): Promise<Record<string, string>> {
  const missing: Leaving[] = [];
  const env: Record<string, string> = {};
  for (const [to, value] of Object.entries(profile.env ?? {})) {
    env[to] = value.replace(REFERENCE, (_, name: string, otherwise: string | undefined) => {
      const found = local.environment(name) ?? otherwise;
      if (found === undefined) missing.push({ to, from: 'environment', name, required: true });
      return found ?? '';
    });
  }
  for (const [to, s] of Object.entries(profile.secrets ?? {})) {
    const value = await valueOf(to, s, local);
    if (value !== undefined) env[to] = value;
    else if (s.required ?? true) missing.push({ to, from: s.from === 'runpod' ? 'environment' : s.from, name: s.name ?? to, required: true });
  }
  if (missing.length > 0) throw new MissingValuesError(missing);
  return env;
}

async function valueOf(to: string, secret: ProfileSecret, local: LocalValues): Promise<string | undefined> {
  const name = secret.name ?? to;
  // Resolved by RunPod when the container starts; the value itself is never seen here.
  if (secret.from === 'runpod') return `{{ RUNPOD_SECRET_${name} }}`;
  return secret.from === 'environment' ? local.environment(name) : local.secretStorage(name);
}

/** The same with every value of this machine out of sight, for a plan that is shown or copied. */
export function environmentShown(profile: Profile): Record<string, string> {
  return {
    ...profile.env,
    ...Object.fromEntries(Object.entries(profile.secrets ?? {}).map(([to, s]) => [to, s.from === 'runpod' ? `{{ RUNPOD_SECRET_${s.name ?? to} }}` : `\${${s.from === 'environment' ? 'env' : 'secret'}:${s.name ?? to}}`])),
  };
}
