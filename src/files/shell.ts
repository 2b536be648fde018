import { quote } from '../base/shell';
import { FileError, type FileErrorCode } from './errors';
import type { RunResult } from './host';
import { decodeName, encodeName } from './names';

/** Whether text and bytes of the path differ, so that no command line of text can name it. */
const isRaw = (path: string): boolean => /[\uef80-\uefff]/.test(path);

/**
 * A line of shell that sets a variable to a path, whatever bytes it has. Bytes that are not UTF-8 go as octal; the final
 * `x` keeps a trailing newline from being stripped.
 */
export function assign(variable: string, path: string): string {
  if (!isRaw(path)) return `${variable}=${quote(path)}`;
  const octal = [...encodeName(path)].map((b) => `\\${b.toString(8).padStart(3, '0')}`).join('');
  return `${variable}=$(printf '${octal}x'); ${variable}=\${${variable}%x}`;
}

/** One command line for any login shell: a POSIX script with C messages. */
export const script = (...lines: readonly string[]): string => `exec sh -c ${quote(`LC_ALL=C; export LC_ALL; ${lines.join('\n')}`)}`;

/** Exit codes that our scripts use for what they found out themselves; no tool we call uses these. */
export const Exit = { NotFound: 171, Incomplete: 172, NotReadable: 173, Exists: 174 } as const;

const words: readonly (readonly [RegExp, FileErrorCode])[] = [
  [/No space left on device|Disk quota exceeded|File too large/i, 'no-space'],
  [/Permission denied|Operation not permitted|Read-only file system/i, 'no-permission'],
  [/Directory not empty/i, 'not-empty'],
  [/No such file or directory/i, 'not-found'],
  [/File exists/i, 'exists'],
  [/Is a directory/i, 'is-a-directory'],
  [/Not a directory/i, 'not-a-directory'],
];

/** What a tool's C-locale message on standard error means. */
export function codeOfMessage(message: string): FileErrorCode {
  return words.find(([pattern]) => pattern.test(message))?.[1] ?? 'failure';
}

export function errorOfRun(result: RunResult, path: string): FileError {
  const message = decodeName(result.stderr).trim().split('\n')[0] ?? '';
  const code = result.code === Exit.NotFound ? 'not-found' : result.code === Exit.Exists ? 'exists' : codeOfMessage(message);
  return new FileError(code, path, message === '' ? `the command ended with ${result.code ?? 'a signal'}` : message);
}
