import { commandLine } from './command';
import type { MachineSpec } from './machine';
import { imageKind, type Pod, type Run } from './pod';
import type { World } from './world';

/** What a start of a pod needs beside the pod itself. */
export interface StartDetails {
  readonly volumeDir: string | undefined;
  readonly apiPort: number;
  /** Wall time. */
  readonly sshDelayMs: number;
}

/** The computer that a pod gets at this start. */
export function machineSpec(world: World, pod: Pod, run: Run, details: StartDetails): MachineSpec {
  const { settings } = world;
  const network = pod.mounts.network?.[0];
  const share = shareOf(world, pod);
  return {
    ...details,
    id: pod.id,
    hostname: pod.id,
    image: imageKind(pod.image, settings.imageKinds),
    args: commandLine(pod.args),
    env: environment(world, pod, run),
    mountPath: network?.path ?? pod.mounts.persistent?.path,
    networkVolume: network !== undefined,
    gpuCount: pod.gpusFound,
    gpuName: pod.gpu?.id ?? '',
    vcpuCount: share.vcpuCount,
    memoryGb: share.memoryGb,
    chatterLines: settings.chatterLines,
    volumeQuotaBytes: settings.volumeQuotaBytes === 0 ? undefined : settings.volumeQuotaBytes,
  };
}

/** A pod of someone else's. It would let the account in: only its host key tells it apart. */
export function strangerSpec(world: World, apiPort: number): MachineSpec {
  const inPods = [...world.pods.values()].flatMap((pod) => (pod.env['PUBLIC_KEY'] ?? '').split('\n'));
  const accepted = [...new Set([...world.account.sshKeys, ...inPods])].filter((key) => key !== '');
  return {
    id: 'another-tenant',
    hostname: 'another-tenant',
    image: 'official',
    args: '',
    env: { PUBLIC_KEY: accepted.join('\n'), RUNPOD_POD_ID: 'another-tenant' },
    volumeDir: undefined,
    mountPath: undefined,
    networkVolume: false,
    gpuCount: 1,
    gpuName: 'NVIDIA GeForce RTX 3090',
    vcpuCount: 8,
    memoryGb: 30,
    apiPort,
    sshDelayMs: 0,
    chatterLines: 0,
    volumeQuotaBytes: undefined,
  };
}

function shareOf(world: World, pod: Pod): { vcpuCount: number; memoryGb: number } {
  const model = pod.gpu === undefined ? undefined : world.stock.gpu(pod.gpu.id);
  // A pod that came back without its GPU gets as little of the rest as one GPU brings.
  const gpus = Math.max(1, pod.gpusFound);
  return {
    vcpuCount: pod.cpu?.vcpuCount ?? (model?.vcpuPerGpu ?? 4) * gpus,
    memoryGb: pod.cpu?.memory ?? (model?.ramPerGpu ?? 16) * gpus,
  };
}

/** The pod's own variables with the platform's over them: a key of the user's is shadowed by the pod's. */
function environment(world: World, pod: Pod, run: Run): Record<string, string> {
  const env: Record<string, string> = Object.fromEntries(Object.entries(pod.env).map(([name, value]) => [name, withSecrets(world, value)]));
  Object.assign(env, {
    RUNPOD_POD_ID: pod.id,
    RUNPOD_API_KEY: pod.key,
    RUNPOD_DC_ID: pod.dataCenterId,
    RUNPOD_POD_HOSTNAME: pod.proxyUser,
    RUNPOD_GPU_COUNT: String(pod.gpusFound),
    RUNPOD_CPU_COUNT: String(shareOf(world, pod).vcpuCount),
  });
  const network = pod.mounts.network?.[0];
  if (network !== undefined) env['RUNPOD_VOLUME_ID'] = network.volumeId;
  for (const [privatePort, port] of run.ports) {
    env['RUNPOD_PUBLIC_IP'] = port.host;
    env[`RUNPOD_TCP_PORT_${privatePort}`] = String(port.port);
  }
  const torch = /torch(\d)(\d)(\d)/.exec(pod.image);
  if (torch !== null) env['PYTORCH_VERSION'] = torch.slice(1, 4).join('.');
  if (/cu(?:da)?1281/.test(pod.image)) env['CUDA_VERSION'] = '12.8.1';
  return env;
}

/** Secrets are filled in at boot; one that does not exist stays as it is written. */
function withSecrets(world: World, value: string): string {
  const secrets = [...world.secrets.values()];
  return value.replace(/\{\{\s*RUNPOD_SECRET_([A-Za-z0-9_.\-/]+)\s*\}\}/g, (whole, name: string) => secrets.find((secret) => secret.name === name)?.value ?? whole);
}
