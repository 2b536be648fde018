import type { IncomingHttpHeaders } from 'node:http';
import { messageOf } from '../../../src/base/errors';
import { gpuModels, type GpuModel } from '../catalog/gpus';
import { createPod, type CreateRequest } from '../createPod';
import { computeRate } from '../meter';
import { parsePort, type Pod, type PodAction } from '../pod';
import { directAddress } from '../podView';
import { CAPACITY_DETAIL, Problem } from '../problem';
import type { Reply } from '../reply';
import type { Principal, Service } from '../rest';
import { bestOf } from '../stock';
import { parseOperation, type Selection } from './parse';

type Record_ = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Record_ => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The deprecated API: the balance, the pods with `lastStatusChange`, spot pods. Errors come with HTTP 200. */
export class GraphqlApi {
  constructor(
    private readonly service: Service,
    private readonly principalOf: (key: string) => Principal | undefined,
  ) {}

  async answer(request: { url: URL; headers: IncomingHttpHeaders; body: () => Promise<Buffer> }): Promise<Reply> {
    const { graphql } = this.service.world.settings;
    if (graphql === 'gone') return { status: 410, headers: { 'Content-Type': 'application/json' }, json: { message: 'The GraphQL API has been retired. Use https://api.runpod.io/v2.' } };
    if (graphql === 'forbidden') return { status: 403, json: { message: 'Forbidden' } };
    if (graphql === 'errors') return errors('Something went wrong. Please try again later or contact support.');
    const key = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? request.url.searchParams.get('api_key') ?? undefined;
    const principal = key === undefined ? undefined : this.principalOf(key);
    if (principal?.kind === 'account' && principal.permission === 'no-graphql') return { status: 403, json: { message: 'Forbidden' } };
    try {
      const sent = JSON.parse((await request.body()).toString('utf8')) as { query?: unknown; variables?: Record<string, unknown> | null };
      if (typeof sent.query !== 'string') return errors('POST body missing, invalid Content-Type, or JSON object has no keys.');
      const operation = parseOperation(sent.query, sent.variables ?? {});
      const data: Record<string, unknown> = {};
      for (const field of operation.fields) data[field.alias] = project(this.#resolve(operation.kind, field, principal), field);
      return { status: 200, json: { data } };
    } catch (error) {
      return errors(error instanceof Problem ? error.detail : messageOf(error));
    }
  }

  #resolve(kind: 'query' | 'mutation', field: Selection, principal: Principal | undefined): unknown {
    const input = isObject(field.args['input']) ? field.args['input'] : {};
    if (kind === 'query') {
      if (field.name === 'gpuTypes') return this.#gpuTypes(input);
      if (field.name === 'myself') return this.#myself(this.#account(principal));
      if (field.name === 'pod') return this.#podQuery(input, principal);
      throw new Error(`Cannot query field "${field.name}" on type "Query".`);
    }
    switch (field.name) {
      case 'podStop':
        return this.#act(input, 'stop', principal);
      case 'podTerminate':
        this.#act(input, 'terminate', principal);
        return null;
      case 'podResume':
        return this.#act(input, 'start', principal);
      case 'podBidResume':
        return this.#bidResume(input, principal);
      case 'podRentInterruptable':
        return this.#rentSpot(input, this.#account(principal, true));
      case 'updateUserSettings':
        this.#account(principal, true);
        if (typeof input['pubKey'] === 'string') this.service.world.account.sshKeys = input['pubKey'].split('\n').filter((line) => line.trim() !== '');
        return this.#myself(principal);
      default:
        throw new Error(`Cannot query field "${field.name}" on type "Mutation".`);
    }
  }

