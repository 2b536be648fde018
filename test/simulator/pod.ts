import type { ImageKind, Machine, PublicPort } from './machine';
import type { PodLog } from './logs';

export type PodStatus = 'PROVISIONING' | 'STARTING' | 'RUNNING' | 'EXITED' | 'ERROR' | 'TERMINATED';
export type PodAction = 'start' | 'stop' | 'restart' | 'terminate';
export type Cloud = 'SECURE' | 'COMMUNITY';

export interface Mounts {
  readonly persistent?: { readonly size: number; readonly path: string };
  readonly network?: readonly { readonly volumeId: string; readonly path: string }[];
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What `PATCH` may change. */
export interface PodConfig {
  name: string;
  image: string;
  /** The raw stored start command: plain, or a JSON object with `entrypoint` and `cmd`. */
  args: string;
  /** Container disk, GB. */
  disk: number;
  mounts: Mounts;
  ports: readonly string[];
  env: Readonly<Record<string, string>>;
  registry: string | null;
}

export interface Pod extends PodConfig {
  readonly id: string;
  readonly gpu: { readonly id: string; readonly count: number } | undefined;
  readonly cpu: { readonly id: string; readonly vcpuCount: number; readonly memory: number } | undefined;
  readonly cloud: Cloud;
  readonly dataCenterId: string;
  readonly cudaVersion: string | null;
  readonly spot: boolean;
  /** USD per hour of compute while it is not stopped. */
  rate: number;
  readonly createdAt: number;
  /** The key that the platform puts into the pod's environment. */
  readonly key: string;
  /** The user name of the SSH proxy. */
  readonly proxyUser: string;
  readonly log: PodLog;
  status: PodStatus;
  locked: boolean;
  globalNetworking: boolean;
  startedAt: number | null;
  lastStatusChange: string;
  /** GPUs it found at its last start. */
  gpusFound: number;
  /** The mount path that the machine made, where it could not make the one asked for. */
  realMountPath: string | undefined;
  run: Run | undefined;
  /** Runs that are still being torn down; the next start waits for them. */
  ending: Promise<void>;
  /** Where the start before answered, with its port kept open when a stranger answers there. */
  formerAddress: Address | undefined;
}

/** One start of a pod, from the action to the next stop. */
export interface Run {
  readonly abort: AbortController;
  readonly ports: Map<number, PublicPort>;
  readonly proxyOnly: boolean;
  machine: Machine | undefined;
  /** Pod time at which it became RUNNING. */
  runningSince: number | undefined;
  /** Pod time from which the new address shows. */
  directFrom: number;
  /** Its sshd has been seen to listen. */
  sshListens: boolean;
}

/** Actions that the platform takes in this status. */
export function actionsOf(pod: Pick<Pod, 'status' | 'locked'>): PodAction[] {
  const byStatus: Record<PodStatus, PodAction[]> = {
    RUNNING: ['stop', 'restart', 'terminate'],
    EXITED: ['start', 'terminate'],
    ERROR: ['start', 'terminate'],
    PROVISIONING: ['stop', 'terminate'],
    STARTING: ['stop', 'terminate'],
    TERMINATED: [],
  };
  const actions = byStatus[pod.status];
  return pod.locked ? actions.filter((action) => action !== 'stop' && action !== 'restart') : actions;
}

/** Whether compute is billed. */
export const isBilled = (pod: Pick<Pod, 'status'>): boolean => pod.status !== 'EXITED' && pod.status !== 'TERMINATED' && pod.status !== 'ERROR';

/** Which conventions an image follows, told from its name. */
export function imageKind(image: string, overrides: Readonly<Record<string, ImageKind>>): ImageKind {
  for (const [part, kind] of Object.entries(overrides)) if (image.includes(part)) return kind;
  if (image.includes('busybox')) return 'busybox';
  if (image.includes('nosshd')) return 'no-sshd';
  if (image.includes('nofingerprints')) return 'no-fingerprints';
  if (image.includes('entrypoint')) return 'entrypoint';
  return image.startsWith('runpod/') ? 'official' : 'no-sshd';
}

/** `8888/http` as its parts; `undefined` for what is no port. */
export function parsePort(text: string): { readonly port: number; readonly protocol: 'http' | 'tcp' | 'udp' } | undefined {
  const match = /^(\d{1,5})\/(http|tcp|udp)$/.exec(text);
  const port = Number(match?.[1]);
  const protocol = match?.[2];
  if (!Number.isInteger(port) || port < 1 || (protocol !== 'http' && protocol !== 'tcp' && protocol !== 'udp')) return undefined;
  return { port, protocol };
}

/** Private ports that get a public TCP port of their own. */
export const tcpPorts = (pod: Pick<Pod, 'ports'>): number[] =>
  pod.ports.map(parsePort).flatMap((p) => (p?.protocol === 'tcp' ? [p.port] : []));

/** The mount that holds the pod's files, with the path a client must use. */
export function mountPathOf(pod: Pod): string | undefined {
  const asked = pod.mounts.persistent?.path ?? pod.mounts.network?.[0]?.path;
  return asked === undefined ? undefined : (pod.realMountPath ?? asked);
}
