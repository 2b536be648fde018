import {
  Disposable,
  FileChangeType,
  FilePermission,
  FileSystemError,
  FileType,
  workspace,
  type Event,
  type FileChangeEvent,
  type FileStat,
  type FileSystemProvider,
  type Uri,
} from 'vscode';
import { copyBetween } from '../../files/pod/between';
import { isFileError } from '../../files/errors';
import type { FileKind, FileStat as PodFileStat } from '../../files/kinds';
import { dirname } from '../../files/names';
import type { PodFiles } from '../../files/pod/podFiles';
import { type Bases, mostCompared } from './bases';
import type { FileChanges, PodChange } from './changes';
import { tooLargeForEditor, toFileSystemError } from './errors';

/** Decides about files too big to be pulled into the editor unasked. */
export interface LargeFileGuard {
  /** Bytes above which this file is asked about; `undefined` when it may come whatever its size. */
  limit(uri: Uri): number | undefined;
  /** It is bigger: whether it may come all the same. May ask a person. */
  mayOpen(uri: Uri, bytes: number | undefined): Promise<boolean>;
  /** Words for whoever wanted it and may not have it. */
  refusal(uri: Uri, bytes: number | undefined): string;
  /** The editor reads this file; `read` ends with a refusal or without. */
  reading(uri: Uri, read: Promise<unknown>): void;
  /** An editor that reads this file right now does not get it. */
  isRefused(uri: Uri, bytes: number): Promise<boolean>;
  /** The editor has handed over so many bytes in one piece. */
  wrote(uri: Uri, bytes: number): void;
}

export interface ProviderDeps {
  /** @throws PodUnavailableError and the like, in whose words the editor then says why. */
  readonly resolve: (podId: string) => PodFiles;
  /** What people call the pod. */
  readonly nameOf: (podId: string) => string;
  readonly changes: FileChanges;
  readonly large?: LargeFileGuard;
  readonly bases?: Bases;
  /** The editor was given these names. */
  readonly onListed?: (podId: string, folder: string, names: readonly string[]) => void;
  /** The editor was told this of a path. */
  readonly onStat?: (podId: string, path: string, stat: PodFileStat) => void;
  /** The editor was told that this pod cannot be reached. */
  readonly onUnavailable?: (podId: string) => void;
}

export interface Watched {
  readonly uri: Uri;
  readonly recursive: boolean;
  readonly excludes: readonly string[];
}

const kinds: Record<FileKind, FileType> = { file: FileType.File, directory: FileType.Directory, special: FileType.Unknown, link: FileType.SymbolicLink };
const typeOf = ({ kind, link }: { kind: FileKind; link: boolean }): FileType => kinds[kind] | (link ? FileType.SymbolicLink : 0);

/** A pod's files for one URI scheme: `<scheme>://<podId>/<absolute path>`. A read-only scheme is registered as such with the editor. */
export class PodFileSystemProvider implements FileSystemProvider {
  readonly onDidChangeFile: Event<FileChangeEvent[]>;
  readonly #watched = new Set<Watched>();

  constructor(
    readonly scheme: string,
    readonly deps: ProviderDeps,
  ) {
    this.onDidChangeFile = deps.changes.of(scheme);
  }

  /** What the editor wants to hear about. */
  get watched(): Iterable<Watched> {
    return this.#watched;
  }