  /** @throws Problem when the key is none of the account's. */
  #account(principal: Principal | undefined, writes = false): Principal {
    if (principal === undefined) throw new Problem(401, 'Unauthorized');
    if (principal.kind === 'pod' || (writes && principal.permission === 'read')) throw new Problem(403, 'Not authorized');
    return principal;
  }

  #pod(input: Record_, principal: Principal | undefined): Pod {
    if (principal === undefined) throw new Problem(401, 'Unauthorized');
    const id = typeof input['podId'] === 'string' ? input['podId'] : '';
    if (principal.kind === 'pod' && principal.podId !== id) throw new Problem(403, 'Not authorized');
    const pod = this.service.world.pods.get(id);
    if (pod === undefined) throw new Problem(404, 'Pod not found');
    return pod;
  }

  #podQuery(input: Record_, principal: Principal | undefined): unknown {
    return this.#podView(this.#pod(input, principal));
  }

  #act(input: Record_, action: PodAction, principal: Principal | undefined): unknown {
    const pod = this.#pod(input, principal);
    if (principal?.kind === 'account') this.#account(principal, true);
    if (principal?.kind === 'pod' && action === 'stop' && !this.service.world.settings.podKeyMayStop) throw new Problem(403, 'Not authorized');
    this.service.lifecycle.act(pod, action);
    return this.#podView(pod);
  }

  /** As the clients of the old API tell of it: the pod, or an error where others bid more. */
  #bidResume(input: Record_, principal: Principal | undefined): unknown {
    this.#account(principal, true);
    const pod = this.#pod(input, principal);
    const { world, lifecycle } = this.service;
    const { bidPerGpu: bid, gpuCount: count = pod.gpu?.count ?? 1 } = input;
    if (typeof bid !== 'number') throw new Error('Field "bidPerGpu" of required type "Float!" was not provided.');
    if (typeof count !== 'number') throw new Error('Int cannot represent non-integer value');
    const model = pod.gpu === undefined ? undefined : world.stock.gpu(pod.gpu.id);
    if (!pod.spot) throw new Problem(400, 'This pod is not interruptable.');
    if (world.settings.spot === 'refuse' || model === undefined || bid < this.#spotPrice(pod.cloud === 'SECURE' ? model.secure : model.community)) throw new Problem(400, CAPACITY_DETAIL);
    const before = pod.rate;
    pod.rate = bid * count;
    try {
      lifecycle.act(pod, 'start');
    } catch (error) {
      pod.rate = before;
      throw error;
    }
    return this.#podView(pod);
  }

  #myself(_principal: Principal | undefined): Record_ {
    const { world, lifecycle } = this.service;
    return {
      id: world.account.id,
      email: world.account.email,
      pubKey: world.account.sshKeys.join('\n'),
      clientBalance: lifecycle.meter.balance,
      currentSpendPerHr: Math.round(lifecycle.meter.spendPerHour * 10_000) / 10_000,
      spendLimit: 80,
      notifyPodsStale: true,
      notifyPodsGeneral: true,
      notifyLowBalance: true,
      teams: [],
      networkVolumes: [...world.volumes.values()].map(({ id, name, size, dataCenter }) => ({ id, name, size, dataCenterId: dataCenter })),
      pods: [...world.pods.values()].map((pod) => this.#podView(pod)),
    };
  }

  #podView(pod: Pod): Record_ {
    const { world } = this.service;
    const now = world.clock.now();
    const model = pod.gpu === undefined ? undefined : world.stock.gpu(pod.gpu.id);
    const running = pod.status === 'RUNNING';
    const uptime = running ? Math.max(0, Math.floor((now - (pod.startedAt ?? now)) / 1000)) : 0;
    const address = directAddress(pod, now);
    return {
      id: pod.id,
      name: pod.name,
      desiredStatus: pod.status === 'EXITED' || pod.status === 'TERMINATED' ? pod.status : 'RUNNING',
      lastStatusChange: pod.lastStatusChange,
      imageName: pod.image,
      dockerArgs: pod.args,
      env: Object.entries(pod.env).map(([name, value]) => `${name}=${value}`),
      ports: pod.ports.join(','),
      gpuCount: pod.gpusFound,
      vcpuCount: pod.cpu?.vcpuCount ?? (model?.vcpuPerGpu ?? 0) * pod.gpusFound,
      memoryInGb: pod.cpu?.memory ?? (model?.ramPerGpu ?? 0) * pod.gpusFound,
      containerDiskInGb: pod.disk,
      volumeInGb: pod.mounts.persistent?.size ?? 0,
      volumeMountPath: pod.mounts.persistent?.path ?? pod.mounts.network?.[0]?.path ?? null,
      networkVolumeId: pod.mounts.network?.[0]?.volumeId ?? null,
      costPerHr: computeRate(pod),
      adjustedCostPerHr: computeRate(pod),
      podType: pod.spot ? 'INTERRUPTABLE' : 'RESERVED',
      uptimeSeconds: uptime,
      machineId: pod.proxyUser.split('-')[1] ?? null,
      machine: { gpuDisplayName: model?.name ?? null, location: pod.dataCenterId, podHostId: pod.proxyUser },
      runtime: running
        ? {
            uptimeInSeconds: uptime,
            ports: pod.ports.map(parsePort).flatMap((port) =>
              port?.port === 22 && address !== undefined ? [{ ip: address.host, isIpPublic: true, privatePort: 22, publicPort: address.port, type: 'tcp' }] : [],
            ),
            gpus: Array.from({ length: pod.gpusFound }, (_, i) => ({ id: `GPU-${pod.id}-${i}`, gpuUtilPercent: 90, memoryUtilPercent: 60 })),
            container: { cpuPercent: 12, memoryPercent: 24 },
          }
        : null,
    };
  }

  #gpuTypes(input: Record_): Record_[] {
    return gpuModels.filter((gpu) => input['id'] === undefined || gpu.id === input['id']).map((gpu) => this.#gpuType(gpu));
  }

  #gpuType(gpu: GpuModel): Record_ {
    const { stock } = this.service.world;
    const level = bestOf(Object.keys(gpu.stock).map((dc) => stock.gpuLevel(gpu, dc, 1, true)));
    return {
      id: gpu.id,
      displayName: gpu.name,
      memoryInGb: gpu.memory,
      secureCloud: gpu.maxSecure > 0,
      communityCloud: gpu.maxCommunity > 0,
      securePrice: gpu.secure,
      communityPrice: gpu.community,
      secureSpotPrice: this.#spotPrice(gpu.secure),
      communitySpotPrice: this.#spotPrice(gpu.community),
      oneMonthPrice: null,
      threeMonthPrice: null,
      lowestPrice: {
        minimumBidPrice: this.#spotPrice(gpu.secure),
        uninterruptablePrice: gpu.secure,
        minVcpu: gpu.vcpuPerGpu,
        minMemory: gpu.ramPerGpu,
        stockStatus: level === 'NONE' ? null : level.charAt(0) + level.slice(1).toLowerCase(),
        availableGpuCounts: level === 'NONE' ? [] : [1, 2, 4, 8].filter((count) => count <= gpu.maxSecure),
      },
    };
  }

  #spotPrice(onDemand: number): number {
    return Math.round(onDemand * this.service.world.settings.spotShare * 100) / 100;
  }

  #rentSpot(input: Record_, _principal: Principal): unknown {
    const { world, lifecycle } = this.service;
    if (world.settings.spot === 'refuse') throw new Problem(400, CAPACITY_DETAIL);
    const text = (name: string): string | undefined => (typeof input[name] === 'string' ? input[name] : undefined);
    const number = (name: string): number | undefined => (typeof input[name] === 'number' ? input[name] : undefined);
    const gpu = world.stock.gpu(text('gpuTypeId') ?? '');
    const bid = number('bidPerGpu') ?? 0;
    if (gpu === undefined || bid < this.#spotPrice(gpu.secure)) throw new Problem(400, CAPACITY_DETAIL);
    const env = Array.isArray(input['env']) ? input['env'].filter(isObject).map((pair) => [String(pair['key']), String(pair['value'])]) : [];
    const volume = number('volumeInGb') ?? 0;
    const count = number('gpuCount') ?? 1;
    const request: CreateRequest = {
      name: text('name') ?? 'spot pod',
      image: text('imageName') ?? '',
      args: text('dockerArgs') ?? '',
      ports: (text('ports') ?? '').split(',').filter((port) => port !== ''),
      env: Object.fromEntries(env) as Record<string, string>,
      disk: number('containerDiskInGb') ?? 20,
      ...(volume > 0 ? { mounts: { persistent: { size: volume, path: text('volumeMountPath') ?? '/workspace' } } } : {}),
      gpu: { id: gpu.id, count },
      startSsh: input['startSsh'] === true,
    };
    const pod = createPod(world, request, { spot: true, rate: bid * count });
    lifecycle.create(pod);
    return this.#podView(pod);
  }
}

const errors = (message: string): Reply => ({ status: 200, json: { errors: [{ message, extensions: { code: 'RUNPOD' } }], data: null } });

/** The fields that were asked for, and an error for one that does not exist. */
function project(value: unknown, selection: Selection): unknown {
  if (Array.isArray(value)) return value.map((item) => project(item, selection));
  if (!isObject(value) || selection.fields.length === 0) return value ?? null;
  const picked: Record<string, unknown> = {};
  for (const field of selection.fields) {
    if (field.name === '__typename') continue;
    if (!(field.name in value)) throw new Error(`Cannot query field "${field.name}" on type "${selection.name}".`);
    picked[field.alias] = project(value[field.name], field);
  }
  return picked;
}
