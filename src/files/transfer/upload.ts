import * as fs from 'node:fs/promises';
import { CancelledError } from '../../base/errors';
import { FileError, isStatus, SessionLostError, Status, StatusError } from '../errors';
import { isDirectory, isLink, permissionMask } from '../kinds';
import { linkTarget } from '../links';
import { readNames } from '../list';
import { basename, dirname, join } from '../names';
import { moveOn } from '../rename';
import { noLongerInUse, outcome, type Room, unawaited } from '../room';
import type { Handle, SftpSession } from '../sftp';
import { whyNotWritten } from '../space';
import { exists } from '../stat';
import { discard, tempFor } from '../temp';
import { openOnEach, type Target } from '../tempFile';
import { type Attributes, OpenFlag } from '../wire';
import { asFileError, ChangedError, type Move, moveOf, MovingBatch } from './batch';
import type { TransferOptions, TransferPlan, TransferResult } from './contract';
import { podHashes } from './podHash';
import { inParallel } from './parallel';
import { ABANDONED_MS, isOtherVersion } from './partNames';
import { Ranges } from './ranges';
import { isLostLink, steadily, watchOf, type Watch } from './steadily';
import { type Batch, batches, bigFile, Tally } from './tally';
import { local, localHash, readerOf } from './thisComputer';

/** Small requests under way at once. */
const burst = 128;
/** Files that get their names at once. */
const placedAtOnce = 32;

/**
 * Brings to the pod what the plan says. Each file is complete, and checked, before it gets its name. A link that drops is
 * waited for, and every file goes on where it stopped; one that was given up leaves the big files it had begun, which the
 * same transfer finds again.
 * @throws FileError, LocalFileError for what ends the whole transfer; CancelledError
 */
export async function upload(room: Room, plan: TransferPlan, options: TransferOptions = {}): Promise<TransferResult> {
  const tally = new Tally(plan, options);
  const watch = watchOf(tally, options);
  try {
    await steadily(room, plan.destination, watch, (session) => makeFolders(session, plan.folders));
    for (const batch of batches(tally.wanted())) await new UploadBatch(room, batch, tally, watch).run();
    await steadily(room, plan.destination, watch, (session) => makeLinks(session, plan, tally));
    return tally.result();
  } finally {
    room.cache.forgetAll();
  }
}

/** The server takes the requests of one session in their order, so a folder is there before what lies in it. */
async function makeFolders(session: SftpSession, folders: readonly string[]): Promise<void> {
  for (let i = 0; i < folders.length; i += burst)
    await Promise.all(
      folders.slice(i, i + burst).map(async (folder) => {
        const made = await outcome(session.mkdir(folder));
        if (made.ok) return;
        if (made.error instanceof SessionLostError) throw made.error;
        const there = await outcome(session.stat(folder));
        if (!there.ok || !isDirectory(there.value)) throw asFileError(made.error, folder);
      }),
    );
}

async function makeLinks(session: SftpSession, plan: TransferPlan, tally: Tally): Promise<void> {
  tally.links = 0;
  for (const { from, to, target } of plan.links) {
    const done = await outcome(session.symlink(target, to));
    if (done.ok || (await outcome(session.readlink(to))).value === target) tally.links++;
    else if (isLostLink(done.error)) throw done.error;
    else tally.failed.push({ path: from, error: new FileError('failure', to, 'the link could not be made', { cause: done.error }) });
  }
  tally.tell();
}

interface Send extends Move {
  /** Its rename was on the way when the link went. */
  renaming: boolean;
}

class UploadBatch extends MovingBatch<Send> {
  constructor(room: Room, batch: Batch, tally: Tally, watch: Watch) {
    super(room, batch, tally, watch, batch.files.map((file) => ({ ...moveOf(file, tempFor(file.to, `${file.size} ${file.mtimeMs}`)), renaming: false })));
    for (const { temp } of this.moves) room.inUse.add(temp);
  }

