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
  return [...new Set(stdout.toString().split('\0').filter((path) => path !== ''))];
}

/** A pattern as a shell word in which nothing is expanded but the pattern. */
const globbed = (pattern: string): string => pattern.split(/([*?]|\[[^\]/]*\])/).map((part, i) => (i % 2 === 1 && !/['"$`\\\s;&|<>()]/.test(part) ? part : part === '' ? '' : quote(part))).join('');
