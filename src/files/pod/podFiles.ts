import type { Disposable } from '../../base/disposable';
import { silentLog, type Logger } from '../../base/log';
import { bringBack } from '../aside';
import { AttributeCache } from '../cache';
import { copy } from '../copy';
import { FileError, isStatus, Status } from '../errors';
import type { FilesHost } from '../host';
import type { FileStat, Identity } from '../kinds';
import { type Entry, list } from '../list';
import { normalise } from '../names';
import { peek, type Peeked } from '../peek';
import { readFile, type ReadOptions } from '../read';
import { remove, sweep } from '../remove';
import { rename } from '../rename';
import { outcome, type Room, toFileError } from '../room';
import type { SpaceLeft } from '../sftp';
import { checkParent, stat } from '../stat';
import { Sessions } from '../sessions';
import { PathLocks, Turns } from '../turns';
import { LocalFileError, type TransferOptions, type TransferPlan, type TransferResult } from '../transfer/contract';
import { download } from '../transfer/download';
import type { PlanOptions } from '../transfer/plan';
import { planDownload } from '../transfer/planDownload';
import { planUpload } from '../transfer/planUpload';
import { upload } from '../transfer/upload';
import { writeFile, type WriteOptions } from '../write';

export interface PodFilesOptions {
  readonly log?: Logger;
  /** Milliseconds of silence after which an unanswered request gives up. */
  readonly silenceMs?: number;
  /** Milliseconds for the host to come up with an SFTP channel, connection included. */
  readonly openMs?: number;
  /** Milliseconds for which a listing answers questions about its entries; 0 for never. */
  readonly cacheMs?: number;
  /** Whole files read at once; more wait their turn. */
  readonly reads?: number;
  /** Further SFTP channels for big files at most. */
  readonly lanes?: number;
}

/**
 * The file system of one pod. Paths are absolute; a name that is not UTF-8 shows its odd bytes as characters of U+EF80…U+EFFF and is
 * found again by them. Every operation ends, and ends in `FileError` or `CancelledError` when it does not succeed.
 * What only reads is tried once more after a drop; what writes only when it is certain that nothing has happened.
 */
export class PodFiles implements Disposable {
  readonly #room: Room;

  constructor(host: FilesHost, options: PodFilesOptions = {}) {
    const log = options.log ?? silentLog;
    const sessions = new Sessions(host, { silenceMs: options.silenceMs ?? 30_000, openMs: options.openMs ?? 120_000, log, lanes: options.lanes ?? 4 });
    const room: Room = {
      host,
      sessions,
      cache: new AttributeCache(options.cacheMs ?? 2_000),
      locks: new PathLocks(),
      reads: new Turns(options.reads ?? 16),
      leftovers: new Set(),
      inUse: new Set(),
      asides: new Set(),
      log,
    };
    this.#room = room;
    sessions.onFresh = (session) => {
      room.cache.forgetAll();
      sweep(room, session);
      bringBack(room, session);
    };
  }

  dispose(): void {
    this.#room.sessions.dispose();
  }

  /** Links followed, with `link` beside the target's kind; a link to nowhere is of kind `link`. */
  stat(path: string, signal?: AbortSignal): Promise<FileStat> {
    return this.#do(path, (p) => stat(this.#room, p, signal));
  }

  /** Many paths in one round trip, as the pod has them now; links followed. In the order asked. */
  peek(paths: readonly string[], signal?: AbortSignal): Promise<Peeked[]> {
    return this.#do('/', () => peek(this.#room, paths.map(normalise), signal));
  }

  list(path: string, signal?: AbortSignal): Promise<Entry[]> {
    return this.#do(path, (p) => list(this.#room, p, signal));
  }

  readFile(path: string, options?: ReadOptions): Promise<Uint8Array> {
    return this.#do(path, (p) => readFile(this.#room, p, options));
  }

  /** Atomic where the file system lets it be; acknowledged when the content is safely in place under its name. */
  writeFile(path: string, content: Uint8Array, options: WriteOptions): Promise<{ created: boolean }> {
    return this.#do(path, (p) => writeFile(this.#room, p, content, options));
  }

