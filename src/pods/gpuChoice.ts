import type { GpuType } from '../runpod/types';

/** A way to say which GPUs will do: a name of some kind, or a floor of memory with a ceiling of price. */
export type GpuChoice =
  | { readonly kind: 'named'; readonly text: string }
  /** `memoryGb` of one GPU; `under` is USD per hour of one GPU. */
  | { readonly kind: 'floor'; readonly memoryGb: number; readonly under?: number };

const FLOOR = /^\s*(?:(?:≥|>=|at least)\s*(\d+)\s*(?:GB)?|(\d+)\s*GB\s*\+?)(?:\s*(?:under|below|<|<=|≤|,)\s*\$?\s*(\d+(?:\.\d+)?)\s*(?:\/\s*h(?:r|our)?)?)?\s*$/i;

/** Reads `≥ 24 GB under $0.60`, `48 GB+`, or any name. Never fails: what is no floor is a name. */
export function parseGpuChoice(text: string): GpuChoice {
  const match = FLOOR.exec(text);
  if (!match) return { kind: 'named', text: text.trim() };
  const under = match[3];
  return { kind: 'floor', memoryGb: Number(match[1] ?? match[2]), ...(under === undefined ? {} : { under: Number(under) }) };
}

/** `NVIDIA GeForce RTX 4090`, `rtx-4090` and `RTX 4090` are the same to a person. */
const wordsOf = (name: string): string[] =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
    .split(' ')
    .filter((w) => w !== 'nvidia' && w !== 'geforce' && w !== 'amd' && w !== '');

/**
 * The GPU types a name means: the one with that id or display name, else all of that pool, else all whose name holds all
 * the words (`h100` is every H100, `4090` the RTX 4090). Empty when nothing is called so.
 */
export function typesNamed<T extends Pick<GpuType, 'id' | 'name' | 'pool'>>(text: string, types: readonly T[]): T[] {
  const wanted = text.trim().toLowerCase();
  const exact = types.filter((t) => t.id.toLowerCase() === wanted || t.name.toLowerCase() === wanted);
  if (exact.length > 0) return exact;
  const pooled = types.filter((t) => t.pool?.toLowerCase() === wanted);
  if (pooled.length > 0) return pooled;
  const words = wordsOf(text);
  if (words.length === 0) return [];
  const same = types.filter((t) => wordsOf(t.name).join(' ') === words.join(' ') || wordsOf(t.id).join(' ') === words.join(' '));
  if (same.length > 0) return same;
  return types.filter((t) => {
    const has = new Set([...wordsOf(t.name), ...wordsOf(t.id)]);
    return words.every((w) => has.has(w));
  });
}

/** The names that come nearest to one that nothing is called, for a person to choose from; at most `count`. */
export function nearestNames(text: string, types: readonly Pick<GpuType, 'name'>[], count = 5): string[] {
  const wanted = wordsOf(text).join('');
  const distance = (name: string): number => slips(wanted, wordsOf(name).join(''));
  return [...types].sort((a, b) => distance(a.name) - distance(b.name) || a.name.localeCompare(b.name)).slice(0, count).map((t) => t.name);
}

/** How many slips of the hand lie between two words: letters left out, added, mistaken, or swapped with the next. */
function slips(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1] ?? [];
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + same, swapped));
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
