import ignore from 'ignore';
import { opinion, reincluded, type Rules } from '../files/ignore/ignoreRules';
import { joinPath, readWhole, type LocalEntry, type LocalTree } from './localTree';

/** Where what comes from a pod waits, in the folder it goes to, until it is complete. */
export const STAGING_NAME = '.runpod-staging';

/**
 * What is never sent unless a `.runpodignore` says so with `!name`: what tools make again, what only fits this machine.
 * A local virtual environment in particular would overwrite the pod's.
 */
export const DEFAULT_EXCLUSIONS: readonly string[] = [
  ...[STAGING_NAME, '.runpod-workspaces/', '.runpod-save-*', '.*.runpod-part', '.git', '.hg', '.svn', '.DS_Store', 'Thumbs.db', 'desktop.ini'],
  ...['node_modules/', '.venv/', 'venv/', '.conda/', '.tox/', '.nox/', '.direnv/'],
  ...['__pycache__/', '*.pyc', '.mypy_cache/', '.pytest_cache/', '.ruff_cache/', '.ipynb_checkpoints/', '.cache/', '*.egg-info/'],
];

/** Names that look like secrets. They are held back and named, never sent unasked; `.runpodignore` can allow one with `!name`. */
export const SECRET_NAMES: readonly string[] = [
  ...['.env', '.env.*', '!.env.example', '!.env.sample', '!.env.template', '!.env.dist', '.envrc'],
  ...['*.pem', '*.key', '*.p12', '*.pfx', '*.ppk', '*.kdbx', '*.jks', '*.keystore'],
  ...['id_rsa*', 'id_dsa*', 'id_ecdsa*', 'id_ed25519*', '!id_*.pub'],
  ...['.netrc', '_netrc', '.pypirc', '.git-credentials', '.npmrc', '.dockercfg', 'credentials.json', 'service-account*.json', '.aws/', '.ssh/', '.kaggle/'],
];

/** The rules in force inside one folder, deepest ignore file first. */
interface Scope {
  readonly own: readonly Rules[];
  readonly git: readonly Rules[];
}

export interface Walked {
  /** Files to consider, sorted by folder. */
  readonly files: readonly string[];
  /** Folders with nothing in them. */
  readonly empty: readonly string[];
  /** Symbolic links that point inside the folder, with where. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Held back: they look like secrets. */
  readonly secrets: readonly string[];
  /** Symbolic links out of the folder and things that are no files; they mean nothing on another machine. */
  readonly odd: readonly string[];
}