  createDirectory(path: string): Promise<void> {
    return this.#do(path, async (p) => {
      this.#room.cache.forget(p);
      await this.#room.locks.run([p], () =>
        this.#room.sessions.use(p, false, async (session) => {
          const made = await outcome(session.mkdir(p));
          if (made.ok) return;
          if (!isStatus(made.error, Status.Failure, Status.NoSuchFile)) throw made.error;
          if ((await outcome(session.lstat(p))).ok) throw new FileError('exists', p);
          await checkParent(session, p);
          throw made.error;
        }),
      );
      this.#room.cache.forget(p);
    });
  }

  delete(path: string, options: { readonly recursive: boolean }): Promise<void> {
    return this.#do(path, (p) => remove(this.#room, p, options));
  }

  rename(from: string, to: string, options: { readonly overwrite: boolean }): Promise<void> {
    return this.#do(from, (p) => rename(this.#room, p, normalise(to), options));
  }

  copy(from: string, to: string, options: { readonly overwrite: boolean }): Promise<void> {
    return this.#do(from, (p) => copy(this.#room, p, normalise(to), options));
  }

  /** Gives a file another name beside its own, so that it is kept when it is replaced; instead of its own where no file can have two. */
  keepAs(path: string, other: string): Promise<void> {
    return this.#do(path, async (p) => {
      const to = normalise(other);
      const linked = await this.#room.locks.run([p, to], () =>
        this.#room.sessions.use(p, false, async (session) => {
          if (!session.has('hardlink@openssh.com')) return false;
          const made = await outcome(session.hardlink(p, to));
          if (!made.ok && !isStatus(made.error, Status.Failure, Status.Unsupported, Status.PermissionDenied)) throw made.error;
          return made.ok;
        }),
      );
      this.#room.cache.forget(to);
      if (!linked) await rename(this.#room, p, to, { overwrite: false });
    });
  }

  /** Where a symbolic link points, as it is written in it. */
  readLink(path: string): Promise<string> {
    return this.#do(path, (p) => this.#room.sessions.use(p, true, (session) => session.readlink(p)));
  }

  /** Permission bits of a file, and when it was changed in whole seconds since 1970. */
  setAttributes(path: string, { mode, mtime }: { readonly mode?: number; readonly mtime?: number }): Promise<void> {
    return this.#do(path, async (p) => {
      await this.#room.locks.run([p], () => this.#room.sessions.use(p, false, (session) => session.setstat(p, { ...(mode === undefined ? {} : { mode }), ...(mtime === undefined ? {} : { mtime }) })));
      this.#room.cache.forget(p);
    });
  }

  /** What the file system below `path` has left; `undefined` where the server cannot tell. A network volume tells its pool. */
  space(path: string): Promise<SpaceLeft | undefined> {
    return this.#do(path, (p) => this.#room.sessions.use(p, true, async (session) => (session.has('statvfs@openssh.com') ? session.statvfs(p) : undefined)));
  }

  /** Who we are on the pod; `undefined` where there is no shell to ask. */
  who(): Promise<Identity | undefined> {
    return this.#do('/', (p) => this.#room.sessions.use(p, true, () => this.#room.sessions.who()));
  }

  /** What bringing files and folders of this computer into `destination` would do; nothing is changed. */
  planUpload(sources: readonly string[], destination: string, options?: PlanOptions): Promise<TransferPlan> {
    return this.#transfer(destination, () => planUpload(this.#room, sources, destination, options));
  }

  /** What bringing files and folders of the pod into a folder of this computer would do; nothing is changed. */
  planDownload(sources: readonly string[], destination: string, options?: PlanOptions): Promise<TransferPlan> {
    return this.#transfer(sources[0] ?? '/', () => planDownload(this.#room, sources, destination, options));
  }

  /** Streams from disk to disk; memory does not grow with the size. Ends in `LocalFileError` too. */
  transfer(plan: TransferPlan, options?: TransferOptions): Promise<TransferResult> {
    return this.#transfer(plan.destination, () => (plan.direction === 'upload' ? upload : download)(this.#room, plan, options));
  }

  async #transfer<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof LocalFileError ? error : toFileError(error, path);
    }
  }

  /** Something else than this object has changed files: nothing heard before is believed any more. */
  changed(path?: string): void {
    if (path === undefined) this.#room.cache.forgetAll();
    else this.#room.cache.forget(path);
  }

  /** A change of ours to this path is under way. */
  isChanging(path: string): boolean {
    return this.#room.locks.holds(path);
  }

  async #do<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
    try {
      return await work(normalise(path));
    } catch (error) {
      throw toFileError(error, path);
    }
  }
}
