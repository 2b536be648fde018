import { FileError, isStatus, SessionLostError, Status, StatusError } from './errors';
import { writeInPlace, writeSpecial } from './inPlace';
import { type FileStat, fileStat, isDirectory, isFifo, isLink, isRegular, mayWrite, permissionMask } from './kinds';
import { linkTarget } from './links';
import { replaceFile } from './replace';
import { noLongerInUse, type Outcome, outcome, type Room, runOnPod } from './room';
import { assign, script } from './shell';
import type { SftpSession } from './sftp';
import { whyNotWritten } from './space';
import { checkParent, exists } from './stat';
import { discard, tempBeside } from './temp';
import { TempFile } from './tempFile';
import type { Attributes } from './wire';

export interface WriteOptions {
  /** Make the file when there is none. */
  readonly create: boolean;
  /** Replace the content when there is one. Means something only together with `create`. */
  readonly overwrite: boolean;
  /** Permission bits of a file that is made; without them the account's own for new files. */
  readonly mode?: number;
}

const linkCountMs = 5_000;

/**
 * Puts `content` under `path` in one step: a temporary file beside it, complete and synced, is renamed over it. Resolves
 * only when the server has acknowledged all of that. When it rejects, the old content is whole; only if the link went
 * while the rename was under way, and did not come back to tell, it may be the new one.
 * `created` tells that there was nothing before.
 */
export async function writeFile(room: Room, path: string, content: Uint8Array, options: WriteOptions): Promise<{ created: boolean }> {
  room.cache.use(path);
  return room.locks.run([path], async () => {
    room.cache.forget(path);
    const save = new Save(room, path, content, options);
    try {
      const stat = await room.sessions.use(path, () => save.mayGoOn, (session) => save.run(session));
      room.cache.forget(path);
      room.cache.keepOnce(path, stat);
      return { created: save.created };
    } catch (error) {
      save.lostForGood();
      room.cache.forget(path);
      throw error;
    }
  });
}

class Save {
  /** Until `renaming` nothing has happened to the file; from there on its state is unknown when the link goes. */
  #stage: 'preparing' | 'renaming' | 'in place' = 'preparing';
  /** There was nothing before. */
  created = false;
  #renaming: { temp: string; target: string; result: FileStat } | undefined;

  constructor(
    readonly room: Room,
    readonly path: string,
    readonly content: Uint8Array,
    readonly options: WriteOptions,
  ) {}

  /** Whether, the session being lost, a new one may take up the save: nothing has happened yet, or it can be told what has. */
  get mayGoOn(): boolean {
    return this.#stage !== 'in place';
  }

  lostForGood(): void {
    if (this.#renaming !== undefined) this.room.leftovers.add(this.#renaming.temp);
  }

  async run(session: SftpSession): Promise<FileStat> {
    return this.#renaming === undefined ? this.#save(session, this.path) : this.#settle(session, this.#renaming);
  }

  /** @param target the path, or what its links lead to. */
  async #save(session: SftpSession, target: string): Promise<FileStat> {
    const temp = new TempFile(this.room, session, tempBeside(target));
    this.room.inUse.add(temp.path);
    const links = this.#countLinks(target);
    const [found, opened] = await Promise.all([outcome(session.lstat(target)), temp.open()]);
    try {
      const old = this.#judge(found, target);
      this.created = old === undefined;
      if (old !== undefined && isLink(old)) {
        await temp.discard();
        return await this.#save(session, await linkTarget(session, target));
      }
      if (old !== undefined && !mayWrite(old, await this.room.sessions.who())) throw new FileError('no-permission', this.path);
      if (old !== undefined && !isRegular(old) && old.mode !== undefined) return await this.#special(session, temp, target, old);
      if (!opened.ok) {
        if (opened.error instanceof SessionLostError) throw opened.error;
        if (old === undefined) throw await this.#whyNoTemp(session, target, opened.error);
        // The folder is closed to us; the file is not.
        return await this.#inPlace(session, temp, target);
      }
      const written = await this.#fill(session, temp, old);
      if (old !== undefined && (!keptOwnerAndMode(old, written) || (await links) > 1)) return await this.#inPlace(session, temp, target);
      return await this.#rename(session, temp, target, old, { ...fileStat(written, undefined, undefined), link: target !== this.path });
    } catch (error) {
      if (this.#renaming === undefined) await temp.discard();
      throw error;
    } finally {
      noLongerInUse(this.room, temp.path);
    }
  }

  /** What is there now, as far as the flags allow it to be. */
  #judge(found: Outcome<Attributes>, target: string): Attributes | undefined {
    const { create, overwrite } = this.options;
    if (!found.ok) {
      if (!isStatus(found.error, Status.NoSuchFile)) throw found.error;
      if (!create) throw new FileError('not-found', this.path);
      return undefined;
    }
    if (isDirectory(found.value)) throw new FileError('is-a-directory', this.path);
    // A link counts by itself: what it leads to is then there to be replaced.
    if (create && !overwrite && target === this.path) throw new FileError('exists', this.path);
    return found.value;
  }

