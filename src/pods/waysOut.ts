import type { Cloud, CreatePodRequest, GpuType } from '../runpod/types';
import type { Asked } from './asked';
import { gpuCandidate, type Candidate } from './candidates';

/** What else may be asked for where nothing of what was is free. A network volume fixes its pod's data center and cloud. */

/** The same anywhere; undefined where that is what was asked already, or cannot be. */
export function inOtherDataCenters(asked: readonly Asked[]): readonly Asked[] | undefined {
  const pinned = (a: Asked): boolean => a.request.dataCenterIds !== undefined && a.request.mounts?.network === undefined;
  return asked.some(pinned) ? asked.map((a) => (pinned(a) ? { ...a, request: withoutPlaces(a.request) } : a)) : undefined;
}

/**
 * The same hardware in the cloud that was not asked, where that has it in stock. CPU pods are of Secure Cloud.
 * @param types what a cloud offers in pods of so many GPUs
 */
export async function inOtherCloud(asked: readonly Asked[], types: (cloud: Cloud, count: number) => Promise<readonly GpuType[]>): Promise<readonly Asked[] | undefined> {
  const tried = new Set(asked.map((a) => a.request.cloud ?? 'SECURE'));
  if (tried.size > 1 || asked.some((a) => a.request.mounts?.network)) return undefined;
  const cloud: Cloud = tried.has('SECURE') ? 'COMMUNITY' : 'SECURE';
  const found: Asked[] = [];
  for (const a of asked) {
    const { gpu } = a.request;
    if (!gpu) continue;
    const type = (await types(cloud, gpu.count)).find((t) => t.id === gpu.id);
    const candidate = type && gpuCandidate(type, cloud, gpu.count);
    if (candidate && candidate.stock !== 'NONE') found.push({ ...a, request: { ...withoutPlaces(a.request), cloud }, label: candidate.label, perHour: candidate.perHour });
  }
  return found.length > 0 ? found : undefined;
}

/** The same pod on hardware that was chosen instead. */
export function onHardware([first]: readonly Asked[], { gpu, cpu, cloud, label, perHour }: Candidate): readonly Asked[] {
  if (!first) return [];
  const { gpu: _gpu, cpu: _cpu, dataCenterIds, ...rest } = first.request;
  const pinned = rest.mounts?.network !== undefined && dataCenterIds ? { dataCenterIds } : {};
  return [{ ...first, request: { ...rest, ...pinned, cloud, ...(gpu ? { gpu } : {}), ...(cpu ? { cpu } : {}) }, label, perHour }];
}

function withoutPlaces({ dataCenterIds: _, ...rest }: CreatePodRequest): CreatePodRequest {
  return rest;
}