  protected async move(session: SftpSession, send: Send, anew: boolean): Promise<void> {
    const source = await local(send.file.from, (from) => fs.open(from, 'r'));
    try {
      const now = await source.stat();
      if (now.size !== send.size || now.mtimeMs !== send.mtimeMs) {
        // Changed since it was planned, or while it was sent: what counts is what it is now.
        if (send.begun) throw new ChangedError();
        Object.assign(send, { size: now.size, mtimeMs: now.mtimeMs, ranges: new Ranges(0, now.size) });
      }
      const big = send.size >= bigFile;
      const first = !send.begun;
      const handle = await this.#openTemp(session, send, source, anew);
      if (big && first) await this.#clearOlder(session, handle, send.temp);
      const pushed = await outcome(big ? this.room.sessions.withLanes(session, (sessions) => this.#pushWide(sessions, send, source)) : this.#push([{ session, handle }], send, source));
      if (!pushed.ok) {
        // As long as it is open, removing it makes no room.
        unawaited(session.close(handle), this.room.log);
        throw pushed.error;
      }
      await this.#finish(session, handle, send, big);
      const after = await source.stat();
      if (after.size !== send.size || after.mtimeMs !== send.mtimeMs) {
        Object.assign(send, { size: after.size, mtimeMs: after.mtimeMs });
        throw new ChangedError();
      }
    } finally {
      await source.close();
    }
  }

  /** Goes on with what is there already: from before the link was lost, or of a big file from an earlier transfer. */
  async #openTemp(session: SftpSession, send: Send, source: fs.FileHandle, anew: boolean): Promise<Handle> {
    if (send.moved === 0 && (send.begun || send.size < bigFile || anew)) return this.#openFresh(session, send);
    // A link that somebody has put there is not written through.
    if (!send.begun && isLink((await outcome(session.lstat(send.temp))).value ?? {})) return this.#openFresh(session, send);
    const opened = await outcome(session.open(send.temp, OpenFlag.Read | OpenFlag.Write));
    if (!opened.ok) {
      // A pod that has been started anew has nothing of it.
      if (isStatus(opened.error, Status.NoSuchFile)) return this.#openFresh(session, send);
      throw opened.error;
    }
    const handle = opened.value;
    if (send.begun) return handle;
    const { size = 0 } = await session.fstat(handle);
    const sure = size > send.size ? 0 : await this.sureOf(size, readerOf(source), (at, length) => session.read(handle, at, length));
    if (sure > 0) {
      this.goOnFrom(send, sure);
      return handle;
    }
    await session.close(handle);
    return this.#openFresh(session, send);
  }

  #openFresh(session: SftpSession, send: Send): Promise<Handle> {
    this.tally.correct(-send.moved);
    Object.assign(send, { moved: 0, ranges: new Ranges(0, send.size), begun: true });
    return createAnew(session, send.temp);
  }

