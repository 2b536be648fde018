import { cpuFlavors, type CpuFlavor } from '../catalog/cpus';
import { dataCenters, type DataCenterEntry } from '../catalog/dataCenters';
import { gpuModels, type Availability, type GpuModel } from '../catalog/gpus';
import { atLeast } from '../createPod';
import { badRequest, notFound } from '../problem';
import { ok } from '../reply';
import type { Call, Route } from '../rest';
import { bestOf } from '../stock';

const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Filters that mean something only where stock is asked for. @throws Problem 400 */
function wantsStock(call: Call, filters: readonly string[]): boolean {
  const asked = list(call.query['include']).includes('AVAILABILITY');
  const product = list(call.query['product']).length > 0;
  if (asked && !product) throw badRequest('include=AVAILABILITY requires product');
  if (!asked && product) throw badRequest('product requires include=AVAILABILITY');
  const stray = asked ? undefined : filters.find((name) => call.query[name] !== undefined);
  if (stray !== undefined) throw badRequest(`${stray} requires include=AVAILABILITY`);
  return asked;
}

const place = (id: string): { id: string; name: string } => ({ id, name: dataCenters.find((dc) => dc.id === id)?.name ?? id });

function gpuView(call: Call, gpu: GpuModel): Record<string, unknown> & { availability?: Availability; dataCenters?: unknown[] } {
  const view = {
    id: gpu.id,
    name: gpu.name,
    pool: gpu.pool,
    manufacturer: gpu.manufacturer,
    memory: gpu.memory,
    secure: gpu.maxSecure > 0,
    community: gpu.maxCommunity > 0,
    price: { secure: gpu.secure, community: gpu.community, ...(gpu.serverless === undefined ? {} : { serverless: gpu.serverless }) },
    maxCount: { secure: gpu.maxSecure, community: gpu.maxCommunity },
  };
  if (!wantsStock(call, ['count', 'cloud', 'countryCodes', 'cudaVersions', 'minCudaVersion'])) return view;
  const exact = list(call.query['cudaVersions']);
  const floor = call.query['minCudaVersion'] as string | undefined;
  if (exact.length > 0 && floor !== undefined) throw badRequest('cudaVersions and minCudaVersion are mutually exclusive');
  const versions = gpu.cudaVersions.filter((v) => (exact.length === 0 || exact.includes(v)) && (floor === undefined || atLeast(v, floor)));
  const unmatched = (exact.length > 0 || floor !== undefined) && versions.length === 0;
  const count = (call.query['count'] as number | undefined) ?? 1;
  const countries = list(call.query['countryCodes']);
  const { stock } = call.world;
  if (call.query['cloud'] === 'COMMUNITY') {
    const availability = unmatched || countries.length > 0 ? 'NONE' : stock.communityLevel(gpu, count, true);
    return { ...view, availability };
  }
  const offers = Object.keys(gpu.stock)
    .filter((id) => countries.length === 0 || countries.includes(dataCenters.find((dc) => dc.id === id)?.country ?? ''))
    .map((id) => ({ ...place(id), availability: unmatched ? ('NONE' as const) : stock.gpuLevel(gpu, id, count, true) }));
  const availability = bestOf(offers.map((offer) => offer.availability));
  return {
    ...view,
    availability,
    ...(availability === 'NONE' ? {} : { dataCenters: offers }),
    ...(versions.length === 0 ? {} : { cudaVersions: versions.map((version) => ({ version, available: availability !== 'NONE' && version !== '13.0' })) }),
  };
}

