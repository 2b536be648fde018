import { withCudaFloor } from '../cuda';
import { DEFAULT_CPU_DISK_GB, DEFAULT_CPU_IMAGE, DEFAULT_DISK_GB, DEFAULT_IMAGE, DEFAULT_MOUNT_PATH } from '../request';
import { cpuCandidate, gpuCandidates, withinCap, type Candidate, type Catalog, type RefusedCandidate } from '../candidates';
import { nearestNames } from '../gpuChoice';
import type { CreatePodRequest, NetworkVolume, Template } from '../../runpod/types';
import type { PlacelessProblem, ProfilePath } from './problems';
import { cloudsOf, cpuOf, gpuChoicesOf, type NamedProfile } from './asked';
import type { Profile } from './schema';

/** What a profile is held against: the catalog and the account, as they are now. */
export interface Account {
  readonly catalog: Catalog;
  readonly volumes: readonly NetworkVolume[];
  readonly dataCenterIds: readonly string[];
  /** The template the profile names, where it could be read. */
  readonly template?: Template;
  /** False when RunPod says that there is no such template. */
  readonly templateFound?: boolean;
}

/** A profile turned into what can be asked of RunPod. */
export interface Resolved {
  readonly name: string;
  /** In the order to try them. */
  readonly candidates: readonly Candidate[];
  readonly refused: readonly RefusedCandidate[];
  /** The create body without hardware and cloud, which each candidate brings. */
  readonly base: Omit<CreatePodRequest, 'gpu' | 'cpu' | 'cloud' | 'env'>;
  readonly volume?: NetworkVolume;
  readonly problems: readonly PlacelessProblem[];
}

/** The disks a pod of this profile would have, in GB, with what a template brings. */
export interface Disks {
  readonly containerGb: number;
  readonly volumeGb: number;
  readonly networkGb: number;
}

/** Holds a profile against the catalog. Problems are told with their paths; there may be candidates all the same. */
export function resolveProfile({ key, profile }: NamedProfile, account: Account, folderName: string): Resolved {
  const at = (field: keyof Profile): ProfilePath => (key === undefined ? [field] : ['profiles', key, field]);
  const problems: PlacelessProblem[] = [];
  const { catalog } = account;

  const volume = volumeOf(profile, account, at('networkVolume'), problems);
  for (const id of profile.dataCenterIds ?? [])
    if (account.dataCenterIds.length > 0 && !account.dataCenterIds.includes(id)) problems.push({ code: 'unknown-data-center', path: at('dataCenterIds'), detail: id, permitted: account.dataCenterIds });
  if (volume?.dataCenterId !== undefined && profile.dataCenterIds && !profile.dataCenterIds.includes(volume.dataCenterId))
    problems.push({ code: 'volume-elsewhere', path: at('dataCenterIds'), detail: volume.name, permitted: [volume.dataCenterId] });
  if (account.templateFound === false) problems.push({ code: 'unknown-template', path: at('templateId'), detail: profile.templateId ?? '' });

  const dataCenterIds = volume?.dataCenterId === undefined ? (profile.dataCenterIds ?? []) : [volume.dataCenterId];
  const candidates = profile.cpu === undefined ? gpus() : cpus();
  const { allowed, refused } = withinCap(candidates, profile.maxPricePerHour);
  return { name: profile.name ?? (key === undefined ? folderName : key), candidates: allowed, refused, base: baseOf(profile, volume, dataCenterIds, folderName, key), ...(volume ? { volume } : {}), problems };

  function gpus(): Candidate[] {
    const found = gpuCandidates({ choices: gpuChoicesOf(profile), count: profile.gpuCount ?? 1, clouds: cloudsOf(profile), dataCenterIds }, catalog);
    const known = [...new Map([...catalog.secure, ...catalog.community].map((t) => [t.id, t])).values()];
    const list = Array.isArray(profile.gpu);
    for (const text of found.unknown) {
      // A name of the catalog that the chosen cloud alone does not have is no misspelling.
      if (gpuCandidates({ choices: [text], count: 1, clouds: ['SECURE', 'COMMUNITY'] }, catalog).unknown.length > 0)
        problems.push({ code: 'unknown-gpu', path: list ? [...at('gpu'), gpuChoicesOf(profile).indexOf(text)] : at('gpu'), detail: text, permitted: nearestNames(text, known) });
    }
    return found.candidates;
  }

  function cpus(): Candidate[] {
    const cpu = cpuOf(profile);
    const found = cpu && cpuCandidate(cpu, catalog, dataCenterIds);
    if (!cpu || !found) {
      problems.push({ code: 'unknown-cpu', path: at('cpu'), detail: cpu?.id ?? '', permitted: catalog.cpus.map((c) => c.id) });
      return [];
    }
    if (cpu.memoryGb !== undefined && found.memoryGb !== undefined && cpu.memoryGb !== found.memoryGb)
      problems.push({ code: 'cpu-memory', path: at('cpu'), limit: found.memoryGb, permitted: [`${cpu.id}-${cpu.vcpuCount}-${found.memoryGb}`] });
    return [found];
  }
}

