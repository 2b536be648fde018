/**
 * The domain as RunPod's API v2 tells it, in our words and units. Free of library imports, so that any room may import
 * it without cost. Optional means: not there, not applicable, or unreadable; `problems` tells the last apart.
 */

export type PodStatus = 'PROVISIONING' | 'STARTING' | 'RUNNING' | 'EXITED' | 'ERROR' | 'TERMINATED' | 'UNKNOWN';
export type PodAction = 'start' | 'stop' | 'restart' | 'terminate';
export type Cloud = 'SECURE' | 'COMMUNITY';

/** `persistent`: a disk on the pod's machine, gone when the pod is terminated. `network`: a volume that outlives it. */
export type PodMount =
  | { readonly kind: 'persistent'; readonly sizeGb: number; readonly path: string }
  | { readonly kind: 'network'; readonly volumeId: string; readonly path: string };

export interface SshEndpoint {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  /** The `ssh` invocation as RunPod writes it. For reading, never for a shell. */
  readonly command?: string;
}

export interface PodGpu {
  /** GPU type id of the catalog, for example `NVIDIA GeForce RTX 4090`. */
  readonly id: string;
  /** 0 when the pod came back without a GPU: its machine had none free. */
  readonly count: number;
  readonly vcpuCount?: number;
  readonly memoryGb?: number;
}

export interface PodCpu {
  readonly id: string;
  readonly vcpuCount: number;
  readonly memoryGb?: number;
}

export interface PodPort {
  /** The port inside the container. */
  readonly private: number;
  readonly public?: number;
  /** `http` (reached through RunPod's proxy) or `tcp`. */
  readonly type: string;
  readonly ip?: string;
}

export interface PodRuntime {
  readonly uptimeSeconds?: number;
  /** Percent, 0 to 100, one entry a GPU. */
  readonly gpus: { readonly util?: number; readonly memoryUtil?: number }[];
  /** Percent. */
  readonly cpuUtil?: number;
  /** Percent. */
  readonly memoryUtil?: number;
  readonly ports: PodPort[];
}

export interface PodCluster {
  readonly id: string;
  readonly rank?: number;
  readonly role?: string;
  readonly ip?: string;
}

export interface Pod {
  readonly id: string;
  /** The id where RunPod sent no readable name. */
  readonly name: string;
  readonly status: PodStatus;
  /** What RunPod says can be done now; derived from `status` where it does not say. */
  readonly actions: PodAction[];
  readonly image: string;
  /** The stored start command as RunPod keeps it: a plain string, or JSON with `entrypoint` and `cmd`. */
  readonly args: string;
  readonly cmd?: string[];
  readonly entrypoint?: string[];
  readonly diskGb?: number;
  readonly mount?: PodMount;
  /** For example `8888/http`, `22/tcp`. */
  readonly ports: string[];
  readonly env: Record<string, string>;
  readonly registryId?: string;
  readonly templateId?: string;
  readonly gpu?: PodGpu;
  readonly cpu?: PodCpu;
  readonly cloud?: Cloud;
  readonly dataCenterId?: string;
  readonly cudaVersion?: string;
  readonly ssh: { readonly proxy?: SshEndpoint; readonly direct?: SshEndpoint };
  readonly cluster?: PodCluster;
  /** USD per hour for compute; 0 when RunPod says so (a stopped pod), `undefined` when it cannot be read. */
  readonly costPerHour: number | undefined;
  /** RunPod refuses to stop or reset a locked pod. */
  readonly locked: boolean;
  readonly runtime?: PodRuntime;
  readonly createdAt?: Date;
  readonly startedAt?: Date;
  readonly globalNetworking?: { readonly enabled: boolean; readonly ip?: string; readonly internalDns?: string };
  /** Names of fields that cannot be read (or are missing, for `status` and `cost`), so that what is not here is not taken as absent. */
  readonly problems?: string[];
}

/** A row of the pod list that cannot be read. It may be a pod that bills, so it is never dropped. */
export interface UnreadablePod {
  readonly id?: string;
  readonly name?: string;
  /** What is wrong with the row, by field. */
  readonly problem: string;
  readonly raw: unknown;
}

export type PodRow = { readonly kind: 'pod'; readonly pod: Pod } | { readonly kind: 'unreadable'; readonly row: UnreadablePod };

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