  /**
   * SFTP does not tell how many names a file has; the shell does, asked beside the first two round trips and not before.
   * Without a shell a further name is not seen: it then keeps the old content.
   */
  async #countLinks(target: string): Promise<number> {
    if (!(await this.room.sessions.hasShell())) return 1;
    const asked = await outcome(runOnPod(this.room, target, script(assign('f', target), 'stat -c %h -- "$f"'), { deadlineMs: linkCountMs }));
    return asked.ok && asked.value.code === 0 ? Number(asked.value.stdout.toString('latin1').trim()) || 1 : 1;
  }

  async #fill(session: SftpSession, temp: TempFile, old: Attributes | undefined): Promise<Attributes> {
    try {
      const { mode } = this.options;
      return await temp.fill(this.content, old ?? (mode === undefined ? undefined : { mode }));
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      // First make room: the question why may need some.
      await temp.discard();
      throw await whyNotWritten(this.room, session, this.path, this.content.length, error);
    }
  }

  async #whyNoTemp(session: SftpSession, target: string, error: unknown): Promise<unknown> {
    await checkParent(session, target);
    return error instanceof StatusError ? whyNotWritten(this.room, session, this.path, 0, error) : error;
  }

  async #rename(session: SftpSession, temp: TempFile, target: string, old: Attributes | undefined, result: FileStat): Promise<FileStat> {
    const exclusive = this.options.create && !this.options.overwrite && target === this.path;
    this.#stage = 'renaming';
    this.#renaming = { temp: temp.path, target, result };
    const renamed = await outcome(exclusive ? session.rename(temp.path, target) : replaceFile(this.room, session, temp.path, target));
    if (renamed.ok) {
      this.#renaming = undefined;
      return result;
    }
    if (renamed.error instanceof SessionLostError) throw renamed.error;
    this.#renaming = undefined;
    this.#stage = 'preparing';
    if (exclusive && (await exists(session, target))) throw new FileError('exists', this.path);
    // A name that cannot be renamed over (a mount point such as /etc/hosts, another's file in a sticky folder) can be written.
    if (old !== undefined && isStatus(renamed.error, Status.Failure, Status.PermissionDenied)) return this.#inPlace(session, temp, target);
    throw renamed.error;
  }

  /** The link went during the rename and is back: see which it is, and finish. */
  async #settle(session: SftpSession, { temp, target, result }: { temp: string; target: string; result: FileStat }): Promise<FileStat> {
    if (await exists(session, temp)) {
      const exclusive = this.options.create && !this.options.overwrite && target === this.path;
      const renamed = await outcome(exclusive ? session.rename(temp, target) : replaceFile(this.room, session, temp, target));
      if (!renamed.ok && !isStatus(renamed.error, Status.NoSuchFile)) {
        if (renamed.error instanceof StatusError) await discard(this.room, session, temp);
        throw renamed.error;
      }
    }
    // Nobody else knows the temporary name: that it is gone means that it has become the file.
    const now = await session.lstat(target);
    if (now.size !== result.size) throw new FileError('failure', this.path, 'the connection was lost during the save, and the file has changed since');
    this.#renaming = undefined;
    return result;
  }

  async #inPlace(session: SftpSession, temp: TempFile, target: string): Promise<FileStat> {
    await temp.discard();
    this.#stage = 'in place';
    await writeInPlace(this.room, session, target, this.content);
    return { ...fileStat(await session.stat(target), undefined, await this.room.sessions.who()), link: target !== this.path };
  }

  async #special(session: SftpSession, temp: TempFile, target: string, old: Attributes): Promise<FileStat> {
    await temp.discard();
    // Opening a pipe for writing waits for its reader, and the server with it.
    if (isFifo(old)) throw new FileError('unsupported', this.path, 'a pipe');
    this.#stage = 'in place';
    await writeSpecial(session, target, this.content);
    return { ...fileStat(old, undefined, undefined), link: target !== this.path };
  }
}

function keptOwnerAndMode(old: Attributes, now: Attributes): boolean {
  return old.uid === now.uid && old.gid === now.gid && ((old.mode ?? 0) & permissionMask) === ((now.mode ?? 0) & permissionMask);
}
