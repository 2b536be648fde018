import type { Logger } from '../base/log';
import { readBillingRecord, readCpuType, readDataCenter, readGpuType, readNetworkVolume, readTemplate } from './catalogRows';
import { RunPodError } from './errors';
import { readPages, segment } from './pages';
import type { Query, ReadOptions, Transport, WriteOptions } from './transport';
import type { BillingQuery, BillingRecord, Cloud, CpuType, CreateNetworkVolumeRequest, DataCenter, GpuType, NetworkVolume, Template, TemplateSource } from './types';

/** For what availability is asked: a pod of this shape. */
export interface GpuAvailabilityQuery {
  readonly cloud?: Cloud;
  /** GPUs in one pod. */
  readonly count?: number;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly countryCodes?: readonly string[];
  /** Exact versions; not together with `minCudaVersion`. */
  readonly cudaVersions?: readonly string[];
  readonly minCudaVersion?: string;
}

class Lists {
  constructor(
    private readonly transport: Transport,
    private readonly log: Logger,
  ) {}

  async read<T>(path: string, member: string, query: Query, options: ReadOptions, readRow: (raw: unknown) => T | undefined): Promise<T[]> {
    const { rows, incomplete } = await readPages(this.transport, path, member, query, options);
    const read = rows.flatMap((raw) => {
      const row = readRow(raw);
      return row === undefined ? [] : [row];
    });
    if (read.length < rows.length) this.log.debug(`GET ${path}: ${rows.length - read.length} of ${rows.length} rows left out`);
    if (incomplete !== undefined) this.log.warn(`GET ${path}: ${incomplete}`);
    return read;
  }
}

function held<T>(value: T | undefined, method: string, path: string, write: boolean): T {
  if (value === undefined) throw new RunPodError('unreadable', { method, path, detail: 'The answer cannot be read', maybeDone: write });
  return value;
}

/** What can be rented, at which list price, and where it is in stock. */
export class CatalogApi {
  readonly #lists: Lists;

  constructor(transport: Transport, log: Logger) {
    this.#lists = new Lists(transport, log);
  }

  /** GPU types; with `availability` also their stock for pods. */
  gpus({ availability, ...options }: ReadOptions & { readonly availability?: GpuAvailabilityQuery } = {}): Promise<GpuType[]> {
    const stock = availability && { include: 'AVAILABILITY', product: 'POD', ...availability };
    return this.#lists.read('/catalog/gpus', 'gpus', stock ?? {}, options, (raw) => readGpuType(raw, stock !== undefined));
  }

  /** CPU flavors; with `availability` also their stock for pods of so many vCPUs. */
  cpus({ availability, ...options }: ReadOptions & { readonly availability?: { readonly vcpuCount?: number } } = {}): Promise<CpuType[]> {
    const stock = availability && { include: 'AVAILABILITY', product: 'POD', ...availability };
    return this.#lists.read('/catalog/cpus', 'cpus', stock ?? {}, options, (raw) => readCpuType(raw, stock !== undefined));
  }

  dataCenters({ availability = false, regions, ...options }: ReadOptions & { readonly availability?: boolean; readonly regions?: readonly string[] } = {}): Promise<DataCenter[]> {
    const query = { regions, ...(availability ? { include: ['GPU_AVAILABILITY', 'CPU_AVAILABILITY'] } : {}) };
    return this.#lists.read('/catalog/datacenters', 'dataCenters', query, options, readDataCenter);
  }

  /** Public templates, at most 100; those for serverless workers are among them. */
  templates(source: TemplateSource = 'official', options: ReadOptions = {}): Promise<Template[]> {
    return this.#lists.read('/catalog/templates', 'templates', { source }, options, readTemplate);
  }
}

/** The account's own templates, and any visible one by id. */
export class TemplatesApi {
  readonly #lists: Lists;

  constructor(
    private readonly transport: Transport,
    log: Logger,
  ) {
    this.#lists = new Lists(transport, log);
  }

  list(options: ReadOptions = {}): Promise<Template[]> {
    return this.#lists.read('/templates', 'templates', {}, options, readTemplate);
  }

  async get(id: string, options: ReadOptions = {}): Promise<Template> {
    const path = `/templates/${segment(id, 'GET', '/templates')}`;
    return held(readTemplate(await this.transport.get(path, {}, options)), 'GET', path, false);
  }
}

const volumes = '/network-volumes';

export class NetworkVolumesApi {
  readonly #lists: Lists;

  constructor(
    private readonly transport: Transport,
    log: Logger,
  ) {
    this.#lists = new Lists(transport, log);
  }

  list(options: ReadOptions = {}): Promise<NetworkVolume[]> {
    return this.#lists.read(volumes, 'networkVolumes', {}, options, readNetworkVolume);
  }

  async get(id: string, options: ReadOptions = {}): Promise<NetworkVolume> {
    const path = `${volumes}/${segment(id, 'GET', volumes)}`;
    return held(readNetworkVolume(await this.transport.get(path, {}, options)), 'GET', path, false);
  }

  /** Asks once; an error with `maybeDone` means that the volume may exist and bill (names are not unique). */
  async create(request: CreateNetworkVolumeRequest, options: WriteOptions = {}): Promise<NetworkVolume> {
    const answer = await this.transport.write('POST', volumes, request, { ...options, timeoutMs: this.transport.timings.createMs });
    return held(readNetworkVolume(answer), 'POST', volumes, true);
  }

  /** @param sizeGb the new size; a volume never shrinks. */
  grow(id: string, sizeGb: number, options: WriteOptions = {}): Promise<NetworkVolume> {
    return this.#patch(id, { size: sizeGb }, options);
  }

  rename(id: string, name: string, options: WriteOptions = {}): Promise<NetworkVolume> {
    return this.#patch(id, { name }, options);
  }

  /** Deletes the volume and everything on it. */
  async delete(id: string, options: WriteOptions = {}): Promise<void> {
    await this.transport.write('DELETE', `${volumes}/${segment(id, 'DELETE', volumes)}`, undefined, options);
  }

  async #patch(id: string, body: { name?: string; size?: number }, options: WriteOptions): Promise<NetworkVolume> {
    const path = `${volumes}/${segment(id, 'PATCH', volumes)}`;
    return held(readNetworkVolume(await this.transport.write('PATCH', path, body, options)), 'PATCH', path, true);
  }
}

/** What has been billed. How far it lags behind what was used is not told. */
export class BillingApi {
  readonly #lists: Lists;

  constructor(transport: Transport, log: Logger) {
    this.#lists = new Lists(transport, log);
  }

  /** One record for each pod and span of time. */
  pods({ startTime, endTime, ...query }: BillingQuery = {}, options: ReadOptions = {}): Promise<BillingRecord[]> {
    return this.#lists.read('/billing/pods', 'records', { ...query, startTime: startTime?.toISOString(), endTime: endTime?.toISOString() }, options, readBillingRecord);
  }
}
