import { quote } from '../base/shell';
import { loadPodEnvironment, type EnvironmentFiles } from './podEnvironment';

export interface CommandSpec {
  /** Shell text, as a person types it. Runs under bash where the pod has it, else under sh. */
  readonly command: string;
  /** Absolute path on the pod; the login's home where there is none. */
  readonly cwd?: string | undefined;
  /** Set on top of the pod's own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly environmentFiles?: EnvironmentFiles;
}

export interface LoginShellSpec {
  /** Where the shell starts; where that is missing, it starts in the login's home. */
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly environmentFiles?: EnvironmentFiles;
}

/**
 * The line to give to SSH `exec` so that a command runs on a pod as its owner expects: in `cwd`, with the pod's own
 * environment, Python's output unbuffered. Each step is an `exec`, so a signal or an exit code is the command's own.
 * @throws RangeError for a variable name that is none, or a NUL anywhere.
 */
export function composeCommand(spec: CommandSpec): string {
  const command = quote(spec.command);
  return underSh([
    loadPodEnvironment(spec.environmentFiles),
    ': "${PYTHONUNBUFFERED=1}"; export PYTHONUNBUFFERED',
    ...exports(spec.env),
    ...(spec.cwd === undefined ? [] : [`cd ${quote(absolute(spec.cwd))} || exit 1`]),
    `if command -v bash >/dev/null 2>&1; then exec bash -c ${command}; else exec sh -c ${command}; fi`,
  ]);
}

/**
 * The line to give to SSH `exec` with a pty for an interactive shell: the login's own shell, after its login files.
 *
 * Debian's `/etc/profile` replaces PATH, which would take away what the image put there (conda, CUDA), so the login
 * files run first, what they dropped from PATH goes back in front, and only then the shell turns interactive. RunPod's
 * images let `.bashrc` export PID 1's variables, its PWD and TERM among them; in bash those are put right behind it.
 */
export function composeLoginShell(spec: LoginShellSpec = {}): string {
  const interactive = [
    'p=$1: add=',
    'while [ -n "$p" ]; do d=${p%%:*}; p=${p#*:}; case ":$PATH:" in *":$d:"*) ;; *) [ -z "$d" ] || add=$add$d: ;; esac; done',
    'PATH=$add$PATH; export PATH; unset p d add',
    'case ${0##*/} in bash) ;; *) exec "$0" -i ;; esac',
    'exec "$0" --rcfile /dev/fd/9 -i 9<<RC',
    '[ ! -r ~/.bashrc ] || . ~/.bashrc',
    "TERM='$TERM'; cd .; exec 9<&-",
    'RC',
  ].join('\n');
  return underSh([
    loadPodEnvironment(spec.environmentFiles),
    ...exports(spec.env),
    ...(spec.cwd === undefined ? [] : [`cd ${quote(absolute(spec.cwd))}`]),
    '[ -x "${SHELL:-}" ] || SHELL=$(command -v bash || command -v sh); export SHELL',
    'case ${SHELL##*/} in',
    `  bash|zsh|sh|ash|dash|ksh|mksh) exec "$SHELL" -l -c ${quote(interactive)} "$SHELL" "$PATH" ;;`,
    '  *) exec "$SHELL" -l ;;',
    'esac',
  ]);
}

/** Under `sh`, whatever the login's shell is: that one only ever sees one quoted word. */
const underSh = (lines: readonly string[]): string => `exec /bin/sh -c ${quote(lines.join('\n'))}`;

function exports(env: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`Not a name for an environment variable: ${name}`);
    return `export ${name}=${quote(value)}`;
  });
}

/** `cd` reads `-` and `~` in its own way; an absolute path it takes as it is. */
function absolute(path: string): string {
  if (!path.startsWith('/')) throw new RangeError(`Not an absolute path: ${path}`);
  return path;
}
