import { sleep } from '../base/time';
import { RunPodError } from '../runpod/errors';
import type { CreateNetworkVolumeRequest, NetworkVolume } from '../runpod/types';

export interface VolumesApi {
  list(): Promise<NetworkVolume[]>;
  create(request: CreateNetworkVolumeRequest): Promise<NetworkVolume>;
}

/** GB; what RunPod takes for a network volume. */
export const VOLUME_LIMITS = { least: 10, most: 4096 } as const;

/** A volume whose create was not answered and which was not found by looking for it. It may exist and bill. */
export class VolumeUncertainError extends Error {
  override readonly name = 'VolumeUncertainError';
  constructor(
    readonly volumeName: string,
    cause: unknown,
  ) {
    super(`No answer to the create of ${volumeName}, and no such volume was seen`, { cause });
  }
}

/**
 * Creates one network volume, once. When the answer is lost, it is the volume that was not there before with this name,
 * size and data center; volumes carry no mark of ours.
 * @throws RunPodError when refused; VolumeUncertainError when nobody can say
 */
export async function createVolume(api: VolumesApi, request: CreateNetworkVolumeRequest, looks: { readonly count: number; readonly everyMs: number } = { count: 5, everyMs: 3000 }): Promise<NetworkVolume> {
  const before = new Set((await api.list()).map((v) => v.id));
  try {
    return await api.create(request);
  } catch (error) {
    if (!(error instanceof RunPodError) || !error.maybeDone) throw error;
    for (let look = 0; look < looks.count; look++) {
      await sleep(looks.everyMs);
      const now = await api.list().catch((): NetworkVolume[] => []);
      const found = now.find((v) => !before.has(v.id) && v.name === request.name && v.sizeGb === request.size && v.dataCenterId === request.dataCenter);
      if (found) return found;
    }
    throw new VolumeUncertainError(request.name, error);
  }
}
