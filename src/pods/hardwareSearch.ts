import { gpuCandidate, type Candidate, type Catalog } from './candidates';
import type { Availability, Stock } from '../runpod/types';

/** One GPU type with what it costs and where it is in either cloud: a row to choose from. */
export interface HardwareRow {
  readonly id: string;
  readonly name: string;
  readonly count: number;
  /** Of one GPU. */
  readonly memoryGb?: number;
  readonly pool?: string;
  readonly secure?: Candidate;
  readonly community?: Candidate;
  /** The better of the two. */
  readonly stock: Availability;
}

const LEVELS: readonly Availability[] = ['NONE', 'LOW', 'MEDIUM', 'HIGH'];

/**
 * What choosing the row means: Secure Cloud where it is in stock, else Community, else whatever offers it at all.
 * @param under only below this price, where one of them is; USD per hour, all GPUs
 */
export function offerOf(row: HardwareRow, under = Infinity): Candidate | undefined {
  const offers = [row.secure, row.community].filter((c) => c !== undefined);
  const free = offers.filter((c) => c.stock !== 'NONE');
  const best = free.length > 0 ? free : offers;
  return best.find((c) => (c.perHour ?? Infinity) < under) ?? best[0];
}

/** Every GPU type that some cloud has in machines of so many, cheapest first, what is out of stock last. */
export function hardwareRows(catalog: Catalog, count: number, dataCenterIds: readonly string[] = []): HardwareRow[] {
  const community = new Map(catalog.community.map((t) => [t.id, t]));
  const types = [...catalog.secure, ...catalog.community.filter((t) => !catalog.secure.some((s) => s.id === t.id))];
  const rows = types.flatMap((type): HardwareRow[] => {
    const other = community.get(type.id);
    const secure = gpuCandidate(type, 'SECURE', count, dataCenterIds);
    // Community Cloud has no network volumes, and its hosts are not picked by data center.
    const shared = other && dataCenterIds.length === 0 ? gpuCandidate(other, 'COMMUNITY', count) : undefined;
    if (!secure && !shared) return [];
    const stock = LEVELS[Math.max(LEVELS.indexOf(secure?.stock ?? 'NONE'), LEVELS.indexOf(shared?.stock ?? 'NONE'))] ?? 'NONE';
    return [
      {
        id: type.id,
        name: type.name,
        count,
        stock,
        ...(type.memoryGb === undefined ? {} : { memoryGb: type.memoryGb }),
        ...(type.pool === undefined ? {} : { pool: type.pool }),
        ...(secure ? { secure } : {}),
        ...(shared ? { community: shared } : {}),
      },
    ];
  });
  return rows.sort((a, b) => Number(a.stock === 'NONE') - Number(b.stock === 'NONE') || (offerOf(a)?.perHour ?? Infinity) - (offerOf(b)?.perHour ?? Infinity) || a.name.localeCompare(b.name));
}

/** A sensible first choice for somebody without one: the cheapest with 24 GB or more that is not about to run out. */
export const suggestedRow = (rows: readonly HardwareRow[]): HardwareRow | undefined =>
  rows.find((r) => (r.memoryGb ?? 0) >= 24 && LEVELS.indexOf(r.secure?.stock ?? 'NONE') >= 2) ?? rows.find((r) => (r.memoryGb ?? 0) >= 24 && r.stock !== 'NONE');

/** The data centers of both clouds that have it, the fullest first. */
export function placesOf(row: HardwareRow): readonly Stock[] {
  const all = [...(row.secure?.dataCenters ?? []), ...(row.community?.dataCenters ?? [])];
  const best = new Map<string, Stock>();
  for (const place of all) {
    const known = best.get(place.id);
    if (!known || LEVELS.indexOf(place.availability ?? 'NONE') > LEVELS.indexOf(known.availability ?? 'NONE')) best.set(place.id, place);
  }
  return [...best.values()].sort((a, b) => LEVELS.indexOf(b.availability ?? 'NONE') - LEVELS.indexOf(a.availability ?? 'NONE'));
}

/** `2x`, `4 ×` before other words: how many GPUs. */
export function countIn(query: string): { readonly count: number | undefined; readonly rest: string } {
  const match = /^\s*(\d{1,2})\s*[x×]\s*/i.exec(query);
  return match ? { count: Math.max(1, Number(match[1])), rest: query.slice(match[0].length) } : { count: undefined, rest: query };
}

/** The price that what was typed must stay under; undefined where it says none. */
export const ceilingIn = (query: string): number | undefined => wordsIn(query).flatMap((w) => ceilingOf(w) ?? [])[0];

function ceilingOf(word: string): number | undefined {
  const match = /^[<≤](\d*\.?\d+)(?:\/h(?:r|our)?)?$/.exec(word);
  return match ? Number(match[1]) + (word.startsWith('≤') ? 1e-9 : 0) : undefined;
}

const wordsIn = (query: string): string[] =>
  countIn(query)
    .rest.toLowerCase()
    .replace(/([<≤>≥])\s*=?\s*\$?\s*/g, ' $1')
    .split(/\s+/)
    .filter((word) => word !== '' && word !== 'gb');

/**
 * Whether a row is meant by what was typed: `48` or `48gb` its memory (or a number in its name), `24+` at least so much,
 * `<1` a price under one dollar an hour, anything else part of its name, pool or a data center. All words must fit.
 */
export const matchesQuery = (row: HardwareRow, query: string): boolean => wordsIn(query).every((word) => matchesWord(row, word));

function matchesWord(row: HardwareRow, word: string): boolean {
  const memory = row.memoryGb ?? 0;
  const price = ceilingOf(word);
  if (price !== undefined) return (offerOf(row, price)?.perHour ?? Infinity) < price;
  const atLeast = /^(?:[>≥](\d+)(?:gb)?|(\d+)(?:gb)?\+)$/.exec(word);
  if (atLeast) return memory >= Number(atLeast[1] ?? atLeast[2]);
  // A comparison that is still being typed hides nothing.
  if (/^[<≤>≥]$/.test(word)) return true;
  const gb = /^(\d+)(gb?)?$/.exec(word);
  if (gb && (gb[2] ? memory === Number(gb[1]) : String(memory).startsWith(gb[1] ?? ''))) return true;
  const text = [row.name, row.id, row.pool ?? '', row.secure ? 'secure' : '', row.community ? 'community' : '', ...placesOf(row).map((p) => p.id)].join(' ').toLowerCase();
  return text.includes(word);
}

