/** How a command on a pod ended, as SSH tells it. Neither field: the connection went before it said. */
export interface CommandEnd {
  readonly code?: number | undefined;
  /** Without `SIG`, as SSH names it: `INT`, `TERM`. */
  readonly signal?: string | undefined;
}

/** Linux numbers of the signals that SSH can name (RFC 4254, 6.10). */
const SIGNALS: Readonly<Record<string, number>> = { HUP: 1, INT: 2, QUIT: 3, ILL: 4, ABRT: 6, FPE: 8, KILL: 9, USR1: 10, SEGV: 11, USR2: 12, PIPE: 13, ALRM: 14, TERM: 15 };

/** The exit code a shell would show: 128 + n after signal n. `undefined` when the connection went before the end. */
export function exitCodeOf(end: CommandEnd): number | undefined {
  if (end.code !== undefined) return end.code;
  if (end.signal === undefined) return undefined;
  return 128 + (SIGNALS[end.signal.replace(/^SIG/, '')] ?? 0);
}
