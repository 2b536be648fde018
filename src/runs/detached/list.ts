import { ALIVE, layout, underSh, type RunRef, type TerminalKind } from './layout';
import type { RunMeta } from './meta';
import { RunError } from './errors';
import type { RunSession } from './session';

/** `lost`: it ended without a word, with its pod or by a KILL that met all of it. */
export type RunState = 'running' | 'exited' | 'lost';

export interface RunRecord extends RunRef {
  readonly meta: RunMeta;
  readonly state: RunState;
  /** A shell's: 128 + n after signal n. Of an exited run. */
  readonly exitCode?: number;
  /** ms since 1970 by this machine's clock, whatever the pod's says. */
  readonly startedAt: number;
  /** Of a run that is not running; of a lost one, when it was last heard. */
  readonly endedAt?: number;
  readonly terminal: TerminalKind;
  /** Part of the output could not be kept, for the pod's disk was full. Known once it has ended. */
  readonly outputCut?: true;
}

/** How long it ran, or has been running, in ms. */
export const durationOf = (run: RunRecord, now = Date.now()): number => Math.max(0, (run.endedAt ?? now) - run.startedAt);

/** About what it cost in USD; `undefined` where the rate was not known. */
export const costOf = (run: RunRecord, now = Date.now()): number | undefined =>
  run.meta.costPerHour === undefined ? undefined : (run.meta.costPerHour * durationOf(run, now)) / 3_600_000;

/**
 * The runs of a pod, newest first, in one round trip.
 * @param limit how many of the newest
 * @throws PodUnavailableError, SshError, CancelledError
 */
export async function listRuns(session: Pick<RunSession, 'podId' | 'link' | 'pod'>, options: { readonly limit?: number; readonly signal?: AbortSignal | undefined } = {}): Promise<RunRecord[]> {
  const link = await session.link(options.signal);
  const script = [
    ...layout(session.podId, session.pod?.mount?.path),
    'set -- "$root"/*/meta.json; [ -f "$1" ] || set --',
    `[ $# -le ${options.limit ?? 100} ] || shift $(($# - ${options.limit ?? 100}))`,
    'for meta; do dir=${meta%/meta.json}; tell "${dir##*/}"; done',
  ];
  const { stdout } = await link.run(underSh([...TELL(session.podId), ...script]), { deadlineMs: 30_000, signal: options.signal });
  return (await readRecords(session.podId, stdout.toString())).reverse();
}

/**
 * One run as it stands now, with the size of its output in bytes.
 * @throws RunError unknown; PodUnavailableError, SshError, CancelledError
 */
export async function findRun(session: Pick<RunSession, 'podId' | 'link' | 'pod'>, id: string, signal?: AbortSignal): Promise<RunRecord & { readonly outputBytes: number }> {
  const link = await session.link(signal);
  const { stdout } = await link.run(underSh([...TELL(session.podId), ...layout(session.podId, session.pod?.mount?.path, id), `[ ! -f "$dir/meta.json" ] || { tell ${id}; wc -c <"$dir/out"; }`]), { signal });
  const said = stdout.toString();
  const [record] = await readRecords(session.podId, said);
  if (record === undefined) throw new RunError('unknown', id);
  return { ...record, outputBytes: Number(said.trim().split('\n').at(-1)) || 0 };
}

/**
 * The last of a run's output, as bytes.
 * @param bytes how much at most
 */
export async function readOutput(session: Pick<RunSession, 'link' | 'pod'>, ref: RunRef, bytes: number, signal?: AbortSignal): Promise<Buffer> {
  const link = await session.link(signal);
  const { stdout } = await link.run(underSh([...layout(ref.podId, session.pod?.mount?.path, ref.id), `tail -c ${bytes} "$dir/out"`]), { signal, maxBytes: bytes });
  return stdout;
}

/**
 * Takes an ended run from the pod with all it said.
 * @throws RunError unknown, running, not-started
 */
export async function deleteRun(session: Pick<RunSession, 'link' | 'pod'>, ref: RunRef, signal?: AbortSignal): Promise<void> {
  const link = await session.link(signal);
  const lines = [...layout(ref.podId, session.pod?.mount?.path, ref.id), ...ALIVE, '[ -d "$dir" ] || exit 3', 'if [ ! -f "$dir/exit" ] && alive "$dir"; then exit 4; fi', 'rm -rf "$dir" "$here"'];
  const { code, stderr } = await link.run(underSh(lines), { signal });
  if (code === 3) throw new RunError('unknown', ref.id);
  if (code !== 0) throw new RunError(code === 4 ? 'running' : 'not-started', stderr.toString().trim());
}

/** No program is started for a run, so that a hundred are told at once. `read` without a word still sets its variables. */
const TELL = (podId: string): string[] => [
  'date +%s',
  ...ALIVE,
  'tell() {',
  `  dir=$root/$1 here=/tmp/.runpod-workspaces/${podId}/runs/$1 code= ended= cut= started= how=none state=lost`,
  '  if [ -f "$dir/exit" ]; then read -r code ended cut <"$dir/exit"; state=exited',
  // The volume was full when it ended.
  '  elif [ -f "$here/exit" ]; then read -r code ended cut <"$here/exit"; state=exited; fi',
  '  if alive "$dir" && [ $state = lost ]; then state=running; fi',
  '  [ $state != lost ] || ended=$(date -r "$dir/out" +%s 2>/dev/null)',
  '  [ ! -f "$dir/terminal" ] || read -r how <"$dir/terminal"',
  '  IFS= read -r text <"$dir/meta.json"',
  `  printf '%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' "$1" $state "$code" "$started" "$ended" "$how" "$cut" "$text"`,
  '}',
];

async function readRecords(podId: string, said: string): Promise<RunRecord[]> {
  const { readMeta } = await import('./meta');
  const [clock = '', ...lines] = said.split('\n');
  // Two clocks seldom agree; what matters is how long ago something was.
  const ahead = Number(clock) * 1000 - Date.now();
  const here = (seconds: string | undefined): number | undefined => (seconds === undefined || !/^\d+$/.test(seconds) ? undefined : Number(seconds) * 1000 - ahead);
  return lines.flatMap((line): RunRecord[] => {
    const [id, state, code, started, ended, terminal, cut, ...meta] = line.split('\t');
    if (id === undefined || (state !== 'running' && state !== 'exited' && state !== 'lost')) return [];
    const endedAt = state === 'running' ? undefined : here(ended);
    const startedAt = here(started) ?? endedAt ?? Date.now();
    return [
      {
        podId,
        id,
        meta: readMeta(meta.join('\t')),
        state,
        ...(state === 'exited' && /^\d+$/.test(code ?? '') ? { exitCode: Number(code) } : {}),
        startedAt,
        ...(endedAt === undefined ? {} : { endedAt }),
        terminal: terminal === 'script' || terminal === 'python3' ? terminal : 'none',
        ...(cut === 'cut' ? { outputCut: true as const } : {}),
      },
    ];
  });
}
