import { cpus, release, totalmem } from 'node:os';
import type { ActivationFigures } from './activation';
import type { FileFigure } from './files';
import type { MemoryFigures } from './memory';
import type { PodsFigures } from './pods';
import type { SearchFigures } from './search';
import { median } from './stopwatch';
import { syncTable, type SyncFigure } from './sync';
import type { WindowFigures } from './window';
import type { TripFigure } from './trips';

export interface Figures {
  readonly at: string;
  readonly machine: { readonly cpus: number; readonly model: string; readonly memoryGb: number; readonly system: string; readonly node: string; readonly load: number };
  readonly files: readonly FileFigure[];
  readonly activation?: ActivationFigures;
  readonly pods?: PodsFigures;
  readonly memory?: MemoryFigures;
  readonly sync?: readonly SyncFigure[];
  readonly search?: SearchFigures;
  readonly window?: WindowFigures;
  readonly trips?: readonly TripFigure[];
}

export const machine = (load: number): Figures['machine'] => ({
  cpus: cpus().length,
  model: cpus()[0]?.model ?? '',
  memoryGb: Math.round(totalmem() / 2 ** 30),
  system: `${process.platform} ${release()}`,
  node: process.version,
  load,
});

/** What is wanted, and what came of it. */
export interface Pledge {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
  /** Whether more is better (a ratio) or less (a time). */
  readonly atLeast: boolean;
}

/** Everything with a limit, of what has been measured. */
export function pledges({ files, activation, pods, memory, search, sync, trips, window }: Omit<Figures, 'at' | 'machine'>): Pledge[] {
  const figure = (rtt: (ms: number) => boolean, operation: string): FileFigure | undefined => files.find((f) => rtt(f.rttMs) && f.operation === operation);
  const ratio = (what: string, found: FileFigure | undefined, limit: number): Pledge[] => {
    const measured = found?.ratio['sftp'];
    return measured === undefined ? [] : [{ what, measured, limit, atLeast: true }];
  };
  const far = (ms: number): boolean => ms === 50;
  const near = (ms: number): boolean => ms === 0;
  const list = figure(far, 'list-10000')?.ms['ours'];
  return [
    ...(['read', 'write'] as const).flatMap((operation) => [
      ...ratio(`${operation} a big file, no delay: times sftp’s speed`, figure(near, operation), 0.9),
      ...ratio(`${operation} a big file, 50 ms: times sftp’s speed`, figure(far, operation), 1.3),
    ]),
    ...(sync ?? []).map(({ title, ratio: measured, limit }) => ({ what: `${title}: times rsync’s time`, measured, limit, atLeast: false })),
    ...(trips ?? []).map(({ title, trips: measured, limit }) => ({ what: `${title}, round trips`, measured, limit, atLeast: false })),
    ...(list === undefined ? [] : [{ what: 'list 10,000 entries at 50 ms, ms', measured: median(list), limit: 2_000, atLeast: false }]),
    ...(activation === undefined ? [] : [{ what: 'activation, ms of processor time', measured: activation.cpuMs, limit: 50, atLeast: false }]),
    ...(pods === undefined
      ? []
      : [
          { what: `refresh of ${pods.pods.toLocaleString('en')} pods to painted rows, ms of processor time`, measured: pods.refreshCpuMs, limit: 200, atLeast: false },
          { what: 'a tick of the status bar, ms', measured: pods.tickMs, limit: 1, atLeast: false },
        ]),
    ...(window === undefined ? [] : [{ what: `refresh of ${window.pods.toLocaleString('en')} pods to rows on the screen, ms`, measured: median(window.paintMs), limit: 200, atLeast: false }]),
    ...(search === undefined
      ? []
      : [
          { what: `first results of a search in ${search.files.toLocaleString('en')} files at 50 ms, with grep, ms`, measured: search.firstResultsMs, limit: 300, atLeast: false },
          { what: `keystroke to paths shown, of ${search.files.toLocaleString('en')}, ms of processor time`, measured: search.keystrokeCpuMs, limit: 100, atLeast: false },
        ]),
    ...(memory === undefined ? [] : [{ what: `growth during a download of ${size(memory.bytes)}, MB`, measured: memory.grewBytes / 1e6, limit: 100, atLeast: false }]),
  ];
}

/** Kept within `slack` times its limit. */
export const isKept = ({ measured, limit, atLeast }: Pledge, slack = 1): boolean => (atLeast ? measured >= limit / slack : measured <= limit * slack);

const size = (bytes: number): string => (bytes >= 1e9 ? `${bytes / 1e9} GB` : `${Math.round(bytes / 1e6)} MB`);
const short = (n: number): string => (Number.isInteger(n) || n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2));

function time(ms: number, bytes: number | undefined): string {
  if (bytes !== undefined) return `${Math.round(bytes / 1000 / ms)} MB/s`;
  return ms >= 10_000 ? `${(ms / 1000).toFixed(0)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** The figures as Markdown. */
export function table(figures: Figures): string {
  const lines: string[] = [];
  const peers = [...new Set(figures.files.flatMap(({ ratio }) => Object.keys(ratio)))];
  for (const rtt of new Set(figures.files.map(({ rttMs }) => rttMs))) {
    lines.push(`| ${rtt === 0 ? 'No delay' : `${rtt} ms round trip`} | ours | ${peers.join(' | ')} |`, `|:--|--:|${peers.map(() => '--:').join('|')}|`);
    for (const figure of figures.files.filter(({ rttMs }) => rttMs === rtt)) {
      const theirs = peers.map((peer) => {
        const ms = figure.ms[peer];
        return ms === undefined ? '–' : `${time(median(ms), figure.bytes)} (×${short(figure.ratio[peer] ?? NaN)})`;
      });
      const title = figure.bytes === undefined ? figure.title : figure.title.replace('a big file', `a file of ${size(figure.bytes)}`);
      lines.push(`| ${title} | ${time(median(figure.ms['ours'] ?? []), figure.bytes)} | ${theirs.join(' | ')} |`);
    }
    lines.push('');
  }
  if (figures.sync !== undefined) lines.push(syncTable(figures.sync), '');
  const { activation } = figures;
  lines.push('| | measured | wanted |', '|:--|--:|--:|');
  // Those of the table above have their limits there.
  const { sync: _, ...others } = figures;
  for (const pledge of pledges(others)) lines.push(`| ${pledge.what} | ${short(pledge.measured)}${isKept(pledge) ? '' : ' ✗'} | ${pledge.atLeast ? '≥' : '≤'} ${pledge.limit.toLocaleString('en')} |`);
  if (activation !== undefined) lines.push('', `At activation ${activation.modules} of the bundle’s ${activation.modulesInBundle} modules are evaluated (${Math.round(activation.bundleBytes / 1024)} KiB, ${median(activation.wallMs).toFixed(0)} ms by the clock).`);
  const { cpus: count, model, system, node, load } = figures.machine;
  lines.push('', `${count} × ${model}, ${system}, Node ${node}, load ${load.toFixed(1)} at the start. ×n: times as long as ours, round by round beside each other.`);
  return lines.join('\n');
}
