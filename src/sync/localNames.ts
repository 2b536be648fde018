/** What the names of a computer's files can be. */
export interface LocalNames {
  /** Windows' reserved names and characters do not go. */
  readonly windows: boolean;
  /** Two names that differ in case, or in how accents are written, are one file. */
  readonly folds: boolean;
}

export const namesOf = (platform: NodeJS.Platform): LocalNames => ({ windows: platform === 'win32', folds: platform === 'win32' || platform === 'darwin' });

const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;
const IMPOSSIBLE = /[<>:"|?*\\\x00-\x1f]|[. ]$/;

/** Whether every part of a path can be a name here. */
export const canHold = (path: string, names: LocalNames): boolean =>
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && (!names.windows || (!RESERVED.test(part) && !IMPOSSIBLE.test(part))));

/**
 * Those of these paths that cannot all be here, for a folder that is written one way and another, or two files of one name.
 * @returns all but the first of each, and what stands in their way
 */
export function clashes(paths: readonly string[], present: readonly string[], names: LocalNames): Map<string, string> {
  const found = new Map<string, string>();
  if (!names.folds) return found;
  const taken = new Map<string, string>();
  const fold = (path: string): string => path.normalize('NFC').toLowerCase();
  for (const [i, path] of [...present, ...paths].entries()) {
    const parts = path.split('/').map((_, n, all) => all.slice(0, n + 1).join('/'));
    const other = parts.map((part) => taken.get(fold(part))).find((there, n) => there !== undefined && there !== parts[n]);
    if (other !== undefined && i >= present.length) found.set(path, other);
    else for (const part of parts) if (!taken.has(fold(part))) taken.set(fold(part), part);
  }
  return found;
}
