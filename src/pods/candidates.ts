import type { Availability, Cloud, CpuType, GpuType, Stock } from '../runpod/types';
import { parseGpuChoice, typesNamed } from './gpuChoice';

/** What can be rented, as the catalog told it a moment ago, with the stock of either cloud for so many GPUs. */
export interface Catalog {
  readonly secure: readonly GpuType[];
  readonly community: readonly GpuType[];
  readonly cpus: readonly CpuType[];
}

/** One computer in one cloud that would do; the API takes exactly one of these a request. */
export interface Candidate {
  /** For people: `2× RTX 4090`, `Compute-Optimized, 4 vCPU`. */
  readonly label: string;
  readonly gpu?: { readonly id: string; readonly count: number };
  readonly cpu?: { readonly id: string; readonly vcpuCount: number };
  readonly cloud: Cloud;
  /** Memory of one GPU, or of the CPU pod. */
  readonly memoryGb?: number;
  /** Compute in USD per hour, all GPUs together; undefined where RunPod does not say. */
  readonly perHour: number | undefined;
  readonly stock: Availability;
  /** Where it is, of the data centers that were allowed. */
  readonly dataCenters: readonly Stock[];
}

/** Why a candidate is not asked for: dearer than the cap, or of a price nobody knows. */
export interface RefusedCandidate {
  readonly candidate: Candidate;
  readonly reason: 'over-cap' | 'price-unknown';
}

export interface GpuWish {
  /** In the order of preference, in the words of `parseGpuChoice`. */
  readonly choices: readonly string[];
  readonly count: number;
  /** In the order of preference. */
  readonly clouds: readonly Cloud[];
  /** Any when absent or empty. */
  readonly dataCenterIds?: readonly string[];
}

const LEVELS: readonly Availability[] = ['NONE', 'LOW', 'MEDIUM', 'HIGH'];

/** The best of several; NONE when there is none. */
export const bestStock = (stocks: readonly Stock[]): Availability =>
  LEVELS[Math.max(0, ...stocks.map((s) => LEVELS.indexOf(s.availability ?? 'NONE')))] ?? 'NONE';

/** One GPU type in one cloud, or undefined where that cloud does not offer so many of it. */
export function gpuCandidate(type: GpuType, cloud: Cloud, count: number, dataCenterIds: readonly string[] = []): Candidate | undefined {
  const secure = cloud === 'SECURE';
  if (!(secure ? type.secure : type.community)) return undefined;
  const most = secure ? type.maxCount.secure : type.maxCount.community;
  if (most !== undefined && count > most) return undefined;
  const price = secure ? type.price.secure : type.price.community;
  const all = type.dataCenters ?? [];
  const dataCenters = dataCenterIds.length === 0 ? all : all.filter((d) => dataCenterIds.includes(d.id));
  return {
    label: count > 1 ? `${count}× ${type.name}` : type.name,
    gpu: { id: type.id, count },
    cloud,
    perHour: price === undefined ? undefined : price * count,
    stock: dataCenterIds.length === 0 ? (type.availability ?? bestStock(all)) : bestStock(dataCenters),
    dataCenters,
    ...(type.memoryGb === undefined ? {} : { memoryGb: type.memoryGb }),
  };
}

/**
 * The computers a wish amounts to, in the order to try them: the person's choices, within one choice their clouds, within
 * one cloud the cheapest. What is out of stock comes after all that is not, for it would be refused.
 * @returns also the choices that nothing in the catalog is called
 */
export function gpuCandidates(wish: GpuWish, catalog: Catalog): { readonly candidates: Candidate[]; readonly unknown: string[] } {
  const found = new Map<string, Candidate>();
  const unknown: string[] = [];
  for (const text of wish.choices) {
    const choice = parseGpuChoice(text);
    let named = false;
    for (const cloud of wish.clouds) {
      const offered = cloud === 'SECURE' ? catalog.secure : catalog.community;
      const types =
        choice.kind === 'named'
          ? typesNamed(choice.text, offered)
          : offered.filter((t) => (t.memoryGb ?? 0) >= choice.memoryGb && (choice.under === undefined || (priceOf(t, cloud) ?? Infinity) < choice.under));
      named ||= types.length > 0;
      const rows = types.flatMap((t) => gpuCandidate(t, cloud, wish.count, wish.dataCenterIds) ?? []);
      for (const row of rows.sort(cheapestFirst)) if (!found.has(keyOf(row))) found.set(keyOf(row), row);
    }
    if (!named && choice.kind === 'named') unknown.push(text);
  }
  return { candidates: inStockFirst([...found.values()]), unknown };
}

