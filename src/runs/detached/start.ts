import { CancelledError, isCancelled } from '../../base/errors';
import { quote } from '../../base/shell';
import { sleep } from '../../base/time';
import { PodUnavailableError } from '../../pods/contracts';
import type { PodSession } from '../../pods/podSession';
import { isSshError } from '../../ssh/errors';
import { composeCommand } from '../command';
import { terminalEnvironment, TERM, type TtySize, defaultSize } from '../tty';
import { RunError } from './errors';
import { ALIVE, layout, newRunId, RUN_VARIABLE, underSh, type RunRef, type TerminalKind } from './layout';
import type { RunMeta } from './meta';
import { stopRun } from './stop';
import { TERMINAL_PROGRAM } from './terminalProgram';

/** What a run needs of a pod's session. */
export type RunSession = Pick<PodSession, 'podId' | 'link' | 'run' | 'hold' | 'state' | 'reason' | 'pod' | 'onDidChange'>;

export interface RunSpec extends RunMeta {
  readonly size?: TtySize | undefined;
  /** What may give it a terminal, best first; whatever the pod has unless told. */
  readonly terminals?: readonly TerminalKind[];
}

export interface StartedRun extends RunRef {
  readonly terminal: TerminalKind;
}

const DEADLINE_MS = 30_000;
const ATTEMPTS = 6;
/** Exit codes of the script below. */
const Exit = { Cut: 75, MissingTool: 76, NotStarted: 77 } as const;

/**
 * Starts a command on a pod in a session of its own, so that it outlives the connection, with its output on the pod's
 * volume. A connection that is lost on the way starts nothing twice: the run's folder is made only once the whole command
 * has arrived, and only one can make it.
 * @throws RunError, PodUnavailableError, SshError, CancelledError; RangeError for what no shell can carry
 */
export async function startRun(session: RunSession, spec: RunSpec, signal?: AbortSignal): Promise<StartedRun> {
  const { size = defaultSize, terminals = ['script', 'python3', 'none'], ...meta } = spec;
  const id = newRunId();
  let begun = false;
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const link = await session.link(signal);
        const mount = session.pod?.mount?.path;
        const payload = Buffer.from(`${JSON.stringify(meta)}\n${commandFile(session.podId, mount, id, meta)}`);
        begun = true;
        const said = await link.run(underSh(startScript(session.podId, mount, id, payload.length, size, terminals)), { input: payload, deadlineMs: DEADLINE_MS, signal });
        const [word, terminal] = said.stdout.toString().trim().split(' ');
        if (word === 'started') return { podId: session.podId, id, terminal: terminal === 'script' || terminal === 'python3' ? terminal : 'none' };
        const detail = said.stderr.toString().trim().slice(0, 500);
        if (said.code === Exit.MissingTool) throw new RunError('missing-tool', detail);
        throw new RunError(/No space left|quota exceeded/i.test(detail) ? 'no-space' : 'not-started', detail);
      } catch (error) {
        if (!begun || !isPassing(error) || attempt >= ATTEMPTS) throw error;
        await sleep(100 * attempt, signal);
      }
    }
  } catch (error) {
    // It may have begun although nobody waits for it any more.
    if (begun && (isCancelled(error) || signal?.aborted)) void stopRun(session, { podId: session.podId, id }).catch(() => undefined);
    throw signal?.aborted ? new CancelledError() : error;
  }
}

const isPassing = (error: unknown): boolean =>
  isSshError(error, 'closed') || isSshError(error, 'timeout') || (error instanceof PodUnavailableError && (error.code === 'unreachable' || error.code === 'no-ssh'));

/** What the terminal's first process runs; it becomes the command. */
function commandFile(podId: string, mount: string | undefined, id: string, meta: RunMeta): string {
  return [
    ...layout(podId, mount, id),
    'echo $$ >"$here/session"',
    // `script` gives a terminal without echo where nobody sits before it.
    'if tty >"$here/tty"; then stty sane; stty iutf8; read -r rows cols <"$here/size" && stty rows "$rows" cols "$cols"; fi 2>/dev/null',
    `unset RPW_COMMAND; ${RUN_VARIABLE}=$id; export ${RUN_VARIABLE}`,
    'unset root id dir here rows cols',
    composeCommand({ command: meta.command, cwd: meta.cwd ?? mount, env: { ...terminalEnvironment, ...meta.env } }),
    '',
  ].join('\n');
}

