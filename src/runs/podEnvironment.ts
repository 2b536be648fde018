import { quote } from '../base/shell';

/** Where a pod's own environment can be read on the pod. */
export interface EnvironmentFiles {
  /** The environment of PID 1: entries end in NUL, so every value comes through whole. */
  readonly process: string;
  /**
   * What RunPod's images export for shells: lines `export NAME="value"` whose values are not escaped, so that running
   * them would run whatever a value holds. They are read as text.
   */
  readonly exported: string;
}

export const podEnvironmentFiles: EnvironmentFiles = { process: '/proc/1/environ', exported: '/etc/rp_environment' };

/**
 * Names that a session has of its own, that say nothing about the pod, or that no shell lets anyone set (an attempt
 * ends the shell). `RUNPOD_API_KEY` is not among them: the one in PID 1 is the pod's own.
 */
const NOT_LOADED = [
  ...['PUBLIC_KEY', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'MAIL', 'TERM', 'PWD', 'OLDPWD', 'SHLVL', 'HOSTNAME', '_'],
  ...['IFS', 'OPTIND', 'PPID', 'UID', 'EUID', 'BASHOPTS', 'SHELLOPTS'],
];

/**
 * Shell lines that load the pod's own environment, which RunPod gives to PID 1 and not to SSH sessions. Plain `sh`,
 * `tr` and `sed`, so that they work in BusyBox. Nothing in a value is expanded; a byte 0x01 arrives as a newline.
 *
 * PID 1's environment is believed where it names a pod: elsewhere (no container, another user's PID 1) it is somebody
 * else's, and the exported file is taken if there is one.
 */
export function loadPodEnvironment(files: EnvironmentFiles = podEnvironmentFiles): string {
  const drop = NOT_LOADED.map((name) => `-e '/^${name}=/d'`).join(' ');
  const name = '[A-Za-z_][A-Za-z0-9_]*';
  return [
    // Newlines step aside for the line-wise sed; every value is put in single quotes; then they come back.
    `rpw_exports() { tr '\\n\\000' '\\001\\n' | LC_ALL=C sed -n ${drop} -e "s/'/'\\\\\\\\''/g" -e "s/^\\(${name}\\)=\\(.*\\)\\$/export \\1='\\2'/p" | tr '\\001' '\\n'; }`,
    `rpw_env=$( { rpw_exports <${quote(files.process)}; } 2>/dev/null )`,
    `case $rpw_env in *'export RUNPOD_POD_ID='*) ;; *)`,
    `  rpw_env=$( { LC_ALL=C sed -n 's/^export \\(${name}\\)="\\(.*\\)"$/\\1=\\2/p' ${quote(files.exported)} | tr '\\n' '\\000' | rpw_exports; } 2>/dev/null ) ;;`,
    `esac`,
    `eval "$rpw_env"`,
    `unset rpw_env; unset -f rpw_exports`,
  ].join('\n');
}