export type Availability = 'NONE' | 'LOW' | 'MEDIUM' | 'HIGH';

/** The stock of one GPU type or CPU flavor in one data center; `id` and `name` are those of the other side. */
export interface Stock {
  readonly id: string;
  readonly name: string;
  readonly availability?: Availability;
}

export interface GpuType {
  /** What a create sends as `gpu.id`. */
  readonly id: string;
  readonly name: string;
  /** The family RunPod groups it under, for example `ADA_24`. */
  readonly pool?: string;
  readonly manufacturer?: string;
  /** Of one GPU. */
  readonly memoryGb?: number;
  readonly secure: boolean;
  readonly community: boolean;
  /** List price of one GPU in USD per hour; `undefined` where it is not offered or cannot be read. */
  readonly price: { readonly secure?: number; readonly community?: number };
  /** GPUs of the largest machine, no statement about stock. */
  readonly maxCount: { readonly secure?: number; readonly community?: number };
  /** Only when asked for. */
  readonly availability?: Availability;
  /** Only when asked for; empty means it is available nowhere. */
  readonly dataCenters?: Stock[];
  /** Only when asked for. */
  readonly cudaVersions?: { readonly version: string; readonly available: boolean }[];
}

export interface CpuType {
  /** What a create sends as `cpu.id`. */
  readonly id: string;
  readonly name: string;
  readonly group?: string;
  readonly vcpu: { readonly min?: number; readonly max?: number };
  readonly ramGbPerVcpu?: number;
  /** USD per hour for one vCPU on Secure Cloud. */
  readonly pricePerVcpu?: number;
  readonly availability?: Availability;
  readonly dataCenters?: Stock[];
}

export type VolumeType = 'STANDARD' | 'HIGH_PERFORMANCE';

export interface DataCenter {
  readonly id: string;
  readonly name: string;
  readonly region?: string;
  readonly globalNetwork: boolean;
  /** Empty: no network volumes there. */
  readonly networkVolumeTypes: VolumeType[];
  readonly compliance: string[];
  readonly gpuAvailability?: Stock[];
  readonly cpuAvailability?: Stock[];
}

export interface Template {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly args: string;
  readonly diskGb?: number;
  readonly mount?: PodMount;
  readonly ports: string[];
  readonly env: Record<string, string>;
  readonly registryId?: string;
  /** For serverless workers; a pod cannot be made from it. */
  readonly serverless: boolean;
  readonly public: boolean;
  readonly category?: string;
  readonly startSsh: boolean;
  readonly startJupyter: boolean;
  readonly allowedCudaVersions: string[];
}

export type TemplateSource = 'official' | 'verified' | 'community';

export interface NetworkVolume {
  readonly id: string;
  readonly name: string;
  readonly sizeGb?: number;
  readonly dataCenterId?: string;
  readonly type?: VolumeType;
}

export interface CreateNetworkVolumeRequest {
  readonly name: string;
  /** GB, 10 to 4096. */
  readonly size: number;
  readonly dataCenter: string;
  readonly type?: VolumeType;
}

/** What one pod cost in one span of time, in USD. An amount that cannot be read is `undefined`, never 0. */
export interface BillingRecord {
  readonly podId: string;
  readonly start: Date;
  /** Exclusive. */
  readonly end: Date;
  readonly total: number | undefined;
  readonly gpu?: number;
  readonly cpu?: number;
  readonly disk?: number;
}

export interface BillingQuery {
  readonly podId?: string;
  readonly bucketSize?: 'hour' | 'day' | 'week' | 'month' | 'year';
  readonly startTime?: Date;
  /** Exclusive. */
  readonly endTime?: Date;
  /** The last so many buckets; instead of the times. */
  readonly lastN?: number;
}

export interface Account {
  /** Credit left in USD. */
  readonly balance?: number;
  /** What the whole account burns now, in USD per hour. */
  readonly spendPerHour?: number;
}

export type LogSource = 'container' | 'system';

export interface LogLine {
  /** The stream's own mark for this line; hand it back as `lastEventId` to read on after it. */
  readonly id: string;
  readonly at: Date;
  readonly source: LogSource;
  /** Without its line end; escape sequences of colours are left in. */
  readonly line: string;
}
