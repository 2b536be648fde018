import { quote } from '../../base/shell';
import { composeCommand } from '../command';
import { TERM, terminalEnvironment, type TtySize } from '../tty';
import { ALIVE, layout, RUN_VARIABLE, type TerminalKind } from './layout';
import type { RunMeta } from './meta';
import { TERMINAL_PROGRAM } from './terminalProgram';

/** Exit codes of the script that starts a run. */
export const StartExit = { cut: 75, missingTool: 76, notStarted: 77 } as const;

/** What the terminal's first process runs; it becomes the command. */
export function commandFile(podId: string, mount: string | undefined, id: string, meta: RunMeta): string {
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
 * are meant for the run do not end this process, or nobody would note anything. Once it has begun it needs nothing of
 * `$here` any more: whoever empties /tmp takes the keyboard away and not the exit code.
 */
const keeper = [
  'dir=$1 here=$2 how=$3',
  'trap : TERM INT HUP',
  ...ALIVE,
  'began_of $$',
  'echo "$$ $began $(date +%s)" >"$dir/.pid" && mv "$dir/.pid" "$dir/pid"',
  'exec 3<>"$here/in"',
  'RPW_COMMAND=$dir/command; export RPW_COMMAND',
  // A volume that is full must not end the run: what cannot be written is read and dropped, until there is room again.
  'keep() { until cat >&5; do echo >"$here/cut"; done 2>/dev/null 5>>"$dir/out" || cat >/dev/null; }',
  'case $how in',
  // The exit code comes by a pipe of its own, which nothing that the run starts may hold open.
  `  script) code=$({ { trap : TERM INT HUP; script -q -e -f -c 'exec /bin/sh "$RPW_COMMAND"' /dev/null <&3 3<&- 4>&-; echo $? >&4; } 2>&1 | keep 3<&- 4>&-; } 4>&1) ;;`,
  '  python3) python3 "$here/terminal.py" "$RPW_COMMAND" "$here/cut" <&3 3<&- >>"$dir/out" 2>&1; code=$? ;;',
  // Not the leader of a group, so this one does not leave it waiting. What it leaves behind may hold the pipe for ever.
  '  *) mkfifo "$here/told"; keep <"$here/told" 3<&- & teller=$!',
  '    setsid /bin/sh "$RPW_COMMAND" <&3 3<&- >"$here/told" 2>&1; code=$?',
  '    n=0; while [ $n -lt 20 ] && kill -0 $teller 2>/dev/null; do sleep 0.1 2>/dev/null || { sleep 1; n=$((n + 9)); }; n=$((n + 1)); done ;;',
  'esac',
  'cut=; [ ! -f "$here/cut" ] || cut=" cut"',
  'word="${code:-255} $(date +%s)$cut"',
  'if echo "$word" >"$dir/.exit" && mv "$dir/.exit" "$dir/exit"; then rm -rf "$here"; else mkdir -p "$here"; echo "$word" >"$here/exit"; fi',
];

/**
 * Shell lines that start a run whose meta data and command come on standard input.
 * @param bytes how many of them
 */
export function startScript(podId: string, mount: string | undefined, id: string, bytes: number, size: TtySize, terminals: readonly TerminalKind[]): string[] {
  return [
    ...layout(podId, mount, id),
    `started() { n=0; while [ ! -f "$dir/pid" ]; do [ $n -lt 500 ] || { echo "nothing runs in $dir" >&2; exit ${StartExit.notStarted}; }; sleep 0.02 2>/dev/null || { sleep 1; n=$((n + 49)); }; n=$((n + 1)); done; read -r how <"$dir/terminal"; echo "started $how"; exit 0; }`,
    // An earlier attempt, whose answer was lost.
    '[ ! -d "$dir" ] || started',
    `command -v setsid >/dev/null 2>&1 || { echo setsid >&2; exit ${StartExit.missingTool}; }`,
    `command -v mkfifo >/dev/null 2>&1 || { echo mkfifo >&2; exit ${StartExit.missingTool}; }`,
    'mask=$(umask); umask 077',
    'stage=$root/.$id.$$',
    `fail() { rm -rf "$stage"; exit ${StartExit.notStarted}; }`,
    'mkdir -p "$stage" && cat >"$stage/payload" || fail',
    `[ "$(wc -c <"$stage/payload")" -eq ${bytes} ] || { rm -rf "$stage"; exit ${StartExit.cut}; }`,
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
