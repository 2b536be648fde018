import { l10n } from 'vscode';
import type { RefusedCandidate } from '../../pods/candidates';
import { cudaOfImage } from '../../pods/cuda';
import { DEFAULT_IMAGE } from '../../pods/request';
import { costOf, type Cost } from '../../pods/profile/cost';
import { environmentShown, leavingOf, type Leaving } from '../../pods/profile/environment';
import { limitsOf, type ProfileLimits } from '../../pods/profile/limits';
import type { PlacelessProblem } from '../../pods/profile/problems';
import { cloudsOf, type NamedProfile } from '../../pods/profile/asked';
import { disksOf, requestFor, resolveProfile, type Disks, type Resolved } from '../../pods/profile/resolve';
import type { Candidate } from '../../pods/candidates';
import type { RunPodClient } from '../../runpod/client';
import { RunPodError } from '../../runpod/errors';
import type { CreatePodRequest, Template } from '../../runpod/types';

/** What would be created and what it would cost, before anything is bought. */
export interface Plan {
  readonly key: string | undefined;
  readonly name: string;
  readonly resolved: Resolved;
  readonly rows: readonly { readonly candidate: Candidate; readonly cost: Cost }[];
  readonly refused: readonly RefusedCandidate[];
  readonly disks: Disks;
  readonly limits: ProfileLimits | undefined;
  readonly leaving: readonly Leaving[];
  /** The create body for the first candidate, with what is secret out of sight. */
  readonly request: CreatePodRequest | undefined;
  readonly setup: string | undefined;
  readonly problems: readonly PlacelessProblem[];
}

/** Holds a profile against catalog and account; nothing is created. */
export async function planOf(client: RunPodClient, named: NamedProfile, folderName: string): Promise<Plan> {
  const { profile } = named;
  const count = profile.gpuCount ?? 1;
  const floor = profile.minCudaVersion ?? (profile.templateId === undefined ? cudaOfImage(profile.image ?? DEFAULT_IMAGE) : undefined);
  const cuda = floor === undefined ? {} : { minCudaVersion: floor };
  const clouds = cloudsOf(profile);
  const gpus = profile.cpu === undefined;
  const [secure, community, cpus, volumes, dataCenters, template] = await Promise.all([
    gpus && clouds.includes('SECURE') ? client.catalog.gpus({ availability: { cloud: 'SECURE', count, ...cuda } }) : [],
    gpus && clouds.includes('COMMUNITY') ? client.catalog.gpus({ availability: { cloud: 'COMMUNITY', count, ...cuda } }) : [],
    gpus ? [] : client.catalog.cpus({ availability: {} }),
    profile.networkVolume === undefined ? [] : client.networkVolumes.list(),
    profile.dataCenterIds === undefined ? [] : client.catalog.dataCenters(),
    profile.templateId === undefined ? undefined : templateOf(client, profile.templateId),
  ]);
  const found = template === 'unknown' ? undefined : template;
  const resolved = resolveProfile(named, { catalog: { secure, community, cpus }, volumes, dataCenterIds: dataCenters.map((d) => d.id), ...(found ? { template: found } : {}), ...(template === 'unknown' ? { templateFound: false } : {}) }, folderName);
  const disks = disksOf(resolved, !gpus, found);
  const limits = limitsOf(profile);
  const first = resolved.candidates[0];
  return {
    key: named.key,
    name: resolved.name,
    resolved,
    rows: resolved.candidates.map((candidate) => ({ candidate, cost: costOf(candidate.perHour, disks, limits?.limitMinutes) })),
    refused: resolved.refused,
    disks,
    limits,
    leaving: leavingOf(profile),
    request: first && requestFor(resolved, first, profile, environmentShown(profile)),
    setup: profile.setup,
    problems: resolved.problems,
  };
}

async function templateOf(client: RunPodClient, id: string): Promise<Template | 'unknown'> {
  try {
    return await client.templates.get(id);
  } catch (error) {
    if (error instanceof RunPodError && error.code === 'not-found') return 'unknown';
    throw error;
  }
}

/** What becomes of the data, and of the bill, when the pod stops and when it is terminated. */
export function endings({ disks, resolved }: Pick<Plan, 'disks' | 'resolved'>, words: { rate: (usd: number) => string; money: (usd: number) => string }, stoppedPerHour: number, networkPerMonth: number): { readonly stop: string; readonly terminate: string } {
  const path = resolved.base.mounts?.persistent?.path ?? resolved.base.mounts?.network?.[0]?.path ?? '/workspace';
  if (resolved.volume)
    return {
      stop: l10n.t('{0} is network volume {1} and is kept; it goes on billing {2} a month. Everything else is lost.', path, resolved.volume.name, words.money(networkPerMonth)),
      terminate: l10n.t('The pod is deleted; network volume {0} with {1} is kept.', resolved.volume.name, path),
    };
  if (disks.volumeGb > 0)
    return {
      stop: l10n.t('{0} ({1} GB) is kept at {2}. Everything else on its disk is lost, and its GPU may be gone when it is started again.', path, disks.volumeGb, words.rate(stoppedPerHour)),
      terminate: l10n.t('{0} and everything else are deleted and cannot be recovered.', path),
    };
  return { stop: l10n.t('It has no volume: everything on it is lost.'), terminate: l10n.t('Everything is deleted and cannot be recovered.') };
}