/** `cpu3c-4` and `cpu3c-4-8`: flavor, vCPUs and, for people, the memory that follows from them. */
export function parseCpu(text: string): { readonly id: string; readonly vcpuCount: number; readonly memoryGb?: number } | undefined {
  const match = /^([a-z0-9]+)-(\d+)(?:-(\d+))?$/i.exec(text.trim());
  if (!match?.[1]) return undefined;
  return { id: match[1].toLowerCase(), vcpuCount: Number(match[2]), ...(match[3] === undefined ? {} : { memoryGb: Number(match[3]) }) };
}

/** A CPU pod of this flavor and size; CPU pods are of Secure Cloud. Undefined when the catalog has no such flavor. */
export function cpuCandidate(cpu: { readonly id: string; readonly vcpuCount: number }, catalog: Catalog, dataCenterIds: readonly string[] = []): Candidate | undefined {
  const type = catalog.cpus.find((c) => c.id === cpu.id);
  if (!type) return undefined;
  const all = type.dataCenters ?? [];
  const dataCenters = dataCenterIds.length === 0 ? all : all.filter((d) => dataCenterIds.includes(d.id));
  return {
    label: `${type.name}, ${cpu.vcpuCount} vCPU`,
    cpu: { id: type.id, vcpuCount: cpu.vcpuCount },
    cloud: 'SECURE',
    perHour: type.pricePerVcpu === undefined ? undefined : type.pricePerVcpu * cpu.vcpuCount,
    stock: dataCenterIds.length === 0 ? (type.availability ?? bestStock(all)) : bestStock(dataCenters),
    dataCenters,
    ...(type.ramGbPerVcpu === undefined ? {} : { memoryGb: type.ramGbPerVcpu * cpu.vcpuCount }),
  };
}

/** Parts what may be asked for from what costs more than the cap (USD per hour of compute, whole pod) or might. */
export function withinCap(candidates: readonly Candidate[], cap: number | undefined): { readonly allowed: Candidate[]; readonly refused: RefusedCandidate[] } {
  if (cap === undefined) return { allowed: [...candidates], refused: [] };
  const allowed: Candidate[] = [];
  const refused: RefusedCandidate[] = [];
  for (const candidate of candidates) {
    if (candidate.perHour === undefined) refused.push({ candidate, reason: 'price-unknown' });
    // Prices are multiplied out of decimal fractions: a hair above is not above.
    else if (candidate.perHour > cap + 1e-9) refused.push({ candidate, reason: 'over-cap' });
    else allowed.push(candidate);
  }
  return { allowed, refused };
}

/** Tells one candidate from another, for remembering and for not trying one twice. */
export const keyOf = (c: Pick<Candidate, 'gpu' | 'cpu' | 'cloud'> | undefined): string =>
  c === undefined ? '' : c.gpu ? `${c.gpu.count}×${c.gpu.id}@${c.cloud}` : `${c.cpu?.id}-${c.cpu?.vcpuCount}@${c.cloud}`;

const priceOf = (type: GpuType, cloud: Cloud): number | undefined => (cloud === 'SECURE' ? type.price.secure : type.price.community);
const cheapestFirst = (a: Candidate, b: Candidate): number => (a.perHour ?? Infinity) - (b.perHour ?? Infinity) || a.label.localeCompare(b.label);
const inStockFirst = (rows: readonly Candidate[]): Candidate[] => [...rows.filter((r) => r.stock !== 'NONE'), ...rows.filter((r) => r.stock === 'NONE')];
