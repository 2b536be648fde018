import { RunError } from './errors';
import { ALIVE, layout, RUN_VARIABLE, underSh, type RunRef } from './layout';
import type { RunSession } from './session';

export interface StopOptions {
  /** Seconds between TERM and KILL. Ten, as container runtimes have it, unless told. */
  readonly graceSeconds?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ends a run: TERM to every program of it, then KILL to those that are left. Programs are told by the terminal's session
 * and by a variable that they inherit, so that workers with sessions of their own go too. Resolves when the run has ended;
 * stopping what has ended does nothing.
 * @throws RunError unknown; PodUnavailableError, SshError, CancelledError
 */
export async function stopRun(session: Pick<RunSession, 'link' | 'pod'>, ref: RunRef, options: StopOptions = {}): Promise<void> {
  const { graceSeconds = 10, signal } = options;
  const link = await session.link(signal);
  const { code } = await link.run(underSh(stopScript(ref, session.pod?.mount?.path, Math.max(0, Math.ceil(graceSeconds)))), { deadlineMs: (graceSeconds + 30) * 1000, signal });
  if (code === 3) throw new RunError('unknown', ref.id);
}

/** Sends one signal to the program in front, as Ctrl-C does, where there is no terminal to type it into. */
export async function interruptRun(session: Pick<RunSession, 'link' | 'pod'>, ref: RunRef, signal?: AbortSignal): Promise<void> {
  const link = await session.link(signal);
  await link.run(underSh([...layout(ref.podId, session.pod?.mount?.path, ref.id), 'read -r leader <"$here/session" && kill -INT "-$leader"']), { signal });
}

const stopScript = ({ podId, id }: RunRef, mount: string | undefined, grace: number): string[] => [
  ...layout(podId, mount, id),
  ...ALIVE,
  '[ -d "$dir" ] || exit 3',
  'over() { [ -f "$dir/exit" ] || ! alive "$dir"; }',
  // One that has just begun says in a moment which session is its own; before, TERM would reach nobody.
  'n=0; while [ -d "$here" ] && [ ! -s "$here/session" ] && [ $n -lt 20 ] && ! over; do sleep 0.1 2>/dev/null || { sleep 1; n=$((n + 9)); }; n=$((n + 1)); done',
  'session=; [ ! -f "$here/session" ] || read -r session <"$here/session"',
  'to_all() {',
  '  hit=0',
  '  for proc in /proc/[0-9]*; do',
  '    { read -r stat <"$proc/stat"; } 2>/dev/null || continue',
  '    set -- ${stat##*) }',
  '    [ "$1" != Z ] || continue',
  '    if [ -n "$session" ] && [ "$4" = "$session" ]; then kill "-$signal" "${proc#/proc/}"; hit=1',
  `    elif tr '\\000' '\\n' <"$proc/environ" | grep -qx "${RUN_VARIABLE}=$id"; then kill "-$signal" "\${proc#/proc/}"; hit=1; fi`,
  '  done 2>/dev/null',
  '}',
  'wait_for_end() { n=0; while ! over; do [ $n -lt $(($1 * 10)) ] || return 1; sleep 0.1 2>/dev/null || { sleep 1; n=$((n + 9)); }; n=$((n + 1)); done; }',
  'if ! over; then',
  '  signal=TERM; to_all',
  `  wait_for_end ${grace} || { signal=KILL; to_all; to_all; wait_for_end 5 || kill -KILL "$pid"; }`,
  // What has a session of its own may outlive the program that started it; it has had its TERM.
  '  signal=0; to_all; [ $hit = 0 ] || { sleep 1; signal=KILL; to_all; }',
  'fi',
  'exit 0',
];
