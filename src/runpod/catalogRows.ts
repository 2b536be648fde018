import * as z from 'zod';
import { plainName } from '../base/log';
import { amount, count, defined, FieldReader, filled, flag, isFields, label, text, time } from './read';
import { mountOf } from './podRows';
import type { BillingRecord, CpuType, DataCenter, GpuType, NetworkVolume, Stock, Template } from './types';

const availability = z.enum(['NONE', 'LOW', 'MEDIUM', 'HIGH']);
const volumeType = z.enum(['STANDARD', 'HIGH_PERFORMANCE']);

/** An object with an id; `undefined` for anything else, and for the sentinel that the catalog uses for unknown hardware. */
function named(raw: unknown): { id: string; name: string; fields: FieldReader } | undefined {
  if (!isFields(raw)) return undefined;
  const fields = new FieldReader(raw);
  const id = fields.get('id', filled);
  return id === undefined || id === 'unknown' ? undefined : { id, name: fields.get('name', label) ?? plainName(id), fields };
}

function stockOf(raw: unknown): Stock | undefined {
  const row = named(raw);
  return row && defined({ id: row.id, name: row.name, availability: row.fields.get('availability', availability) });
}

/** A list price; 0 stands for not offered, because nothing is free. */
const price = (fields: FieldReader, name: string): number | undefined => {
  const value = fields.get(name, amount);
  return value === 0 ? undefined : value;
};

/** @param withStock whether availability was asked for: then a missing list of data centers means nowhere. */
export function readGpuType(raw: unknown, withStock: boolean): GpuType | undefined {
  const row = named(raw);
  if (row === undefined) return undefined;
  const { id, name, fields } = row;
  const prices = fields.within('price');
  const maxCount = fields.within('maxCount');
  return defined({
    id,
    name,
    pool: fields.get('pool', filled),
    manufacturer: fields.get('manufacturer', text),
    memoryGb: fields.get('memory', amount),
    secure: fields.get('secure', flag) ?? false,
    community: fields.get('community', flag) ?? false,
    price: defined({ secure: price(prices, 'secure'), community: price(prices, 'community') }),
    maxCount: defined({ secure: maxCount.get('secure', count), community: maxCount.get('community', count) }),
    availability: fields.get('availability', availability),
    dataCenters: fields.list('dataCenters', stockOf) ?? (withStock ? [] : undefined),
    cudaVersions: fields.list('cudaVersions', (element) => {
      const cuda = new FieldReader(isFields(element) ? element : {});
      const version = cuda.get('version', filled);
      return version === undefined ? undefined : { version, available: cuda.get('available', flag) ?? false };
    }),
  });
}

export function readCpuType(raw: unknown, withStock: boolean): CpuType | undefined {
  const row = named(raw);
  if (row === undefined) return undefined;
  const { id, name, fields } = row;
  const vcpu = fields.within('vcpu');
  return defined({
    id,
    name,
    group: fields.get('group', text),
    vcpu: defined({ min: vcpu.get('min', count), max: vcpu.get('max', count) }),
    ramGbPerVcpu: fields.get('ramGbPerVcpu', amount),
    pricePerVcpu: price(fields.within('price'), 'securePerVcpu'),
    availability: fields.get('availability', availability),
    dataCenters: fields.list('dataCenters', stockOf) ?? (withStock ? [] : undefined),
  });
}

export function readDataCenter(raw: unknown): DataCenter | undefined {
  const row = named(raw);
  if (row === undefined) return undefined;
  const { id, name, fields } = row;
  return defined({
    id,
    name,
    region: fields.get('region', text),
    globalNetwork: fields.get('globalNetwork', flag) ?? false,
    networkVolumeTypes: fields.list('networkVolumeTypes', (element) => volumeType.safeParse(element).data) ?? [],
    compliance: fields.strings('compliance') ?? [],
    gpuAvailability: fields.list('gpuAvailability', stockOf),
    cpuAvailability: fields.list('cpuAvailability', stockOf),
  });
}

export function readTemplate(raw: unknown): Template | undefined {
  const row = named(raw);
  if (row === undefined) return undefined;
  const { id, name, fields } = row;
  return defined({
    id,
    name,
    image: fields.get('image', text) ?? '',
    args: fields.get('args', text) ?? '',
    diskGb: fields.get('disk', amount),
    mount: mountOf(fields),
    ports: fields.strings('ports') ?? [],
    env: fields.stringMap('env') ?? {},
    registryId: fields.get('registry', filled),
    serverless: fields.get('serverless', flag) ?? false,
    public: fields.get('public', flag) ?? false,
    category: fields.get('category', text),
    // Templates start both unless they say otherwise.
    startSsh: fields.get('startSsh', flag) ?? true,
    startJupyter: fields.get('startJupyter', flag) ?? true,
    allowedCudaVersions: fields.strings('allowedCudaVersions') ?? [],
  });
}

export function readNetworkVolume(raw: unknown): NetworkVolume | undefined {
  const row = named(raw);
  if (row === undefined) return undefined;
  const { id, name, fields } = row;
  return defined({ id, name, sizeGb: fields.get('size', amount), dataCenterId: fields.get('dataCenter', filled), type: fields.get('type', volumeType) });
}

export function readBillingRecord(raw: unknown): BillingRecord | undefined {
  if (!isFields(raw)) return undefined;
  const fields = new FieldReader(raw);
  const [podId, start, end] = [fields.get('podId', filled), fields.get('startTime', time), fields.get('endTime', time)];
  if (podId === undefined || start === undefined || end === undefined) return undefined;
  const parts = defined({ gpu: fields.get('gpuAmount', z.number()), cpu: fields.get('cpuAmount', z.number()), disk: fields.get('diskAmount', z.number()) });
  return { podId, start, end, total: fields.get('totalAmount', z.number()), ...parts };
}
