import ignore, { type Ignore } from 'ignore';

/**
 * Globs as people write them in the editor's search: `*.py`, `src`, `src/**`, `{a,b}/*.txt`, `./top/*.md`. One without a leading
 * `./` counts in every folder; one that names a folder means all that lies in it.
 */
export function splitGlobs(text: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let current = '';
  for (const char of text) {
    if (char === ',' && depth === 0) {
      out.push(current);
      current = '';
      continue;
    }
    if (char === '{') depth++;
    if (char === '}') depth = Math.max(0, depth - 1);
    current += char;
  }
  return [...out, current].map((glob) => glob.trim()).filter((glob) => glob !== '');
}

/** The alternatives of `{a,b}`, written out; at most a few hundred. */
export function expandBraces(glob: string): string[] {
  const match = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(glob);
  if (match === null) return [glob];
  const [, before = '', inner = '', after = ''] = match;
  return inner.split(',').flatMap((part) => expandBraces(`${before}${part}${after}`)).slice(0, 500);
}

/** The globs in the syntax of ignore files. */
export function toPatterns(globs: readonly string[], folder = ''): string[] {
  return globs.flatMap(expandBraces).map((glob) => {
    const clean = glob.replaceAll('\\', '/').replace(/\/+$/, '');
    if (folder !== '' && clean.startsWith(`${folder}/`)) return clean.slice(folder.length);
    if (clean.startsWith('./')) return clean.slice(1);
    if (clean.startsWith('/') || clean.startsWith('**/') || !clean.includes('/')) return clean.replace(/^[!#]/, '\\$&');
    return `**/${clean}`;
  }).filter((pattern) => pattern !== '');
}

/** Which files are wanted, by their paths relative to the folder. */
export class PathFilter {
  readonly #include: Ignore | undefined;
  readonly #exclude: Ignore;
  readonly include: readonly string[];
  readonly exclude: readonly string[];

  constructor(include: readonly string[], exclude: readonly string[], folder = '') {
    this.include = toPatterns(include, folder);
    this.exclude = toPatterns(exclude, folder);
    this.#include = this.include.length === 0 ? undefined : ignore({ ignoreCase: false }).add(this.include);
    this.#exclude = ignore({ ignoreCase: false }).add(this.exclude);
  }

  wants(path: string): boolean {
    return (this.#include?.ignores(path) ?? true) && !this.#exclude.ignores(path);
  }

  /** Folders excluded by their own name wherever they are, which every tool can leave out by itself. */
  get excludedFolders(): string[] {
    return this.exclude.map((pattern) => pattern.replace(/^\*\*\//, '').replace(/\/\*\*$/, '')).filter(isName);
  }

  /** The same for files. */
  get excludedFiles(): string[] {
    return this.exclude.map((pattern) => pattern.replace(/^\*\*\//, '')).filter(isName);
  }

  /** File names that are wanted, if that is all the include globs say. */
  get includedNames(): string[] {
    const names = this.include.map((pattern) => pattern.replace(/^\*\*\//, ''));
    return names.every((name) => /^\*\.[^/*]+$/.test(name)) ? names : [];
  }
}

const isName = (pattern: string): boolean => pattern !== '' && !pattern.includes('/') && !pattern.includes('**');
