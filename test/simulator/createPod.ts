import type { TemplateEntry } from './catalog/templates';
import { storedArgs } from './command';
import { newHex, newKey, newPassword, newPodId } from './ids';
import { PodLog } from './logs';
import { parsePort, type Cloud, type Mounts, type Pod } from './pod';
import { Problem, badRequest, invalid, noCapacity, notFound } from './problem';
import type { World } from './world';

/** A create request whose shape the contract has already checked. */
export interface CreateRequest {
  readonly name: string;
  readonly image?: string;
  readonly templateId?: string;
  readonly args?: string;
  readonly cmd?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly disk?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly registry?: string | null;
  readonly mounts?: Mounts;
  readonly cloud?: Cloud;
  readonly dataCenterIds?: readonly string[];
  readonly gpu?: {
    readonly id: string;
    readonly count?: number;
    readonly allowedCudaVersions?: readonly string[];
    readonly minCudaVersion?: string;
    readonly minRamPerGpu?: number;
    readonly minVcpuCountPerGpu?: number;
  };
  readonly cpu?: { readonly id: string; readonly vcpuCount: number };
  readonly globalNetworking?: boolean;
  readonly startSsh?: boolean;
  readonly startJupyter?: boolean;
}

const DEFAULT_DISK_GB = 50;
const MOST_VARIABLES = 50;
const MOST_HTTP_PORTS = 10;

/** Checks what the schema cannot say, finds a machine and describes the pod; nothing is started. @throws Problem */
export function createPod(world: World, request: CreateRequest, options: { spot?: boolean; rate?: number; id?: string; createdAt?: number } = {}): Pod {
  const template = request.templateId === undefined ? undefined : podTemplate(world, request.templateId);
  if ((request.gpu === undefined) === (request.cpu === undefined)) throw badRequest('exactly one of gpu or cpu must be set');
  const cloud = request.cloud ?? 'SECURE';
  const mounts = checkedMounts(world, request, template, cloud);
  const ports = request.ports ?? template?.ports ?? [];
  checkPorts(ports);
  const registry = request.registry === undefined ? (template?.registry ?? null) : request.registry;
  if (registry !== null && !world.registries.has(registry)) throw notFound('registry');
  if (request.globalNetworking === true && request.gpu === undefined) throw badRequest('global networking requires an NVIDIA GPU pod');

  const compute = request.cpu === undefined ? placeGpu(world, request, template, cloud, mounts) : placeCpu(world, request, mounts);
  const id = options.id ?? newPodId();
  const env = { ...template?.env, ...request.env };
  if (Object.keys(env).length > MOST_VARIABLES) throw badRequest(`a pod takes at most ${MOST_VARIABLES} environment variables`);
  if ((request.startSsh ?? template?.startSsh) === true && env['PUBLIC_KEY'] === undefined && world.account.sshKeys.length > 0)
    env['PUBLIC_KEY'] = world.account.sshKeys.join('\n');
  if ((request.startJupyter ?? template?.startJupyter) === true && env['JUPYTER_PASSWORD'] === undefined)
    env['JUPYTER_PASSWORD'] = newPassword();
  return {
    id,
    name: request.name,
    image: request.image ?? template?.image ?? '',
    args: storedArgs(request) ?? template?.args ?? '',
    disk: request.disk ?? template?.disk ?? DEFAULT_DISK_GB,
    mounts,
    ports,
    env,
    registry,
    ...compute,
    cloud,
    spot: options.spot ?? false,
    rate: options.rate ?? compute.rate,
    createdAt: options.createdAt ?? world.clock.now(),
    key: newKey(),
    proxyUser: `${id}-${newHex()}`,
    log: new PodLog(world.clock),
    status: 'PROVISIONING',
    locked: false,
    globalNetworking: request.globalNetworking ?? false,
    startedAt: null,
    lastStatusChange: '',
    gpusFound: compute.gpu?.count ?? 0,
    realMountPath: undefined,
    run: undefined,
    ending: Promise.resolve(),
    formerAddress: undefined,
  };
}

/** A template that a pod can be made from. @throws Problem 404, 422 */
export function podTemplate(world: World, id: string): TemplateEntry {
  const template = world.templates.get(id);
  if (template === undefined) throw notFound('template');
  if (template.serverless) throw invalid('$.templateId: template is a serverless template');
  return template;
}

/** @throws Problem 400 */
export function checkPorts(ports: readonly string[]): void {
  const wrong = ports.find((port) => parsePort(port) === undefined);
  if (wrong !== undefined) throw badRequest(`invalid port '${wrong}': expected <port>/<protocol>`);
  if (ports.filter((port) => port.endsWith('/http')).length > MOST_HTTP_PORTS)
    throw badRequest(`a pod exposes at most ${MOST_HTTP_PORTS} HTTP ports`);
}

