import { FileChangeType } from 'vscode';
import type { Disposable } from '../../base/disposable';
import { isCancelled, messageOf } from '../../base/errors';
import { listFiles } from '../../files/find/listFiles';
import { PathIndex } from '../../files/find/pathIndex';
import { readWordsFrom } from '../../files/ignore/ignoreFiles';
import { isWithin, join } from '../../files/names';
import type { PodChange } from '../fileSystem/changes';
import type { Parts } from '../parts';
import { excludedGlobs, type Scope } from '../search/scope';

/** An index older than this, in milliseconds, is made again while it serves: others may have changed what nobody watches. */
const freshMs = 30_000;
/** Changes that come together are looked at together. */
const settleMs = 200;
/** More new names than this and the tree is listed again. */
const maxNew = 500;

/** The files of one folder of a pod, as far as they are known. */
export class FolderIndex {
  index = new PathIndex();
  /** Nothing is known yet but what has come so far. */
  loading = false;
  limited = false;
  #listing: Promise<void> | undefined;
  #listedAt: number | undefined;
  #news: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #abort = new AbortController();

  constructor(
    private readonly parts: Parts,
    readonly scope: Scope,
  ) {}

  /** Ready, and fresh enough; else resolves when it is. */
  async refresh(onProgress?: () => void): Promise<void> {
    const old = this.#listedAt === undefined || performance.now() - this.#listedAt > freshMs;
    if (old) this.#listing ??= this.#list(onProgress).finally(() => (this.#listing = undefined));
    await this.#listing;
  }

  /** Something was made, changed or removed on the pod. */
  hear({ path, type, crowded }: PodChange): void {
    if (this.#listedAt === undefined || !isWithin(path, this.scope.folder)) return;
    if (crowded === true) this.#listedAt = -Infinity;
    if (path === this.scope.folder || type === FileChangeType.Changed) return;
    const relative = path.slice(this.scope.folder === '/' ? 1 : this.scope.folder.length + 1);
    if (type === FileChangeType.Deleted) {
      this.#news = this.#news.filter((known) => !isWithin(known, relative));
      this.index.remove(relative);
      return;
    }
    if (this.index.has(relative)) return;
    this.#news.push(relative);
    this.#timer ??= setTimeout(() => void this.#learn(), settleMs);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  async #list(onProgress?: () => void): Promise<void> {
    const first = this.#listedAt === undefined;
    const { podId, folder } = this.scope;
    const files = this.parts.files(podId);
    this.loading = first;
    try {
      const began = performance.now();
      const { paths, limited } = await listFiles(this.parts.sessions.get(podId), files, readWordsFrom(files), folder, {
        exclude: excludedGlobs(this.scope),
        signal: this.#abort.signal,
        // The first listing shows what it has; a later one takes the place of the old at its end.
        ...(first && {
          onPaths: (some: readonly string[]) => {
            this.index.add(some);
            onProgress?.();
          },
        }),
      });
      this.index = new PathIndex(paths);
      this.limited = limited;
      this.#listedAt = performance.now();
      this.parts.log.debug(`Listed ${paths.length} files of ${this.scope.label} in ${(this.#listedAt - began).toFixed(0)} ms`);
    } finally {
      this.loading = false;
    }
  }

  /** Which of the new names are files, and what lies in those that are folders. */
  async #learn(): Promise<void> {
    this.#timer = undefined;
    const news = [...new Set(this.#news)];
    this.#news = [];
    const { podId, folder } = this.scope;
    try {
      const files = this.parts.files(podId);
      const found = news.length > maxNew ? [] : await files.peek(news.map((path) => join(folder, path)), this.#abort.signal);
      const folders = news.filter((_, i) => isFolder(found[i]));
      if (news.length > maxNew || folders.length > 8) {
        this.#listedAt = -Infinity;
        return;
      }
      this.index.add(news.filter((_, i) => isFile(found[i])));
      for (const path of folders) {
        const { paths } = await listFiles(this.parts.sessions.get(podId), files, readWordsFrom(files), join(folder, path), { exclude: excludedGlobs(this.scope), signal: this.#abort.signal });
        this.index.add(paths.map((inner) => `${path}/${inner}`));
      }
    } catch (error) {
      // Made again with the next question.
      if (!isCancelled(error)) this.parts.log.debug(`Index of ${this.scope.label}: ${messageOf(error)}`);
      this.#listedAt = -Infinity;
    }
  }
}

const isFolder = (found: unknown): boolean => typeof found === 'object' && found !== null && 'kind' in found && found.kind === 'directory';
const isFile = (found: unknown): boolean => typeof found === 'object' && found !== null && 'kind' in found && found.kind === 'file';

/** The indexes of this window; few are kept, for a big one takes some memory. */
export class FolderIndexes implements Disposable {
  readonly #indexes = new Map<string, FolderIndex>();
  readonly #subscription: Disposable;

  constructor(private readonly parts: Parts) {
    this.#subscription = parts.fileChanges.onDidTell((changes) => {
      for (const change of changes) for (const index of this.#indexes.values()) if (index.scope.podId === change.podId) index.hear(change);
    });
  }

  of(scope: Scope): FolderIndex {
    const key = `${scope.podId} ${scope.folder}`;
    const known = this.#indexes.get(key) ?? new FolderIndex(this.parts, scope);
    this.#indexes.delete(key);
    this.#indexes.set(key, known);
    for (const [old, index] of [...this.#indexes].slice(0, -3)) {
      index.dispose();
      this.#indexes.delete(old);
    }
    return known;
  }

  dispose(): void {
    this.#subscription.dispose();
    for (const index of this.#indexes.values()) index.dispose();
    this.#indexes.clear();
  }
}
