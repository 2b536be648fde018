import { quote } from '../base/shell';
import { underSh } from './detached/layout';
import type { RunSession } from './detached/session';

/**
 * The files and folders below `cwd` on a pod that patterns name (`outputs/`, `*.csv`, `runs/2024-??/best.pt`), relative to it.
 * Only `*`, `?` and `[…]` mean more than themselves; what leads out of the folder names nothing.
 * @throws PodUnavailableError, SshError, CancelledError
 */
export async function matchingPaths(session: Pick<RunSession, 'run'>, cwd: string, patterns: readonly string[], signal?: AbortSignal): Promise<string[]> {
  const wanted = patterns.map((pattern) => pattern.trim().replace(/^(?:\.?\/)+|\/+$/g, '')).filter((pattern) => pattern !== '' && !pattern.split('/').includes('..'));
  if (wanted.length === 0) return [];
  const lines = [`cd ${quote(cwd)} || exit 0`, `for path in ${wanted.map(globbed).join(' ')}; do [ ! -e "$path" ] || printf '%s\\000' "$path"; done`];
  const { stdout } = await session.run(underSh(lines), { signal });
  // A pod may say anything; what it names is brought to this machine, so it must be what was asked for.
  const asked = wanted.map(patternOf);
  return [...new Set(stdout.toString().split('\0').filter((path) => asked.some((pattern) => pattern.test(path)) && !path.split('/').some((part) => part === '' || part === '.' || part === '..')))];
}

/** The names that a pattern means, as the pod's shell reads it. */
function patternOf(pattern: string): RegExp {
  const parts = pattern.split(/([*?]|\[[^\]/]*\])/).map((part, i, all) => {
    if (i % 2 === 0 || !isGlob(part)) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    // What begins a name means none that begins with a dot.
    const visible = /(?:^|\/)$/.test(all.slice(0, i).join('')) ? '(?!\\.)' : '';
    if (part === '*') return `${visible}[^/]*`;
    if (part === '?') return `${visible}[^/]`;
    const [, not = '', inside = ''] = /^\[([!^]?)(.*)\]$/.exec(part) ?? [];
    return inside === '' ? '(?!)' : `${visible}(?!/)[${not === '' ? '' : '^'}${inside.replace(/[\\\]^]/g, '\\$&')}]`;
  });
  try {
    return new RegExp(`^${parts.join('')}$`, 'su');
  } catch {
    // A range that goes backwards names nothing.
    return /(?!)/;
  }
}

/** A part of a pattern in which the shell may expand what it likes. */
const isGlob = (part: string): boolean => !/['"$`\\\s;&|<>()]/.test(part);

/** A pattern as a shell word in which nothing is expanded but the pattern. */
const globbed = (pattern: string): string => pattern.split(/([*?]|\[[^\]/]*\])/).map((part, i) => (i % 2 === 1 && isGlob(part) ? part : part === '' ? '' : quote(part))).join('');