  watch(uri: Uri, options: { readonly recursive: boolean; readonly excludes: readonly string[] }): Disposable {
    const watched: Watched = { uri, recursive: options.recursive, excludes: options.excludes };
    this.#watched.add(watched);
    return new Disposable(() => this.#watched.delete(watched));
  }

  async stat(uri: Uri): Promise<FileStat> {
    try {
      return await this.#on(uri, async (files, path) => {
        const stat = await files.stat(path);
        this.deps.onStat?.(uri.authority, path, stat);
        // The editor asks for this beside the content, and only here does it take “too large” for what it is.
        if (stat.kind === 'file' && (await this.deps.large?.isRefused(uri, stat.size)) === true) throw this.#tooLarge(uri, stat.size);
        return toStat((await this.deps.bases?.told(uri, stat, () => files.readFile(path, { maxBytes: mostCompared }))) ?? stat);
      });
    } catch (error) {
      // An open folder whose pod is stopped is out of reach, not gone: the editor would call it missing and offer another.
      const isOpen = workspace.workspaceFolders?.some((folder) => folder.uri.toString() === uri.toString());
      if (isOpen === true && error instanceof FileSystemError && error.code === FileSystemError.Unavailable().code) return { type: FileType.Directory, ctime: 0, mtime: 0, size: 0 };
      throw error;
    }
  }

  readDirectory(uri: Uri): Promise<[string, FileType][]> {
    return this.#on(uri, async (files, path) => {
      const entries = await files.list(path);
      this.deps.onListed?.(uri.authority, path, entries.map(({ name }) => name));
      return entries.map((entry) => [entry.name, typeOf(entry)]);
    });
  }

  readFile(uri: Uri): Promise<Uint8Array> {
    const read = this.#read(uri);
    this.deps.large?.reading(uri, read);
    return read;
  }

  #read(uri: Uri): Promise<Uint8Array> {
    const maxBytes = this.deps.large?.limit(uri);
    return this.#on(uri, async (files, path) => {
      try {
        const content = await files.readFile(path, maxBytes === undefined ? {} : { maxBytes });
        this.deps.bases?.read(uri, content);
        return content;
      } catch (error) {
        if (!isFileError(error, 'too-large') || this.deps.large === undefined) throw error;
        const size = (await files.stat(path).catch(() => undefined))?.size;
        if (await this.deps.large.mayOpen(uri, size)) return files.readFile(path);
        throw this.#tooLarge(uri, size);
      }
    });
  }

  writeFile(uri: Uri, content: Uint8Array, options: { readonly create: boolean; readonly overwrite: boolean }): Promise<void> {
    return this.#on(uri, async (files, path) => {
      const { created } = await files.writeFile(path, content, options);
      this.deps.large?.wrote(uri, content.length);
      this.deps.bases?.wrote(uri, content);
      this.#tell(uri, path, created ? FileChangeType.Created : FileChangeType.Changed);
    });
  }

  createDirectory(uri: Uri): Promise<void> {
    return this.#on(uri, async (files, path) => {
      await files.createDirectory(path);
      this.#tell(uri, path, FileChangeType.Created);
    });
  }

  delete(uri: Uri, options: { readonly recursive: boolean }): Promise<void> {
    return this.#on(uri, async (files, path) => {
      await files.delete(path, options);
      this.#tell(uri, path, FileChangeType.Deleted);
    });
  }

  rename(from: Uri, to: Uri, options: { readonly overwrite: boolean }): Promise<void> {
    return this.#on(from, async (files, path) => {
      if (from.authority === to.authority) await files.rename(path, pathOf(to), options);
      else {
        await copyBetween(files, path, this.deps.resolve(to.authority), pathOf(to), options);
        await files.delete(path, { recursive: true });
      }
      this.#tell(from, path, FileChangeType.Deleted);
      this.#tell(to, pathOf(to), FileChangeType.Created);
    });
  }

  copy(from: Uri, to: Uri, options: { readonly overwrite: boolean }): Promise<void> {
    return this.#on(from, async (files, path) => {
      if (from.authority === to.authority) await files.copy(path, pathOf(to), options);
      else await copyBetween(files, path, this.deps.resolve(to.authority), pathOf(to), options);
      this.#tell(to, pathOf(to), FileChangeType.Created);
    });
  }

  #tooLarge(uri: Uri, bytes: number | undefined): FileSystemError {
    return tooLargeForEditor(this.deps.large?.refusal(uri, bytes) ?? '');
  }

  /** One operation, its errors in the editor's terms. */
  async #on<T>(uri: Uri, work: (files: PodFiles, path: string) => Promise<T>): Promise<T> {
    const podId = uri.authority;
    try {
      return await work(this.deps.resolve(podId), pathOf(uri));
    } catch (thrown) {
      const error = toFileSystemError(thrown, this.deps.nameOf(podId));
      if (error.code === FileSystemError.Unavailable().code) this.deps.onUnavailable?.(podId);
      throw error;
    }
  }

  #tell(uri: Uri, path: string, type: FileChangeType): void {
    const podId = uri.authority;
    const changes: PodChange[] = [{ podId, path, type }];
    if (type !== FileChangeType.Changed) changes.push({ podId, path: dirname(path), type: FileChangeType.Changed });
    this.deps.changes.tell(changes);
  }
}

const pathOf = (uri: Uri): string => (uri.path === '' ? '/' : uri.path);

function toStat(stat: PodFileStat): FileStat {
  // SFTP does not tell when a file was made; a time after its last change would be a lie that sorts it wrongly.
  const out = { type: typeOf(stat), size: stat.size, mtime: stat.mtimeMs, ctime: stat.mtimeMs };
  return stat.readonly ? { ...out, permissions: FilePermission.Readonly } : out;
}
