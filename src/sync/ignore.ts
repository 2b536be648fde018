import ignore from 'ignore';
import { opinion, reincluded, type Rules } from '../files/ignore/ignoreRules';
import { joinPath, readWhole, type LocalEntry, type LocalTree, type RepositoryFacts } from './localTree';

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
  /** What git tracks in the repository that the folder belongs to. */
  readonly index: Index | undefined;
  /** The folder is ignored, and only what is tracked in it counts. */
  readonly trackedOnly: boolean;
}

/** The tracked files of the repository in one folder of the tree. */
class Index {
  #names: Promise<{ readonly files: ReadonlySet<string>; readonly folders: ReadonlySet<string> }> | undefined;

  constructor(
    readonly folder: string,
    readonly facts: RepositoryFacts,
  ) {}

  /** Whether git tracks this file, or a repository or any file in this folder, though it may be ignored. */
  async tracks(path: string, type: LocalEntry['type']): Promise<'itself' | 'inside' | undefined> {
    const { files, folders } = await (this.#names ??= this.#read());
    const name = this.folder === '' ? path : path.slice(this.folder.length + 1);
    return files.has(name) ? 'itself' : type === 'folder' && folders.has(name) ? 'inside' : undefined;
  }

  async #read(): Promise<{ files: ReadonlySet<string>; folders: ReadonlySet<string> }> {
    const files = await this.facts.tracked();
    const folders = new Set<string>();
    for (const path of files) for (let cut = path.lastIndexOf('/'); cut > 0 && !folders.has(path.slice(0, cut)); cut = path.lastIndexOf('/', cut - 1)) folders.add(path.slice(0, cut));
    return { files, folders };
  }
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
 * The files of a folder that its ignore rules let go: what `git ls-files -co --exclude-standard` lists, less the exclusions
 * and secrets above. `.gitignore` files as git reads them (nested, negated, those above the folder in the same repository,
 * `.git/info/exclude`, the person's own list `core.excludesFile`); what git tracks goes though it is ignored, where there is a
 * git to ask. A repository inside, which git lists by its name alone, goes with its files, by its own rules. `.runpodignore`
 * files in the same syntax outrank everything.
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
    const around = folder !== '' && withRules.some(({ name }) => name === '.git') ? ((await repositoryAt(rules, options, folder)) ?? outer) : outer;
    const scope: Scope = {
      ...around,
      own: await deeper(rules, options, folder, withRules, '.runpodignore', outer.own),
      git: await deeper(rules, options, folder, withRules, '.gitignore', around.git),
    };
    if (entries.length === 0 && folder !== '') found.empty.push(folder);
    for (const entry of entries) {
      const path = joinPath(folder, entry.name);
      const wanted = sought(paths, path);
      if (wanted === undefined) continue;
      const name = entry.type === 'folder' ? `${entry.name}/` : entry.name;
      const asked = entry.type === 'folder' ? `${path}/` : path;
      const own = wanted === 'inside' || strict ? opinion(scope.own, asked) : 'included';
      if (own === 'ignored' || (own === undefined && excluded.test(name).ignored)) continue;
      const ignored = own === undefined && (scope.trackedOnly || opinion(scope.git, asked) === 'ignored');
      const tracked = ignored ? await scope.index?.tracks(path, entry.type) : undefined;
      if (ignored && tracked === undefined) continue;
      if (own === undefined && secret.test(name).ignored) {
        found.secrets.push(asked);
        continue;
      }
      if (entry.type === 'folder') await visit(path, { ...scope, own: reincluded(scope.own, asked, options), git: reincluded(scope.git, asked, options), trackedOnly: tracked === 'inside' });
      else if (entry.type === 'file') found.files.push(path);
      else if (entry.type === 'link') {
        const target = await tree.readLink(path);
        if (target !== undefined && staysInside(path, target)) found.links.push({ path, target });
        else found.odd.push(path);
      } else found.odd.push(path);
    }
  };

  await visit('', (await repositoryAt(rules, options, '')) ?? { own: [], git: await rulesAround(rules, options, '', []), index: undefined, trackedOnly: false });
  return found;
}

/** What holds in a repository's folder before the ignore files in it; nothing for a folder that is none. */
async function repositoryAt(tree: LocalTree, options: { ignoreCase: boolean }, folder: string): Promise<Scope | undefined> {
  const facts = await tree.repository?.(folder);
  if (facts === undefined) return undefined;
  return { own: [], git: await rulesAround(tree, options, folder, facts.above), index: new Index(folder, facts), trackedOnly: false };
}

/** Rules from above a repository's folder and from its own list, innermost first. */
async function rulesAround(tree: LocalTree, options: { ignoreCase: boolean }, folder: string, files: RepositoryFacts['above']): Promise<Rules[]> {
  const above = files.map(({ below, text }): Rules => ({ folder, ...(below === '' ? {} : { below }), matcher: ignore(options).add(text) }));
  // Whoever opens a folder that is itself ignored means that folder; then the rules above it say nothing.
  const outer = opinion([...above].reverse(), folder) === 'ignored' ? [] : above.reverse();
  const text = await readIfThere(tree, joinPath(folder, '.git/info'), 'exclude');
  // What lies above a folder that has a list of its own is the person's list, which comes last.
  return text === undefined ? outer : [{ folder, matcher: ignore(options).add(text) }, ...outer];
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
