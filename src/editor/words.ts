import { l10n } from 'vscode';

/** `$0.69`; under a cent `< $0.01`; `unknown` where nobody knows. An estimate of a cent and more carries `~`. */
export function money(usd: number | undefined, options: { estimate?: boolean } = {}): string {
  if (usd === undefined || !Number.isFinite(usd)) return l10n.t('unknown');
  if (usd > 0 && usd < 0.01) return '< $0.01';
  return `${options.estimate && usd !== 0 ? '~' : ''}$${usd.toFixed(2)}`;
}

/** What something came to by our own reckoning: `~$0.16`; `undefined` where nobody knows, or it came to nothing. */
export const came = (usd: number | undefined): string | undefined => (usd === undefined || usd === 0 ? undefined : money(usd, { estimate: true }));

/** `$0.69/hr`. Rates under a cent an hour keep three digits, for storage adds up. */
export function rate(usdPerHour: number | undefined, options: { estimate?: boolean } = {}): string {
  if (usdPerHour === undefined) return l10n.t('rate unknown');
  const digits = usdPerHour > 0 && usdPerHour < 0.1 ? 3 : 2;
  return `${options.estimate && usdPerHour !== 0 ? '~' : ''}$${usdPerHour.toFixed(digits)}/hr`;
}

/** `20h`, `3h`, `12m`: one unit, for the narrowest places; below three hours the minutes count too. */
export function tinyTime(ms: number): string {
  const text = shortTime(ms);
  return ms < 3 * 3_600_000 ? text : (text.split(' ')[0] ?? text);
}

/** `3h 12m`, `12m`, `45s`, `2d 4h`: two units at most, for narrow places. */
export function shortTime(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s}s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m}m`;
  const h = Math.floor(m / 60);
  if (h < 48) return m % 60 === 0 ? `${h}h` : `${h}h ${m % 60}m`;
  const d = Math.floor(h / 24);
  return d < 10 && h % 24 !== 0 ? `${d}d ${h % 24}h` : `${d}d`;
}

/** `3 h 12 min`, `45 s`: for sentences. */
export function longTime(ms: number): string {
  return shortTime(ms)
    .replace(/(\d+)d/, '$1 d')
    .replace(/(\d+)h/, '$1 h')
    .replace(/(\d+)m/, '$1 min')
    .replace(/(\d+)s/, '$1 s');
}

/** A moment in the person's own zone. */
export const localTime = (at: number | Date): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** `2×A40`, `4090`: the hardware in as few letters as it can be told by. */
export function shortGpu(id: string, count: number): string {
  const name = id
    .replace(/^(NVIDIA|AMD)\s+/i, '')
    .replace(/^(GeForce\s+)?RTX\s+(?=\d)/i, '')
    .replace(/^Instinct\s+/i, '')
    .replace(/\s+(Generation|OAM|HBM3|80GB.*|Server Edition|Workstation Edition)\b/gi, '')
    .trim();
  return count > 1 ? `${count}×${name}` : name;
}

/** `12 files`, `1 file` would need plural rules per language; counts are written as `files: 12` instead where it matters. */
export const gigabytes = (gb: number): string => l10n.t('{0} GB', gb);

/** Text as Markdown that shows just it. Names and images come from outside: nothing in them may become markup, an icon, or end a table's cell. */
export const plainMarkdown = (text: string): string => text.replace(/[\\`*_{}[\]()#+\-.!|<>$~]/g, '\\$&').replace(/\s+/g, ' ');

/** `850 bytes`, `4.2 MB`, `118 GB`. */
export function dataSize(bytes: number): string {
  if (bytes < 1000) return l10n.t('{0} bytes', bytes);
  const units = ['KB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${units[unit] ?? ''}`;
}
