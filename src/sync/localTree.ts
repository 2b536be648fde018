/** A local folder as the editor sees it, on whatever system: names are joined with `/`, and the root is ''. */
export interface LocalTree {
  /** What lies directly in a folder. */
  list(folder: string): Promise<readonly LocalEntry[]>;
  /** Size and time of a file. Never follows a link. */
  stat(file: string): Promise<LocalStat>;
  /** A file's bytes from its beginning, in pieces. */
  read(file: string): AsyncIterable<Uint8Array>;
  /** The whole of a small file at once, where that is cheaper than in pieces. */
  readonly whole?: (file: string) => Promise<Buffer>;
  /** Where a symbolic link points, as written, with `/` between names; `undefined` where that cannot be read. */
  readLink(link: string): Promise<string | undefined>;
  /** What git knows of a folder besides the ignore files in it; nothing where it lies in no repository, or nobody can tell. */
  readonly repository?: (folder: string) => Promise<RepositoryFacts | undefined>;
  /** Whether `.gitignore` patterns match names of another case, as git has it on Windows and macOS. */
  readonly ignoreCase: boolean;
}

export interface RepositoryFacts {
  /**
   * Ignore files from outside the folder that apply in it, outermost first: the person's own list, then those of folders above
   * (a folder inside a repository). `below` is the folder's path below the one that the file speaks of.
   */
  readonly above: readonly { readonly below: string; readonly text: string }[];
  /** What git tracks, though it may be ignored: files, and repositories inside (submodules). Relative to the folder. */
  tracked(): Promise<ReadonlySet<string>>;
}

export interface LocalEntry {
  readonly name: string;
  readonly type: 'file' | 'folder' | 'link' | 'other';
}

export interface LocalStat {
  readonly size: number;
  readonly mtimeMs: number;
  /** Permission bits; `undefined` where the system has none (Windows, a virtual folder). */
  readonly mode: number | undefined;
}

/** `a/b` from `a` and `b`; the root is ''. */
export const joinPath = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** The whole of a small file. */
export async function readWhole(tree: LocalTree, file: string): Promise<Buffer> {
  if (tree.whole !== undefined) return tree.whole(file);
  const pieces: Uint8Array[] = [];
  for await (const piece of tree.read(file)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Whether a tree says by this that there is no such file any more. */
export const isGone = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'FileNotFound');
