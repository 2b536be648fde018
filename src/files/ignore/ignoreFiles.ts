import ignore from 'ignore';
import { isFileError } from '../errors';
import { opinion, reincluded, type Rules } from './ignoreRules';
import { dirname, isWithin, join } from '../names';
import type { PodFiles } from '../pod/podFiles';

/** What one folder says of what lies in it. */
export interface FolderWords {
  /** The text of its `.gitignore`. */
  readonly text?: string;
  /** A git repository begins here: what lies above it says nothing. */
  readonly repository: boolean;
}

/** Reads what folders say, all in one go. */
export type ReadWords = (folders: readonly string[], signal?: AbortSignal) => Promise<readonly FolderWords[]>;

interface Scope {
  readonly rules: readonly Rules[];
  readonly ignored: boolean;
}

const options = { ignoreCase: false };
const maxBytes = 1024 * 1024;

/** One round trip for folders without a `.gitignore`, three with. */
export const readWordsFrom =
  (files: PodFiles): ReadWords =>
  async (folders, signal) => {
    const found = await files.peek(folders.flatMap((folder) => [join(folder, '.gitignore'), join(folder, '.git')]), signal);
    return Promise.all(
      folders.map(async (folder, i): Promise<FolderWords> => {
        const file = found[2 * i];
        const repository = found[2 * i + 1] !== 'missing';
        if (typeof file !== 'object' || file.kind !== 'file' || file.size > maxBytes) return { repository };
        try {
          return { repository, text: Buffer.from(await files.readFile(join(folder, '.gitignore'), { maxBytes, ...(signal && { signal }) })).toString() };
        } catch (error) {
          // Gone or locked since: then it says nothing.
          if (isFileError(error, 'not-found', 'no-permission', 'too-large')) return { repository };
          throw error;
        }
      }),
    );
  };

/**
 * What `.gitignore` files on a pod say of paths below one folder, as git reads them: nested, negated, those above the folder
 * in the same repository. Only the folders of paths that somebody asks about are read.
 */
export class IgnoreFiles {
  readonly #words = new Map<string, FolderWords | undefined>();
  readonly #scopes = new Map<string, Scope>();
  readonly #loading = new Set<Promise<void>>();

  /** @param root absolute and normalised; itself never ignored. */
  constructor(
    readonly root: string,
    private readonly read: ReadWords,
  ) {}

  /** Reads what is needed for the answers about `paths`: everything new in one go. */
  async prepare(paths: Iterable<string>, signal?: AbortSignal): Promise<void> {
    const wanted = new Set<string>();
    for (const path of paths)
      for (let folder = dirname(path); !this.#words.has(folder) && !wanted.has(folder); folder = dirname(folder)) {
        wanted.add(folder);
        if (folder === '/') break;
      }
    if (wanted.size > 0) {
      const load = this.#load([...wanted], signal).finally(() => this.#loading.delete(load));
      this.#loading.add(load);
    }
    // What another call has asked for may be above these.
    await Promise.all(this.#loading);
  }

  async #load(folders: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (const folder of folders) this.#words.set(folder, undefined);
    const words = await this.read(folders, signal);
    folders.forEach((folder, i) => this.#words.set(folder, words[i]));
  }

  /** Takes over what is known of a folder already, so that it is not read. */
  put(folder: string, words: FolderWords): void {
    this.#words.set(folder, words);
  }

  /** Whether a file below the root is ignored, itself or with a folder that it lies in. Of what was prepared. */
  ignored(path: string): boolean {
    const scope = this.#scope(dirname(path));
    return scope.ignored || opinion(scope.rules, path.slice(1)) === 'ignored';
  }

  #scope(folder: string): Scope {
    const known = this.#scopes.get(folder);
    if (known !== undefined) return known;
    const scope = this.#make(folder);
    this.#scopes.set(folder, scope);
    return scope;
  }

  #make(folder: string): Scope {
    const words = this.#words.get(folder);
    const outer = folder === '/' ? { rules: [], ignored: false } : this.#scope(dirname(folder));
    const asked = `${folder.slice(1)}/`;
    const isRoot = folder === this.root;
    const inside = isWithin(folder, this.root) && !isRoot;
    const ignored = folder !== '/' && (outer.ignored || opinion(outer.rules, asked) === 'ignored');
    if (inside && ignored) return { rules: [], ignored: true };
    const own = words?.text === undefined ? [] : [{ folder: folder.slice(1), matcher: ignore(options).add(words.text) }];
    // Whoever searches a folder that is itself ignored means that folder; then the rules above it say nothing.
    if (words?.repository === true || (isRoot && ignored) || folder === '/') return { rules: own, ignored: false };
    return { rules: [...own, ...reincluded(outer.rules, asked, options)], ignored: !inside && !isRoot && ignored };
  }
}
