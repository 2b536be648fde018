import type { VolumeType } from './catalogTypes';
import type { Cloud } from './podTypes';

/** Body of a create, in the API's own field names (sizes in GB). Exactly one of `gpu` and `cpu`; `image` or `templateId`. */
export interface CreatePodRequest {
  readonly name: string;
  readonly image?: string;
  readonly templateId?: string;
  readonly gpu?: {
    readonly id: string;
    /** Always sent: without it RunPod finds no machine. */
    readonly count: number;
    readonly allowedCudaVersions?: string[];
    readonly minCudaVersion?: string;
    readonly minRamPerGpu?: number;
    readonly minVcpuCountPerGpu?: number;
  };
  readonly cpu?: { readonly id: string; readonly vcpuCount: number };
  /** Container disk. */
  readonly disk?: number;
  readonly mounts?: MountsRequest;
  readonly ports?: string[];
  readonly env?: Record<string, string>;
  readonly args?: string;
  readonly cmd?: string[];
  readonly entrypoint?: string[];
  /** Registry credential id. */
  readonly registry?: string;
  readonly cloud?: Cloud;
  readonly dataCenterIds?: string[];
  readonly globalNetworking?: boolean;
  readonly startSsh?: boolean;
  readonly startJupyter?: boolean;
}

export interface MountsRequest {
  readonly persistent?: { readonly size: number; readonly path: string };
  readonly network?: { readonly volumeId: string; readonly path: string }[];
}

/** Body of a patch, in the API's own field names. `env` and `ports` replace what is there, whole. */
export interface UpdatePodRequest {
  readonly name?: string;
  readonly image?: string;
  readonly args?: string;
  readonly cmd?: string[];
  readonly entrypoint?: string[];
  readonly disk?: number;
  readonly ports?: string[];
  readonly env?: Record<string, string>;
  readonly registry?: string | null;
  readonly mounts?: MountsRequest;
  readonly locked?: boolean;
  readonly globalNetworking?: boolean;
  readonly templateId?: string;
}

export interface CreateNetworkVolumeRequest {
  readonly name: string;
  /** GB, 10 to 4096. */
  readonly size: number;
  readonly dataCenter: string;
  readonly type?: VolumeType;
}