function volumeOf(profile: Profile, account: Account, path: ProfilePath, problems: PlacelessProblem[]): NetworkVolume | undefined {
  const wanted = profile.networkVolume;
  if (wanted === undefined) return undefined;
  const byId = account.volumes.find((v) => v.id === wanted);
  const named = account.volumes.filter((v) => v.name === wanted);
  const found = byId ?? (named.length === 1 ? named[0] : undefined);
  // Names are not unique: of two with the same one, only the id says which.
  if (!found) problems.push({ code: 'unknown-volume', path, detail: wanted, permitted: named.length > 1 ? named.map((v) => v.id) : account.volumes.map((v) => v.name) });
  return found;
}

function baseOf(profile: Profile, volume: NetworkVolume | undefined, dataCenterIds: readonly string[], folderName: string, key: string | undefined): Resolved['base'] {
  const cpu = profile.cpu !== undefined;
  const path = profile.mountPath ?? DEFAULT_MOUNT_PATH;
  const ownDefaults = profile.templateId === undefined;
  const disk = profile.disk ?? (ownDefaults ? (cpu ? DEFAULT_CPU_DISK_GB : DEFAULT_DISK_GB) : undefined);
  return {
    name: profile.name ?? key ?? folderName,
    ...(profile.templateId === undefined ? { image: profile.image ?? (cpu ? DEFAULT_CPU_IMAGE : DEFAULT_IMAGE) } : { templateId: profile.templateId }),
    ...(disk === undefined ? {} : { disk }),
    ...(volume ? { mounts: { network: [{ volumeId: volume.id, path }] } } : profile.volume === undefined ? {} : { mounts: { persistent: { size: profile.volume, path } } }),
    ...(profile.ports === undefined ? {} : { ports: [...profile.ports] }),
    ...(profile.args === undefined ? {} : { args: profile.args }),
    ...(profile.registry === undefined ? {} : { registry: profile.registry }),
    ...(profile.startJupyter === undefined ? {} : { startJupyter: profile.startJupyter }),
    ...(dataCenterIds.length === 0 ? {} : { dataCenterIds: [...dataCenterIds] }),
  };
}

/** The create body for one candidate. */
export function requestFor(resolved: Pick<Resolved, 'base'>, candidate: Candidate, profile: Profile, env: Readonly<Record<string, string>>): CreatePodRequest {
  const { gpu, cpu, cloud } = candidate;
  return withCudaFloor({
    ...resolved.base,
    cloud,
    ...(gpu
      ? {
          gpu: {
            ...gpu,
            ...(profile.minCudaVersion === undefined ? {} : { minCudaVersion: profile.minCudaVersion }),
            ...(profile.minRamPerGpu === undefined ? {} : { minRamPerGpu: profile.minRamPerGpu }),
            ...(profile.minVcpuPerGpu === undefined ? {} : { minVcpuCountPerGpu: profile.minVcpuPerGpu }),
          },
        }
      : {}),
    ...(cpu ? { cpu } : {}),
    ...(Object.keys(env).length > 0 ? { env: { ...env } } : {}),
  });
}

/** @param template what `templateId` copies */
export function disksOf(resolved: Pick<Resolved, 'base' | 'volume'>, cpu: boolean, template?: Template): Disks {
  const { disk, mounts } = resolved.base;
  const fromTemplate = mounts === undefined && !cpu && template?.mount?.kind === 'persistent' ? template.mount.sizeGb : 0;
  return { containerGb: disk ?? template?.diskGb ?? 0, volumeGb: mounts?.persistent?.size ?? fromTemplate, networkGb: resolved.volume?.sizeGb ?? 0 };
}
