import type { CreatePodRequest, Pod } from '../runpod/types';
import type { Candidate } from './candidates';
import { CREATE_MARK } from './createMark';
import { withoutGuard } from './guard/args';

/**
 * The request for another pod on the network volume of `pod`, with the same image, ports and environment, on the chosen
 * hardware. A network volume pins it to its data center.
 */
export function besideRequest(pod: Pod, name: string, { gpu, cpu, cloud }: Candidate, dataCenterId: string): CreatePodRequest {
  const mount = pod.mount?.kind === 'network' ? pod.mount : undefined;
  if (!mount) throw new TypeError(`Pod ${pod.id} has no network volume`);
  // What RunPod or a create of ours put there belongs to that one pod.
  const env = Object.fromEntries(Object.entries(pod.env).filter(([key]) => key !== CREATE_MARK && key !== 'PUBLIC_KEY' && !key.startsWith('RUNPOD_')));
  return {
    name,
    image: pod.image,
    ...(gpu ? { gpu } : {}),
    ...(cpu ? { cpu } : {}),
    cloud,
    ...(pod.diskGb === undefined ? {} : { disk: pod.diskGb }),
    mounts: { network: [{ volumeId: mount.volumeId, path: mount.path }] },
    dataCenterIds: [dataCenterId],
    ports: pod.ports,
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...withoutGuard(pod),
    ...(pod.registryId === undefined ? {} : { registry: pod.registryId }),
  };
}

/** `llama-ft-2`, then `llama-ft-3`: a name that no listed pod has. */
export function nameBeside(name: string, taken: ReadonlySet<string>): string {
  const [, stem = name] = /^(.*?)(?:-\d+)?$/.exec(name) ?? [];
  for (let n = 2; ; n++) if (!taken.has(`${stem}-${n}`)) return `${stem}-${n}`;
}
