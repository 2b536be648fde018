/**
 * How far an image's pull is, read from the system log as lines come. Layers are counted where lines name them
 * (`3f1c…: Pulling fs layer`, `… Pull complete`), bytes where a line gives them; a plain `42%` is taken as it stands.
 */
export class PullProgress {
  #layers = new Map<string, number>();
  #percent: number | undefined;

  /** 0 to 100, never falling back; `undefined` while no line has said anything. */
  get percent(): number | undefined {
    return this.#percent;
  }

  /** Takes one line in; whether it was about the pull. */
  read(line: string): boolean {
    const layer = /^\s*([0-9a-f]{8,64}):?\s+(.+)$/i.exec(line);
    const rest = layer?.[2] ?? line;
    const part = partOf(rest);
    if (layer?.[1] !== undefined && part !== undefined) {
      this.#layers.set(layer[1], Math.max(this.#layers.get(layer[1]) ?? 0, part));
      const done = [...this.#layers.values()].reduce((sum, each) => sum + each, 0);
      this.#advance(done / this.#layers.size);
      return true;
    }
    if (!/\b(pull|download|extract)/i.test(line)) return false;
    if (part !== undefined) this.#advance(part);
    return true;
  }

  #advance(part: number): void {
    this.#percent = Math.max(this.#percent ?? 0, Math.floor(part * 100));
  }
}

/** What part of itself, 0 to 1, a layer says it has; a layer is done when it is unpacked, not when it is there. */
function partOf(text: string): number | undefined {
  if (/pull complete/i.test(text)) return 1;
  const bytes = /([\d.]+)\s*([kmgt]?)i?b?\s*\/\s*([\d.]+)\s*([kmgt]?)i?b\b/i.exec(text);
  if (bytes) {
    const [, have = '', haveUnit = '', all = '', allUnit = ''] = bytes;
    const total = inBytes(all, allUnit);
    const part = total > 0 ? Math.min(1, inBytes(have, haveUnit || allUnit) / total) : undefined;
    if (part === undefined) return undefined;
    return /extract/i.test(text) ? 0.8 + 0.19 * part : 0.8 * part;
  }
  const percent = /(\d{1,3}(?:\.\d+)?)\s?%/.exec(text);
  if (percent) return Math.min(1, Number(percent[1]) / 100);
  if (/download complete|verifying checksum/i.test(text)) return 0.8;
  return /pulling fs layer|waiting|downloading|extracting/i.test(text) ? 0 : undefined;
}

const inBytes = (value: string, unit: string): number => Number(value) * 1000 ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase());