/**
 * Watches over the run: has it a terminal, keeps its output, and notes how it ended once all output is written. Signals that
 * are meant for the run do not end this process, or nobody would note anything.
 */
const keeper = [
  'dir=$1 here=$2 how=$3',
  "trap : TERM INT HUP",
  ...ALIVE,
  'began_of $$',
  'echo "$$ $began $(date +%s)" >"$dir/.pid" && mv "$dir/.pid" "$dir/pid"',
  'exec 3<>"$here/in"',
  'RPW_COMMAND=$dir/command; export RPW_COMMAND',
  'case $how in',
  // A volume that is full must not end the run: what cannot be written is read and dropped.
  `  script) { script -q -e -f -c 'exec /bin/sh "$RPW_COMMAND"' /dev/null <&3 3<&-; echo $? >"$here/code"; } 2>&1 | { cat >>"$dir/out" || cat >/dev/null; } 3<&-; read -r code <"$here/code" ;;`,
  '  python3) python3 "$here/terminal.py" "$RPW_COMMAND" <&3 3<&- >>"$dir/out" 2>&1; code=$? ;;',
  // Not the leader of a group, so this one does not leave it waiting.
  '  *) setsid /bin/sh "$RPW_COMMAND" <&3 3<&- >>"$dir/out" 2>&1; code=$? ;;',
  'esac',
  'word="${code:-255} $(date +%s)"',
  'if echo "$word" >"$dir/.exit" && mv "$dir/.exit" "$dir/exit"; then rm -rf "$here"; else echo "$word" >"$here/exit"; fi',
];

function startScript(podId: string, mount: string | undefined, id: string, bytes: number, size: TtySize, terminals: readonly TerminalKind[]): string[] {
  return [
    ...layout(podId, mount, id),
    `started() { n=0; while [ ! -f "$dir/pid" ]; do [ $n -lt 500 ] || { echo "nothing runs in $dir" >&2; exit ${Exit.NotStarted}; }; sleep 0.02 2>/dev/null || { sleep 1; n=$((n + 49)); }; n=$((n + 1)); done; read -r how <"$dir/terminal"; echo "started $how"; exit 0; }`,
    // An earlier attempt, whose answer was lost.
    '[ ! -d "$dir" ] || started',
    `command -v setsid >/dev/null 2>&1 || { echo setsid >&2; exit ${Exit.MissingTool}; }`,
    `command -v mkfifo >/dev/null 2>&1 || { echo mkfifo >&2; exit ${Exit.MissingTool}; }`,
    'mask=$(umask); umask 077',
    'stage=$root/.$id.$$',
    `fail() { rm -rf "$stage"; exit ${Exit.NotStarted}; }`,
    'mkdir -p "$stage" && cat >"$stage/payload" || fail',
    `[ "$(wc -c <"$stage/payload")" -eq ${bytes} ] || { rm -rf "$stage"; exit ${Exit.Cut}; }`,
    'head -n 1 "$stage/payload" >"$stage/meta.json" && tail -n +2 "$stage/payload" >"$stage/command" || fail',
    'how=none',
    `for kind in ${terminals.join(' ')}; do case $kind in`,
    '  script) script --version 2>/dev/null | grep -q util-linux && how=script && break ;;',
    "  python3) python3 -c 'import pty, os; os.set_blocking' 2>/dev/null && how=python3 && break ;;",
    '  none) break ;;',
    'esac; done',
    'echo $how >"$stage/terminal" || fail',
    'mkdir "$dir" 2>/dev/null || { [ -d "$dir" ] || fail; rm -rf "$stage"; started; }',
    // From here on the connection may go.
    'mkdir -p "$here" && mkfifo "$here/in" || { echo "no room in $here" >&2; rm -rf "$dir"; fail; }',
    `echo ${Math.max(1, Math.floor(size.rows))} ${Math.max(1, Math.floor(size.cols))} >"$here/size"`,
    `[ $how != python3 ] || printf %s ${quote(TERMINAL_PROGRAM)} >"$here/terminal.py"`,
    'mv "$stage/terminal" "$stage/command" "$stage/meta.json" "$dir/"; rm -rf "$stage"; : >"$dir/out"',
    'umask "$mask"',
    `TERM=${TERM}; export TERM`,
    // The second one is leader of its group, so it forks and returns. A shell's own `&` would have the run ignore Ctrl-C.
    `setsid setsid /bin/sh -c ${quote(keeper.join('\n'))} run "$dir" "$here" "$how" </dev/null >/dev/null 2>&1`,
    'started',
  ];
}
