import type { PodMount } from './podTypes';

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
