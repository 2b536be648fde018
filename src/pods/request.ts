import type { CreatePodRequest } from '../runpod/types';

/** RunPod's own PyTorch image, known to follow the SSH conventions (no `latest` tag is published). */
export const DEFAULT_IMAGE = 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404';
/** RunPod's own image without CUDA libraries, for CPU pods. */
export const DEFAULT_CPU_IMAGE = 'runpod/base:1.0.2-ubuntu2404';
export const DEFAULT_MOUNT_PATH = '/workspace';
/** CPU pods take a small container disk only. */
export const DEFAULT_CPU_DISK_GB = 20;
export const DEFAULT_DISK_GB = 50;

export type StorageChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'volume'; readonly sizeGb: number }
  | { readonly kind: 'network'; readonly volumeId: string; readonly dataCenter: string };

export interface CreateChoices {
  readonly name: string;
  readonly gpu?: { readonly id: string; readonly count: number };
  readonly cpu?: { readonly id: string; readonly vcpuCount: number };
  readonly cloud: 'SECURE' | 'COMMUNITY';
  readonly image?: string;
  readonly templateId?: string;
  readonly storage: StorageChoice;
}

/** The create request that a person's choices amount to. A network volume pins the pod to its data center. */
export function requestFrom(choices: CreateChoices): CreatePodRequest {
  const { storage } = choices;
  return {
    name: choices.name,
    ...(choices.templateId ? { templateId: choices.templateId } : { image: choices.image ?? (choices.cpu ? DEFAULT_CPU_IMAGE : DEFAULT_IMAGE) }),
    ...(choices.gpu ? { gpu: choices.gpu } : {}),
    ...(choices.cpu ? { cpu: choices.cpu } : {}),
    cloud: choices.cloud,
    ...(choices.templateId ? {} : { disk: choices.cpu ? DEFAULT_CPU_DISK_GB : DEFAULT_DISK_GB, ports: ['8888/http', '22/tcp'] }),
    ...(storage.kind === 'volume' ? { mounts: { persistent: { size: storage.sizeGb, path: DEFAULT_MOUNT_PATH } } } : {}),
    ...(storage.kind === 'network'
      ? { mounts: { network: [{ volumeId: storage.volumeId, path: DEFAULT_MOUNT_PATH }] }, dataCenterIds: [storage.dataCenter] }
      : {}),
  };
}
