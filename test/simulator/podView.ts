import { execForm } from './command';
import { wholeSeconds } from './logs';
import { computeRate } from './meter';
import { actionsOf, mountPathOf, parsePort, type Address, type Mounts, type Pod } from './pod';
import type { World } from './world';

/** Where the SSH proxy of the simulated RunPod listens. */
export type ProxyAddress = Address;

/** The pod as the API shows it now. */
export function podView(world: World, pod: Pod, proxy: ProxyAddress): Record<string, unknown> {
  const october = world.settings.contract === '2026-10';
  const now = world.clock.now();
  return {
    id: pod.id,
    name: pod.name,
    image: pod.image,
    args: pod.args,
    ...(october ? execForm(pod.args) : {}),
    disk: pod.disk,
    ports: pod.ports,
    env: pod.env,
    registry: pod.registry,
    status: pod.status,
    actions: actionsOf(pod),
    mounts: mountsView(pod),
    ...gpuView(world, pod, october),
    ...(pod.cpu === undefined ? {} : { cpu: pod.cpu }),
    cloud: pod.cloud,
    dataCenterId: pod.status === 'PROVISIONING' ? null : pod.dataCenterId,
    cudaVersion: pod.cudaVersion,
    ssh: {
      proxy: pod.status === 'PROVISIONING' ? null : sshEndpoint(proxy, pod.proxyUser, proxy.port === 22 ? '' : ` -p ${proxy.port}`),
      direct: directView(pod, now),
    },
    template: null,
    cost: computeRate(pod),
    locked: pod.locked,
    globalNetworking: pod.globalNetworking
      ? { enabled: true, ip: `10.65.${digits(pod.id, 250)}.${digits(`${pod.id}g`, 250)}`, internalDns: `${pod.id}.runpod.internal` }
      : { enabled: false },
    runtime: pod.status === 'RUNNING' && pod.run?.runningSince !== undefined ? runtimeView(pod, now) : null,
    createdAt: wholeSeconds(world.clock.iso(pod.createdAt)),
    startedAt: pod.startedAt === null ? null : wholeSeconds(world.clock.iso(pod.startedAt)),
  };
}

/** Where a client reaches the pod's sshd, as the API believes. */
export function directAddress(pod: Pod, now: number): Address | undefined {
  const run = pod.run;
  if (run === undefined || run.proxyOnly || !pod.ports.includes('22/tcp')) return undefined;
  if (pod.formerAddress !== undefined) return pod.formerAddress;
  if (pod.status !== 'RUNNING' || now < run.directFrom) return undefined;
  return run.ports.get(22);
}

/** Names 22 only where it is in use, so that the command reads as the service writes it. */
function sshEndpoint(at: Address, username: string, portFlag: string): Record<string, unknown> {
  return { host: at.host, port: at.port, username, command: `ssh ${username}@${at.host}${portFlag}` };
}

function directView(pod: Pod, now: number): Record<string, unknown> | null {
  const address = directAddress(pod, now);
  return address === undefined ? null : sshEndpoint(address, 'root', ` -p ${address.port}`);
}

function mountsView(pod: Pod): Mounts {
  const path = mountPathOf(pod);
  if (path === undefined) return {};
  const network = pod.mounts.network?.[0];
  if (network !== undefined) return { network: [{ volumeId: network.volumeId, path }] };
  return pod.mounts.persistent === undefined ? {} : { persistent: { size: pod.mounts.persistent.size, path } };
}

function gpuView(world: World, pod: Pod, october: boolean): Record<string, unknown> {
  if (pod.gpu === undefined) return {};
  const { gpusFound } = pod;
  if (gpusFound === 0) return world.settings.startGpu === 'zero' ? { gpu: { id: pod.gpu.id, count: 0 } } : {};
  const model = world.stock.gpu(pod.gpu.id);
  const shape = october && model !== undefined ? { vcpuCount: model.vcpuPerGpu * gpusFound, memory: model.ramPerGpu * gpusFound } : {};
  return { gpu: { id: pod.gpu.id, count: gpusFound, ...shape } };
}

function runtimeView(pod: Pod, now: number): Record<string, unknown> {
  const busy = pod.log.read({ kind: 'tail', lines: 1 }).length > 0;
  const wave = (period: number, low: number, high: number): number =>
    Math.round(low + (high - low) * (0.5 + 0.5 * Math.sin(now / period + digits(pod.id, 100))));
  return {
    uptime: Math.max(0, Math.floor((now - (pod.run?.runningSince ?? now)) / 1000)),
    gpus: Array.from({ length: pod.gpusFound }, (_, i) => ({ util: busy ? wave(7000 + i * 900, 60, 98) : 0, memoryUtil: wave(60_000, 41, 78) })),
    cpu: { util: wave(9000, 6, 34) },
    memory: { util: wave(90_000, 18, 41) },
    ports: portsView(pod, now),
  };
}

/** Live mappings; HTTP ones lead to the proxy over an address that nobody else can reach. */
function portsView(pod: Pod, now: number): Record<string, unknown>[] {
  const run = pod.run;
  if (run === undefined || now < run.directFrom) return [];
  return pod.ports.flatMap((text) => {
    const parsed = parsePort(text);
    if (parsed === undefined || parsed.protocol === 'udp') return [];
    const open = run.ports.get(parsed.port);
    if (parsed.protocol === 'tcp' && open !== undefined && !run.proxyOnly)
      return [{ private: parsed.port, public: parsed.port === 22 ? (directAddress(pod, now)?.port ?? open.port) : open.port, type: 'tcp', ip: open.host }];
    return [{ private: parsed.port, public: 60_000 + digits(`${pod.id}${parsed.port}`, 5000), type: parsed.protocol, ip: `100.65.${digits(pod.id, 250)}.${1 + digits(text, 250)}` }];
  });
}

/** A number below `below` that belongs to this text for good. */
function digits(text: string, below: number): number {
  let hash = 7;
  for (const char of text) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_003;
  return hash % below;
}
