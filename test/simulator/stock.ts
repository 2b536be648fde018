import { cpuFlavors, type CpuFlavor } from './catalog/cpus';
import { gpuModels, type Availability, type GpuModel } from './catalog/gpus';
import type { Cloud } from './pod';
import type { Settings } from './settings';

/** What the data centers have left: the catalog's levels, less what the shortages take. */
export class Stock {
  constructor(private readonly settings: Pick<Settings, 'shortages'>) {}

  gpu(id: string): GpuModel | undefined {
    return gpuModels.find((gpu) => gpu.id === id);
  }

  cpu(id: string): CpuFlavor | undefined {
    return cpuFlavors.find((cpu) => cpu.id === id);
  }

  /** @param asShown what the catalog says rather than what is there. */
  gpuLevel(gpu: GpuModel, dataCenter: string, count: number, asShown: boolean): Availability {
    if (count > gpu.maxSecure || this.#short(gpu.id, dataCenter, asShown)) return 'NONE';
    const level = gpu.stock[dataCenter] ?? 'NONE';
    // Machines with many free GPUs are rarer.
    return count > 4 && level !== 'NONE' ? 'LOW' : level;
  }

  communityLevel(gpu: GpuModel, count: number, asShown: boolean): Availability {
    return count > gpu.maxCommunity || this.#short(gpu.id, COMMUNITY, asShown) ? 'NONE' : gpu.communityStock;
  }

  cpuLevel(cpu: CpuFlavor, dataCenter: string, asShown: boolean): Availability {
    return this.#short(cpu.id, dataCenter, asShown) ? 'NONE' : (cpu.stock[dataCenter] ?? 'NONE');
  }

  /** The data center that takes such a pod, the best stocked first; `undefined`: nobody has one. */
  place(want: { gpu?: { id: string; count: number }; cpuId?: string; cloud: Cloud; dataCenterIds: readonly string[] }): string | undefined {
    const allowed = (dataCenter: string): boolean => want.dataCenterIds.length === 0 || want.dataCenterIds.includes(dataCenter);
    const gpu = want.gpu === undefined ? undefined : this.gpu(want.gpu.id);
    const cpu = want.cpuId === undefined ? undefined : this.cpu(want.cpuId);
    const count = want.gpu?.count ?? 1;
    if (want.cloud === 'COMMUNITY') {
      if (gpu === undefined || this.communityLevel(gpu, count, false) === 'NONE') return undefined;
      return ['CA-MTL-2', 'EU-NL-1'].find(allowed);
    }
    const levels = Object.keys((gpu ?? cpu)?.stock ?? {})
      .filter(allowed)
      .map((id) => ({ id, level: gpu !== undefined ? this.gpuLevel(gpu, id, count, false) : cpu !== undefined ? this.cpuLevel(cpu, id, false) : 'NONE' }));
    return levels.filter(({ level }) => level !== 'NONE').sort((a, b) => rank[b.level] - rank[a.level])[0]?.id;
  }

  #short(resource: string, dataCenter: string, asShown: boolean): boolean {
    return this.settings.shortages.some(
      (s) =>
        (s.gpu === undefined || s.gpu === resource) &&
        (s.dataCenter === undefined || s.dataCenter === dataCenter) &&
        !(asShown && s.catalogUnaware === true),
    );
  }
}

/** Stands for Community Cloud as a whole among the data centers of a shortage. */
export const COMMUNITY = 'COMMUNITY';

export const rank: Readonly<Record<Availability, number>> = { NONE: 0, LOW: 1, MEDIUM: 2, HIGH: 3 };

/** The best of several levels. */
export const bestOf = (levels: readonly Availability[]): Availability =>
  levels.reduce<Availability>((best, level) => (rank[level] > rank[best] ? level : best), 'NONE');