  /** What an earlier transfer has left of another version of this file takes room and is of no use to anyone. */
  async #clearOlder(session: SftpSession, handle: Handle, temp: string): Promise<void> {
    const folder = dirname(temp);
    const [own, found] = await Promise.all([outcome(session.fstat(handle)), outcome(readNames(this.room, session, folder))]);
    // By the pod's own clock.
    const now = own.value?.mtime;
    if (now === undefined || !found.ok) return;
    const old = found.value.filter(({ name, attributes: { mtime } }) => isOtherVersion(name, basename(temp)) && mtime !== undefined && (now - mtime) * 1000 > ABANDONED_MS);
    await Promise.all(old.map(({ name }) => outcome(session.remove(join(folder, name)))));
  }

  async #pushWide(sessions: readonly SftpSession[], send: Send, source: fs.FileHandle): Promise<void> {
    const opened = await openOnEach(sessions, send.temp);
    if (opened.length === 0) throw new SessionLostError('No channel for the file');
    const pushed = await outcome(this.#push(opened, send, source));
    const closed = await Promise.all(opened.map(({ session, handle }) => outcome(session.close(handle))));
    const failed = [pushed, ...closed].find((one) => !one.ok);
    if (failed !== undefined) throw failed.error;
  }

  async #push(targets: readonly Target[], send: Send, source: fs.FileHandle): Promise<void> {
    const workers = targets.flatMap((one) => Array.from({ length: Math.min(this.batch.requests, Math.ceil(send.size / one.session.maxWrite)) }, () => one));
    await inParallel(workers, workers.length, async ({ session, handle }) => {
      for (let range = send.ranges.take(session.maxWrite); range !== undefined; range = send.ranges.take(session.maxWrite)) {
        try {
          if (this.watch.signal?.aborted === true) throw new CancelledError();
          const data = Buffer.allocUnsafe(range.end - range.start);
          for (let at = 0; at < data.length; ) {
            const { bytesRead } = await source.read(data, at, data.length - at, range.start + at);
            if (bytesRead === 0) throw new ChangedError();
            at += bytesRead;
          }
          await session.write(handle, range.start, data, this.call);
          this.arrived(send, data.length);
        } catch (error) {
          send.ranges.giveBack(range);
          throw error;
        }
      }
    });
  }

  /** Mode, owner and time, then size and close; a file that is replaced passes on its own mode and owner. */
  async #finish(session: SftpSession, handle: Handle, send: Send, big: boolean): Promise<void> {
    const old: Attributes | undefined = send.file.conflict ? (await outcome(session.stat(send.file.to))).value : undefined;
    if (old?.uid !== undefined && old.gid !== undefined) void outcome(session.fsetstat(handle, { uid: old.uid, gid: old.gid }));
    const mtime = Math.floor(send.mtimeMs / 1000);
    const [set, synced, found, closed] = await Promise.all([
      outcome(session.fsetstat(handle, { mode: (old?.mode ?? send.file.mode ?? 0o644) & permissionMask, mtime })),
      big && session.has('fsync@openssh.com') ? outcome(session.fsync(handle)) : undefined,
      outcome(session.fstat(handle)),
      outcome(session.close(handle)),
    ]);
    // A file system without modes or times (some network volumes) refuses them; the content is what counts.
    if (!set.ok && set.error instanceof SessionLostError) throw set.error;
    if (synced?.ok === false && !isStatus(synced.error, Status.Unsupported, Status.BadMessage)) throw synced.error;
    if (!found.ok) throw found.error;
    if (!closed.ok) throw closed.error;
    if (found.value.size !== undefined && found.value.size !== send.size) throw new StatusError(Status.Failure, `${found.value.size} of ${send.size} bytes were written`);
  }

  protected async check(sent: readonly Send[]): Promise<void> {
    const { signal } = this.watch;
    const digests = await this.steadily(() => podHashes(this.room, sent.map(({ temp, size }) => ({ path: temp, size })), signal));
    if (digests === undefined) this.tally.hashed = false;
    else for (const send of sent) if (digests.get(send.temp) !== (await localHash(send.file.from, send.size, signal))) send.state = 'changed';
  }

  protected placeAll(): Promise<void> {
    return this.steadily((session) => inParallel(this.in('moved'), placedAtOnce, (send) => this.#place(session, send)));
  }

  async #place(session: SftpSession, send: Send): Promise<void> {
    if (this.watch.signal?.aborted === true) throw new CancelledError();
    const { file, temp } = send;
    try {
      await this.room.locks.run([file.to], async () => {
        if (send.renaming && !(await exists(session, temp))) return;
        const overwrite = file.conflict && this.tally.overwrite;
        if (file.replaces !== undefined && !send.renaming) {
          const there = await outcome(session.lstat(file.to));
          if (there.error instanceof SessionLostError) throw there.error;
          if (there.value?.size !== file.replaces.size || there.value.mtime !== Math.floor(file.replaces.mtimeMs / 1000)) throw new FileError('exists', file.to, 'it changed meanwhile');
        }
        const to = overwrite ? await behindLinks(session, file.to) : file.to;
        send.renaming = true;
        await moveOn(this.room, session, temp, to, overwrite);
      });
      this.placed(send);
    } catch (error) {
      if (isLostLink(error)) throw error;
      this.failed(send, asFileError(error, file.to));
    }
  }

  protected async clean(unplaced: readonly Send[]): Promise<void> {
    for (const { temp } of unplaced) this.room.leftovers.add(temp);
    for (const { temp } of this.moves) noLongerInUse(this.room, temp);
    if (unplaced.length === 0) return;
    await outcome(this.room.sessions.use('/', false, (session) => inParallel(unplaced, placedAtOnce, ({ temp }) => discard(this.room, session, temp))));
  }

  protected async whyRefused(session: SftpSession, send: Send, refusal: StatusError): Promise<unknown> {
    // First make room: the question why may need some.
    await discard(this.room, session, send.temp);
    return whyNotWritten(this.room, session, send.file.to, send.size, refusal);
  }
}

/** An empty file of that name. What is there already is from an earlier transfer, or a link of somebody's, and is not written through. */
async function createAnew(session: SftpSession, temp: string): Promise<Handle> {
  const create = (): Promise<Handle> => session.open(temp, OpenFlag.Write | OpenFlag.Create | OpenFlag.Exclusive, { mode: 0o600 });
  const created = await outcome(create());
  if (created.ok) return created.value;
  if (!(created.error instanceof StatusError) || !(await outcome(session.remove(temp))).ok) throw created.error;
  return create();
}

/** A link that is written to stays a link. */
async function behindLinks(session: SftpSession, to: string): Promise<string> {
  const found = await outcome(session.lstat(to));
  return found.ok && isLink(found.value) ? linkTarget(session, to) : to;
}
