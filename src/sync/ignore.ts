import ignore from 'ignore';
import { opinion, reincluded, type Rules } from '../files/ignoreRules';
import { joinPath, readWhole, type LocalEntry, type LocalTree } from './localTree';

/**
 * What is never sent unless a `.runpodignore` says so with `!name`: what tools make again, what only fits this machine.
 * A local virtual environment in particular would overwrite the pod's.
 */
export const DEFAULT_EXCLUSIONS: readonly string[] = [
  ...['.git', '.hg', '.svn', '.DS_Store', 'Thumbs.db', 'desktop.ini'],
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
  /** Symbolic links that point inside the folder, with where. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Held back: they look like secrets. */
  readonly secrets: readonly string[];
  /** Symbolic links out of the folder and things that are no files; they mean nothing on another machine. */
  readonly odd: readonly string[];
}

/**
 * The files of a folder that its ignore rules let go. `.gitignore` files as git reads them (nested, negated, those above
 * the folder in the same repository, `.git/info/exclude`); `.runpodignore` files in the same syntax outrank everything;
 * the exclusions above come between. Differs from `git ls-files -co --exclude-standard` in three ways: those exclusions,
 * files that git tracks though they are ignored (the index is not read), and repositories inside the folder (their files
 * are sent).
 */
export async function walk(tree: LocalTree, signal?: AbortSignal): Promise<Walked> {
  const options = { ignoreCase: tree.ignoreCase };
  const excluded = ignore({ ignoreCase: true }).add([...DEFAULT_EXCLUSIONS]);
  const secret = ignore({ ignoreCase: true }).add([...SECRET_NAMES]);
  const found = { files: [] as string[], links: [] as { path: string; target: string }[], secrets: [] as string[], odd: [] as string[] };

  const visit = async (folder: string, outer: Scope): Promise<void> => {
    signal?.throwIfAborted();
    const entries = [...(await tree.list(folder))].sort((a, b) => (a.name < b.name ? -1 : 1));
    const scope: Scope = {
      own: await deeper(tree, options, folder, entries, '.runpodignore', outer.own),
      git: await deeper(tree, options, folder, entries, '.gitignore', outer.git),
    };
    for (const entry of entries) {
      const path = joinPath(folder, entry.name);
      const name = entry.type === 'folder' ? `${entry.name}/` : entry.name;
      const asked = entry.type === 'folder' ? `${path}/` : path;
      const own = opinion(scope.own, asked);
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

  await visit('', { own: [], git: await rootRules(tree, options) });
  return found;
}

/** Rules from above the root and from the repository's own list, innermost first. */
async function rootRules(tree: LocalTree, options: { ignoreCase: boolean }): Promise<Rules[]> {
  const above = ((await tree.above?.()) ?? []).map(({ below, text }) => ({ folder: '', below, matcher: ignore(options).add(text) }));
  // Whoever opens a folder that is itself ignored means that folder; then the rules above it say nothing.
  const outer = opinion([...above].reverse(), '') === 'ignored' ? [] : above.reverse();
  const text = await readIfThere(tree, '.git/info', 'exclude');
  return text === undefined ? outer : [...outer, { folder: '', matcher: ignore(options).add(text) }];
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
function staysInside(link: string, target: string): boolean {
  if (target === '' || target.startsWith('/') || /^[A-Za-z]:/.test(target)) return false;
  let depth = link.split('/').length - 1;
  for (const part of target.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return false;
  }
  return true;
}
