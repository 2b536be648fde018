import { randomBytes } from 'node:crypto';
import { quote } from '../../base/shell';

/** What gives a run's program its terminal on the pod; `none`: plain pipes, for the pod has neither `script` nor python3. */
export type TerminalKind = 'script' | 'python3' | 'none';

/** One run of one pod. */
export interface RunRef {
  readonly podId: string;
  readonly id: string;
}

/** Every program of a run has its id in this variable, so that all of them are found when it is stopped. */
export const RUN_VARIABLE = 'RUNPOD_WORKSPACES_RUN';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A new id; ids sort by time. */
export function newRunId(now = new Date()): string {
  return `${now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${randomBytes(3).toString('hex')}`;
}

/**
 * Shell lines that say where the runs of a pod lie. `$root/<id>/` is on the volume and lasts: `pid` (the process that
 * watches over the run, when that began in the kernel's ticks, when it began in seconds since 1970), `exit` (code, when),
 * `out`, `command`, `terminal` and `meta.json`. `$here` goes with the container, as the processes do: the pipe that
 * carries what is typed, which a network file system could not, and what is known of the terminal.
 * @param mount the pod's mount path; the login's home where it has none
 */
export function layout(podId: string, mount: string | undefined, id?: string): string[] {
  if (!ID.test(podId) || (id !== undefined && !ID.test(id))) throw new RangeError(`Not a run of a pod: ${podId} ${id ?? ''}`);
  const base = mount === undefined ? '${HOME:-/root}' : quote(mount.replace(/\/+$/, ''));
  return [`root=${base}/.runpod-workspaces/${podId}/runs`, ...(id === undefined ? [] : [`id=${id} dir=$root/${id} here=/tmp/.runpod-workspaces/${podId}/runs/${id}`])];
}

/** Where a run's output lies on the pod, for a pod with a mount path. */
export const outputPath = ({ podId, id }: RunRef, mount: string): string => `${mount.replace(/\/+$/, '')}/.runpod-workspaces/${podId}/runs/${id}/out`;

/**
 * Shell functions that say whether a process of that number is still the one that was meant: numbers come again, and a pod
 * that was stopped starts at 1. One that has ended keeps its number until its parent asks for it, which the first process of
 * many containers never does.
 */
export const ALIVE = [
  'began_of() { began=; { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1; set -- ${stat##*) }; case $1 in [ZX]) return 1 ;; esac; began=${20}; }',
  // `alive DIR`: sets pid, and succeeds when that process watches over the run.
  'alive() { pid= pid_began=; [ -f "$1/pid" ] || return 1; read -r pid pid_began started <"$1/pid"; began_of "$pid" && [ "$began" = "$pid_began" ]; }',
];

/** One word for any login shell: the lines run under `sh`. */
export const underSh = (lines: readonly string[]): string => `exec /bin/sh -c ${quote(lines.join('\n'))}`;
