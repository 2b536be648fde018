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
  /** `refused`: the host that was told instead of these, which cannot be a pod's. */
  readonly ssh: { readonly proxy?: SshEndpoint; readonly direct?: SshEndpoint; readonly refused?: string };
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

export type LogSource = 'container' | 'system';

export interface LogLine {
  /** The stream's own mark for this line; hand it back as `lastEventId` to read on after it. */
  readonly id: string;
  readonly at: Date;
  readonly source: LogSource;
  /** Without its line end; escape sequences of colours are left in. */
  readonly line: string;
}