function cpuView(call: Call, cpu: CpuFlavor): Record<string, unknown> {
  const view = { id: cpu.id, name: cpu.name, group: cpu.group, vcpu: cpu.vcpu, ramGbPerVcpu: cpu.ramGbPerVcpu, price: cpu.price };
  const vcpuCount = call.query['vcpuCount'] as number | undefined;
  if (!wantsStock(call, ['vcpuCount'])) return view;
  if (vcpuCount !== undefined && (vcpuCount & (vcpuCount - 1)) !== 0) throw badRequest('vcpuCount must be a power of two');
  const fits = vcpuCount === undefined || (vcpuCount >= cpu.vcpu.min && vcpuCount <= cpu.vcpu.max);
  const offers = Object.keys(cpu.stock).map((id) => ({ ...place(id), availability: fits ? call.world.stock.cpuLevel(cpu, id, true) : ('NONE' as const) }));
  const availability = bestOf(offers.map((offer) => offer.availability));
  return { ...view, availability, ...(availability === 'NONE' ? {} : { dataCenters: offers }) };
}

function dataCenterView(call: Call, dc: DataCenterEntry): Record<string, unknown> {
  const include = list(call.query['include']);
  const { stock } = call.world;
  const gpus = gpuModels.filter((gpu) => dc.id in gpu.stock).map((gpu) => ({ id: gpu.id, name: gpu.name, availability: stock.gpuLevel(gpu, dc.id, 1, true) }));
  const cpus = cpuFlavors.filter((cpu) => dc.id in cpu.stock).map((cpu) => ({ id: cpu.id, name: cpu.name, availability: stock.cpuLevel(cpu, dc.id, true) }));
  return {
    id: dc.id,
    name: dc.name,
    region: dc.region,
    globalNetwork: dc.globalNetwork,
    networkVolumeTypes: dc.networkVolumeTypes,
    compliance: dc.compliance,
    ...(include.includes('GPU_AVAILABILITY') && gpus.length > 0 ? { gpuAvailability: gpus } : {}),
    ...(include.includes('CPU_AVAILABILITY') && cpus.length > 0 ? { cpuAvailability: cpus } : {}),
  };
}

function matchingDataCenters(call: Call): readonly DataCenterEntry[] {
  const { query } = call;
  const regions = list(query['regions']);
  const has = (dc: readonly string[], wanted: unknown): boolean => list(wanted).every((item) => dc.includes(item));
  return dataCenters.filter(
    (dc) =>
      (regions.length === 0 || regions.includes(dc.region)) &&
      has(dc.networkVolumeTypes, query['networkVolumeTypes']) &&
      has(dc.compliance, query['compliance']) &&
      (query['globalNetwork'] === undefined || dc.globalNetwork === query['globalNetwork']),
  );
}

export const catalogRoutes: readonly Route[] = [
  {
    method: 'GET',
    template: '/v2/catalog/gpus',
    handle: (call) => {
      const rows = gpuModels.map((gpu) => gpuView(call, gpu));
      const byCountry = list(call.query['countryCodes']).length > 0;
      // A type that those countries do not have drops out; the single read still tells NONE.
      return ok({ gpus: byCountry ? rows.filter((row) => row.dataCenters !== undefined) : rows });
    },
  },
  {
    method: 'GET',
    template: '/v2/catalog/gpus/{id}',
    handle: (call) => {
      const gpu = call.world.stock.gpu(call.params['id'] ?? '');
      if (gpu === undefined) throw notFound('GPU type');
      return ok(gpuView(call, gpu));
    },
  },
  { method: 'GET', template: '/v2/catalog/cpus', handle: (call) => ok({ cpus: cpuFlavors.map((cpu) => cpuView(call, cpu)) }) },
  {
    method: 'GET',
    template: '/v2/catalog/cpus/{id}',
    handle: (call) => {
      const cpu = call.world.stock.cpu(call.params['id'] ?? '');
      if (cpu === undefined) throw notFound('CPU flavor');
      return ok(cpuView(call, cpu));
    },
  },
  {
    method: 'GET',
    template: '/v2/catalog/datacenters',
    handle: (call) => ok({ dataCenters: matchingDataCenters(call).map((dc) => dataCenterView(call, dc)) }),
  },
  {
    method: 'GET',
    template: '/v2/catalog/datacenters/{id}',
    handle: (call) => {
      const dc = dataCenters.find((entry) => entry.id === call.params['id']);
      if (dc === undefined) throw notFound('data center');
      return ok(dataCenterView(call, dc));
    },
  },
];
