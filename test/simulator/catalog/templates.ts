import type { Mounts } from '../pod';

export type TemplateSource = 'own' | 'official' | 'verified' | 'community';

export interface TemplateEntry {
  readonly id: string;
  name: string;
  image: string;
  args: string;
  disk: number;
  mounts: Pick<Mounts, 'persistent'>;
  ports: readonly string[];
  env: Readonly<Record<string, string>>;
  registry: string | null;
  serverless: boolean;
  public: boolean;
  category: 'CPU' | 'NVIDIA' | 'AMD';
  startSsh: boolean;
  startJupyter: boolean;
  allowedCudaVersions: readonly string[];
  readonly source: TemplateSource;
}

const base = {
  args: '',
  disk: 50,
  mounts: {},
  ports: ['8888/http', '22/tcp'],
  env: {},
  registry: null,
  serverless: false,
  public: true,
  category: 'NVIDIA',
  startSsh: true,
  startJupyter: true,
  allowedCudaVersions: [],
  source: 'official',
} as const;
const persistent = { persistent: { size: 20, path: '/workspace' } };

/** Templates that anyone can read; ids of the official ones are RunPod's. */
export const publicTemplates = (): TemplateEntry[] => [
  { ...base, id: 'runpod-torch-v280', name: 'Runpod Pytorch 2.8.0', image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404', mounts: persistent, allowedCudaVersions: ['12.8', '12.9', '13.0'] },
  { ...base, id: 'runpod-torch-v271', name: 'Runpod Pytorch 2.7.1', image: 'runpod/pytorch:1.0.2-cu1281-torch271-ubuntu2404', mounts: persistent },
  { ...base, id: 'runpod-torch-v260', name: 'Runpod Pytorch 2.6.0', image: 'runpod/pytorch:1.0.2-cu1281-torch260-ubuntu2204', mounts: persistent },
  { ...base, id: 'runpod-base-cpu', name: 'Runpod Ubuntu 22.04', image: 'runpod/base:1.0.2-ubuntu2204', category: 'CPU', disk: 20 },
  { ...base, id: 'runpod-base-cuda', name: 'Runpod CUDA 12.8.1', image: 'runpod/base:1.0.2-cuda1281-ubuntu2404' },
  { ...base, id: 'runpod-rocm-v643', name: 'Runpod Pytorch 2.8.0 ROCm 6.4.3', image: 'runpod/pytorch:1.0.2-rocm643-torch280-ubuntu2404', category: 'AMD' },
  { ...base, id: 'runpod-worker-vllm', name: 'Serverless vLLM', image: 'runpod/worker-v1-vllm:v2.11.0', ports: [], serverless: true, startSsh: false, startJupyter: false },
  { ...base, id: 'comfyui-verified', name: 'ComfyUI', image: 'runpod/comfyui:1.1.0-cuda12.8', ports: ['8188/http', '8888/http', '22/tcp'], mounts: persistent, source: 'verified' },
  { ...base, id: 'axolotl-community', name: 'Axolotl fine-tuning', image: 'axolotlai/axolotl-cloud:main-latest', mounts: persistent, source: 'community' },
];
