import { createHash } from 'node:crypto';
import { l10n, workspace, type SecretStorage, type Uri } from 'vscode';
import type { Asked } from '../../pods/asked';
import { withinCap } from '../../pods/candidates';
import type { NamedProfile } from '../../pods/profile/asked';
import { requestFor } from '../../pods/profile/resolve';
import type { RunPodClient } from '../../runpod/client';
import type { FolderConsents } from './consent';
import type { ProfileDiagnostics } from './diagnostics';
import { podEnvironment } from './environment';
import { PROFILE_FILE, pickFolder, pickProfile, readFolder, type FolderProfiles } from './folder';
import { planOf, type Plan } from './plan';
import { problemWords } from './problemWords';

/** A folder's profile with what it comes to. */
export interface Made {
  readonly read: FolderProfiles;
  readonly named: NamedProfile;
  readonly plan: Plan;
}

/** The profile a command is about. @throws ProfileFileError; UntrustedFolderError; CancelledError */
export async function chosenProfile(at: Uri | undefined, wanted: string | undefined): Promise<Omit<Made, 'plan'>> {
  const read = await readFolder(await pickFolder(at));
  return { read, named: await pickProfile(read, wanted, problemWords) };
}

/** Holds it against catalog and account; what is found to be wrong with it is in the Problems panel. */
export async function madeOf(client: RunPodClient, { read, named }: Omit<Made, 'plan'>, diagnostics: ProfileDiagnostics): Promise<Made> {
  const plan = await planOf(client, named, read.folder.name);
  if (plan.problems.length > 0) await diagnostics.add(await workspace.openTextDocument(read.uri), plan.problems.map((p) => read.place(p)));
  return { read, named, plan };
}

/** @throws Error in words where something is wrong with it */
export function usable({ read, plan }: Made): void {
  const first = plan.problems[0];
  if (first) throw new Error(l10n.t('{0} cannot be used: {1}', PROFILE_FILE, problemWords(read.place(first))));
}

/** Tells one state of a profile from another, with the defaults that a devcontainer.json gave it. */
export const digestOf = (named: NamedProfile): string => createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, 32);

/** The same with no candidate above a cap, in USD per hour of compute. */
export function within(made: Made, cap: number | undefined): Made {
  const { resolved, rows } = made.plan;
  const { allowed } = withinCap(resolved.candidates, cap);
  return { ...made, plan: { ...made.plan, resolved: { ...resolved, candidates: allowed }, rows: rows.filter(({ candidate }) => allowed.includes(candidate)) } };
}

/**
 * The requests that a plan amounts to, after the person has agreed to what leaves this machine.
 * @throws Error in words where nothing is left to ask for; CancelledError; MissingValuesError
 */
export async function askedOf({ read: { folder }, named, plan }: Made, secrets: SecretStorage, consents: FolderConsents): Promise<Asked[]> {
  if (plan.rows.length === 0) {
    const cheapest = [...plan.refused].sort((a, b) => (a.candidate.perHour ?? Infinity) - (b.candidate.perHour ?? Infinity))[0];
    throw new Error(cheapest ? l10n.t('Everything this profile names costs more than its maxPricePerHour; the cheapest is {0} at ${1}/hr. Nothing was asked for.', cheapest.candidate.label, cheapest.candidate.perHour?.toFixed(2) ?? '?') : l10n.t('Nothing this profile names is rented by RunPod.'));
  }
  const env = await podEnvironment(folder, named, secrets, consents);
  return plan.resolved.candidates.map((candidate): Asked => ({
    request: requestFor(plan.resolved, candidate, named.profile, env),
    label: candidate.label,
    perHour: candidate.perHour,
    ...(plan.limits ? { limits: plan.limits } : {}),
    ...(named.profile.maxPricePerHour === undefined ? {} : { cap: named.profile.maxPricePerHour }),
    profile: { folder: folder.uri.toString(), ...(named.key === undefined ? {} : { key: named.key }), digest: digestOf(named) },
  }));
}