export interface WalkOptions {
  /** Only these files and folders, relative to the root. One that is named so is taken though it is ignored or looks like a secret. */
  readonly paths?: readonly string[] | undefined;
  /** What is named in `paths` has to be allowed all the same: nobody chose it by hand. */
  readonly strict?: boolean | undefined;
  /** Where the ignore files are read from; the folder itself unless told. */
  readonly rules?: LocalTree | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Whether a path is asked for, leads to one that is, or neither. */
function sought(paths: readonly string[] | undefined, path: string): 'named' | 'inside' | 'above' | undefined {
  if (paths === undefined) return 'inside';
  if (paths.includes(path)) return 'named';
  if (paths.some((one) => one === '' || path.startsWith(`${one}/`))) return 'inside';
  return paths.some((one) => one.startsWith(`${path}/`)) ? 'above' : undefined;
}

/**
 * The files of a folder that its ignore rules let go. `.gitignore` files as git reads them (nested, negated, those above
 * the folder in the same repository, `.git/info/exclude`); `.runpodignore` files in the same syntax outrank everything;
 * the exclusions above come between; the person's own list (`core.excludesFile`) comes last. Differs from `git ls-files -co --exclude-standard` in three ways: those exclusions,
 * files that git tracks though they are ignored (the index is not read), and repositories inside the folder (their files
 * are sent).
 */
export async function walk(tree: LocalTree, { paths, strict = false, rules = tree, signal }: WalkOptions = {}): Promise<Walked> {
  const options = { ignoreCase: tree.ignoreCase };
  const excluded = ignore({ ignoreCase: true }).add([...DEFAULT_EXCLUSIONS]);
  const secret = ignore({ ignoreCase: true }).add([...SECRET_NAMES]);
  const found = { files: [] as string[], empty: [] as string[], links: [] as { path: string; target: string }[], secrets: [] as string[], odd: [] as string[] };

  const visit = async (folder: string, outer: Scope): Promise<void> => {
    signal?.throwIfAborted();
    const entries = [...(await tree.list(folder))].sort((a, b) => (a.name < b.name ? -1 : 1));
    const withRules = rules === tree ? entries : await rules.list(folder).catch(() => []);
    const scope: Scope = {
      own: await deeper(rules, options, folder, withRules, '.runpodignore', outer.own),
      git: await deeper(rules, options, folder, withRules, '.gitignore', outer.git),
    };
    if (entries.length === 0 && folder !== '') found.empty.push(folder);
    for (const entry of entries) {
      const path = joinPath(folder, entry.name);
      const wanted = sought(paths, path);
      if (wanted === undefined) continue;
      const name = entry.type === 'folder' ? `${entry.name}/` : entry.name;
      const asked = entry.type === 'folder' ? `${path}/` : path;
      const own = wanted === 'inside' || strict ? opinion(scope.own, asked) : 'included';
      if (own === 'ignored' || (own === undefined && (excluded.test(name).ignored || opinion(scope.git, asked) === 'ignored'))) continue;
      if (own === undefined && secret.test(name).ignored) {
        found.secrets.push(asked);
        continue;
      }
      if (entry.type === 'folder') await visit(path, { own: reincluded(scope.own, asked, options), git: reincluded(scope.git, asked, options) });
      else if (entry.type === 'file') found.files.push(path);
      else if (entry.type === 'link') {
        const target = await tree.readLink(path);
        if (target !== undefined && staysInside(path, target)) found.links.push({ path, target });
        else found.odd.push(path);
      } else found.odd.push(path);
    }
  };

  await visit('', { own: [], git: await rootRules(rules, options) });
  return found;
}

/** Rules from above the root and from the repository's own list, innermost first. */
async function rootRules(tree: LocalTree, options: { ignoreCase: boolean }): Promise<Rules[]> {
  const above = ((await tree.above?.()) ?? []).map(({ below, text }): Rules => ({ folder: '', ...(below === '' ? {} : { below }), matcher: ignore(options).add(text) }));
  // Whoever opens a folder that is itself ignored means that folder; then the rules above it say nothing.
  const outer = opinion([...above].reverse(), '') === 'ignored' ? [] : above.reverse();
  const text = await readIfThere(tree, '.git/info', 'exclude');
  // What lies above a root that has a list of its own is the person's list, which comes last.
  return text === undefined ? outer : [{ folder: '', matcher: ignore(options).add(text) }, ...outer];
}

async function deeper(tree: LocalTree, options: { ignoreCase: boolean }, folder: string, entries: readonly LocalEntry[], name: string, outer: readonly Rules[]): Promise<readonly Rules[]> {
  // git does not follow a link here either.
  if (!entries.some((entry) => entry.name === name && entry.type === 'file')) return outer;
  const text = (await readWhole(tree, joinPath(folder, name))).toString();
  return [{ folder, matcher: ignore(options).add(text) }, ...outer];
}

async function readIfThere(tree: LocalTree, folder: string, name: string): Promise<string | undefined> {
  const entries = await tree.list(folder).catch(() => []);
  if (!entries.some((entry) => entry.name === name && entry.type === 'file')) return undefined;
  return (await readWhole(tree, joinPath(folder, name))).toString();
}

/** A link's target is relative and does not leave the folder, so it means the same on the pod. */
export function staysInside(link: string, target: string): boolean {
  if (target === '' || target.startsWith('/') || /^[A-Za-z]:/.test(target)) return false;
  let depth = link.split('/').length - 1;
  for (const part of target.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return false;
  }
  return true;
}