function checkedMounts(world: World, request: CreateRequest, template: TemplateEntry | undefined, cloud: Cloud): Mounts {
  const asked = request.mounts ?? {};
  const network = asked.network?.[0];
  if (asked.persistent !== undefined && asked.network !== undefined) throw badRequest('mounts.persistent and mounts.network are mutually exclusive');
  if (asked.persistent !== undefined && request.cpu !== undefined) throw badRequest('mounts.persistent is not supported on CPU pods');
  if (network !== undefined) {
    if (cloud === 'COMMUNITY') throw badRequest('network volumes are only available in Secure Cloud');
    if (!world.volumes.has(network.volumeId)) throw notFound('network volume');
    return { network: [network] };
  }
  if (asked.persistent !== undefined) return { persistent: asked.persistent };
  const inherited = request.cpu === undefined ? template?.mounts.persistent : undefined;
  return inherited === undefined ? {} : { persistent: inherited };
}

type Compute = Pick<Pod, 'gpu' | 'cpu' | 'dataCenterId' | 'cudaVersion' | 'rate'>;

/** A network volume lies in one data center and pins its pods there. */
function allowedDataCenters(world: World, request: CreateRequest, mounts: Mounts): readonly string[] {
  const asked = request.dataCenterIds ?? [];
  const volume = mounts.network?.[0] === undefined ? undefined : world.volumes.get(mounts.network[0].volumeId);
  if (volume === undefined) return asked;
  if (asked.length > 0 && !asked.includes(volume.dataCenter)) throw noCapacity();
  return [volume.dataCenter];
}

function placeGpu(world: World, request: CreateRequest, template: TemplateEntry | undefined, cloud: Cloud, mounts: Mounts): Compute {
  const want = request.gpu;
  if (want === undefined) throw badRequest('gpu is required');
  const constrained = want.allowedCudaVersions !== undefined || want.minCudaVersion !== undefined;
  const exact = constrained ? (want.allowedCudaVersions ?? []) : (template?.allowedCudaVersions ?? []);
  if (exact.length > 0 && want.minCudaVersion !== undefined) throw badRequest('allowedCudaVersions and minCudaVersion are mutually exclusive');
  const model = world.stock.gpu(want.id);
  // The live service finds no machine for a request without a count.
  if (model === undefined || want.count === undefined) throw noCapacity();
  const cuda = model.cudaVersions.filter(
    (version) => (exact.length === 0 || exact.includes(version)) && (want.minCudaVersion === undefined || atLeast(version, want.minCudaVersion)),
  );
  if ((exact.length > 0 || want.minCudaVersion !== undefined) && cuda.length === 0) throw noCapacity();
  if ((want.minRamPerGpu ?? 0) > model.ramPerGpu || (want.minVcpuCountPerGpu ?? 0) > model.vcpuPerGpu) throw noCapacity();
  const gpu = { id: model.id, count: want.count };
  const dataCenterId = world.stock.place({ gpu, cloud, dataCenterIds: allowedDataCenters(world, request, mounts) });
  if (dataCenterId === undefined) throw noCapacity();
  const price = cloud === 'SECURE' ? model.secure : model.community;
  return {
    gpu,
    cpu: undefined,
    dataCenterId,
    cudaVersion: (world.settings.drivers === 'old' ? cuda[0] : cuda.includes('12.8') ? '12.8' : cuda.at(-1)) ?? null,
    rate: cents(price * want.count),
  };
}

function placeCpu(world: World, request: CreateRequest, mounts: Mounts): Compute {
  const want = request.cpu;
  if (want === undefined) throw badRequest('cpu is required');
  const flavor = world.stock.cpu(want.id);
  if ((want.vcpuCount & (want.vcpuCount - 1)) !== 0) throw badRequest('cpu.vcpuCount must be a power of two');
  if (flavor === undefined || request.cloud === 'COMMUNITY') throw noCapacity();
  if (want.vcpuCount < flavor.vcpu.min || want.vcpuCount > flavor.vcpu.max)
    throw badRequest(`cpu.vcpuCount must be between ${flavor.vcpu.min} and ${flavor.vcpu.max} for ${flavor.id}`);
  const dataCenterId = world.stock.place({ cpuId: flavor.id, cloud: 'SECURE', dataCenterIds: allowedDataCenters(world, request, mounts) });
  if (dataCenterId === undefined) throw noCapacity();
  return {
    gpu: undefined,
    cpu: { id: flavor.id, vcpuCount: want.vcpuCount, memory: Math.max(1, Math.round(flavor.ramGbPerVcpu * want.vcpuCount)) },
    dataCenterId,
    cudaVersion: null,
    rate: cents(flavor.price.securePerVcpu * want.vcpuCount),
  };
}

/** @throws Problem 402 when the account cannot pay `perHour` for one hour. */
export function checkBalance(balance: number, perHour: number): void {
  if (balance < perHour) throw new Problem(402, 'Insufficient balance: your account needs credit for at least one hour of this pod.');
}

/** Compares `major.minor` by number: 12.11 is above 12.2. */
export function atLeast(version: string, floor: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [floorMajor = 0, floorMinor = 0] = floor.split('.').map(Number);
  return major > floorMajor || (major === floorMajor && minor >= floorMinor);
}

/** Prices are quoted to a hundredth of a cent. */
const cents = (usd: number): number => Math.round(usd * 10_000) / 10_000;
