import { l10n } from 'vscode';
import type { Availability, Cloud, CpuType, GpuType, Stock } from '../../runpod/types';
import { heading, stockWord, type Choice } from '../prompts/steps';
import { gigabytes, rate } from '../words';

/** The computer a person picked, with what it costs. */
export interface Hardware {
  readonly label: string;
  readonly gpu?: { readonly id: string; readonly count: number };
  readonly cpu?: { readonly id: string; readonly vcpuCount: number };
  readonly cloud: Cloud;
  /** USD per hour of compute; undefined when RunPod does not say. */
  readonly perHour: number | undefined;
  readonly dataCenters: readonly Stock[];
}

export interface Catalog {
  /** GPU types with the stock of Secure Cloud. */
  readonly secure: readonly GpuType[];
  /** The same with the stock of Community Cloud. */
  readonly community: readonly GpuType[];
  readonly cpus: readonly CpuType[];
}

const CPU_SIZES = [2, 4, 8] as const;
const LEVELS: readonly Availability[] = ['NONE', 'LOW', 'MEDIUM', 'HIGH'];

/**
 * One row for each GPU type and cloud that offers it, cheapest first; out of stock ones last.
 * @param dataCenter keep only what is in this data center (a network volume lives there)
 */
export function hardwareChoices(catalog: Catalog, recent: string | undefined, dataCenter?: string): Choice<Hardware>[] {
  const rows = [...gpuRows(catalog.secure, 'SECURE', dataCenter), ...(dataCenter ? [] : gpuRows(catalog.community, 'COMMUNITY'))].sort(cheapestFirst);
  const free = rows.filter((r) => r.stock !== 'NONE');
  const out = rows.filter((r) => r.stock === 'NONE');
  const last = free.find((r) => keyOf(r.value) === recent);
  return [
    ...(last ? [heading<Hardware>(l10n.t('Used Last')), last] : []),
    heading<Hardware>(l10n.t('GPU')),
    ...free.filter((r) => r !== last),
    heading<Hardware>(l10n.t('CPU Only')),
    ...cpuRows(catalog.cpus),
    ...(out.length > 0 ? [heading<Hardware>(l10n.t('None Free Right Now')), ...out] : []),
  ];
}

/** Tells one choice from another, for remembering. */
export const keyOf = (hardware: Hardware | undefined): string => `${hardware?.gpu?.id ?? hardware?.cpu?.id}@${hardware?.cloud}`;

type Row = Choice<Hardware> & { readonly value: Hardware; readonly stock: Availability };

function gpuRows(types: readonly GpuType[], cloud: Cloud, dataCenter?: string): Row[] {
  return types.flatMap((type): Row[] => {
    const offered = cloud === 'SECURE' ? type.secure : type.community;
    if (!offered) return [];
    const perHour = cloud === 'SECURE' ? type.price.secure : type.price.community;
    const dataCenters = (type.dataCenters ?? []).filter((d) => dataCenter === undefined || d.id === dataCenter);
    if (dataCenter !== undefined && dataCenters.length === 0) return [];
    const stock = dataCenter === undefined ? (type.availability ?? 'NONE') : (dataCenters[0]?.availability ?? 'NONE');
    return [
      {
        label: `${type.name}   ${type.memoryGb === undefined ? '' : gigabytes(type.memoryGb)}`,
        description: `${rate(perHour)}${cloud === 'COMMUNITY' ? ` · ${l10n.t('Community Cloud')}` : ''}`,
        detail: stockText(stock, dataCenters),
        stock,
        value: { label: type.name, gpu: { id: type.id, count: 1 }, cloud, perHour, dataCenters },
      },
    ];
  });
}

/** “plenty in US-KS-2, EU-RO-1 · few in US-IL-1” */
function stockText(overall: Availability, dataCenters: readonly Stock[]): string {
  if (overall === 'NONE') return l10n.t('none free right now');
  const groups = [...LEVELS].reverse().flatMap((level) => {
    const ids = dataCenters.filter((d) => d.availability === level).map((d) => d.id);
    return ids.length === 0 || level === 'NONE' ? [] : [l10n.t('{0} in {1}', stockWord(level), ids.slice(0, 4).join(', ') + (ids.length > 4 ? '…' : ''))];
  });
  return groups.length > 0 ? groups.join(' · ') : stockWord(overall);
}

function cpuRows(types: readonly CpuType[]): Choice<Hardware>[] {
  return types.flatMap((type) =>
    CPU_SIZES.filter((n) => n >= (type.vcpu.min ?? 2) && n <= (type.vcpu.max ?? 32)).map((vcpuCount): Choice<Hardware> => {
      const perHour = type.pricePerVcpu === undefined ? undefined : type.pricePerVcpu * vcpuCount;
      const memory = type.ramGbPerVcpu === undefined ? '' : `, ${gigabytes(type.ramGbPerVcpu * vcpuCount)}`;
      return {
        label: `${type.name} ${type.id}`,
        description: l10n.t('{0} vCPU{1} · {2}', vcpuCount, memory, rate(perHour)),
        value: { label: l10n.t('{0}, {1} vCPU', type.name, vcpuCount), cpu: { id: type.id, vcpuCount }, cloud: 'SECURE', perHour, dataCenters: type.dataCenters ?? [] },
      };
    }),
  );
}

const cheapestFirst = (a: Row, b: Row): number => (a.value.perHour ?? Infinity) - (b.value.perHour ?? Infinity) || a.label.localeCompare(b.label);
