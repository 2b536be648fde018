import * as fs from 'node:fs/promises';
import { CancelledError } from '../../base/errors';
import { FileError, isStatus, SessionLostError, Status, StatusError } from '../errors';
import { isDirectory, isLink, permissionMask } from '../kinds';
import { linkTarget } from '../links';
import { moveOn } from '../rename';
import { noLongerInUse, outcome, type Room } from '../room';
import type { Handle, SftpSession } from '../sftp';
import { whyNotWritten } from '../space';
import { exists } from '../stat';
import { discard, tempFor } from '../temp';
import { type Attributes, OpenFlag } from '../wire';
import { type LeftOut, localError, type PlannedFile, type TransferOptions, type TransferPlan, type TransferResult } from './contract';
import { asFileError } from './download';
import { podHashes } from './podHash';
import { inParallel } from './parallel';
import { Ranges } from './ranges';
import { seemAlike } from './spotCheck';
import { isLostLink, shared, steadily, type Watch } from './steadily';
import { type Batch, batches, bigFile, Tally } from './tally';
import { local, localHash, readerOf } from './thisComputer';

const defaultPatienceMs = 600_000;
/** Bytes that may be missing before the end of an unfinished file: requests of several channels arrive in any order. */
const slack = 32 * 1024 * 1024;
/** Small requests under way at once. */
const burst = 128;

/**
 * Brings to the pod what the plan says. Each file is complete, and checked, before it gets its name. A link that drops is
 * waited for, and every file goes on where it stopped; one that was given up leaves the big files it had begun, which the
 * same transfer finds again.
 * @throws FileError, LocalFileError for what ends the whole transfer; CancelledError
 */
export async function upload(room: Room, plan: TransferPlan, options: TransferOptions = {}): Promise<TransferResult> {
  const tally = new Tally(plan, options);
  const watch: Watch = {
    signal: shared(options.signal),
    patienceMs: options.patienceMs ?? defaultPatienceMs,
    moved: () => tally.heard,
    onWaiting: (waiting) => tally.waiting(waiting),
  };
  const overwrite = options.conflicts === 'overwrite';
  const kept: LeftOut[] = plan.files.filter(({ conflict }) => conflict && !overwrite).map(({ from }) => ({ path: from, why: 'kept' }));
  try {
    await steadily(room, plan.destination, watch, (session) => makeFolders(session, plan.folders));
    const files = plan.files.filter(({ conflict }) => !conflict || overwrite);
    for (const batch of batches(files)) await new UploadBatch(room, batch, tally, watch, overwrite).run();
    await steadily(room, plan.destination, watch, (session) => makeLinks(session, plan, tally));
    return {
      files: tally.files,
      links: tally.links,
      bytes: tally.bytes,
      present: plan.present,
      leftOut: [...plan.leftOut, ...kept],
      renamed: plan.renamed,
      failed: tally.failed,
      verified: tally.hashed ? 'hash' : 'size',
    };
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

/** The file is not what it was when it was read. */
class ChangedError extends Error {}

interface Send {
  readonly file: PlannedFile;
  readonly temp: string;
  size: number;
  mtimeMs: number;
  ranges: Ranges;
  /** Bytes that count in the tally. */
  sent: number;
  state: 'open' | 'sent' | 'changed' | 'failed' | 'placed';
  begun: boolean;
  /** Its rename was on the way when the link went. */
  renaming: boolean;
}

class UploadBatch {
  readonly #sends: Send[];

  constructor(
    readonly room: Room,
    readonly batch: Batch,
    readonly tally: Tally,
    readonly watch: Watch,
    readonly overwrite: boolean,
  ) {
    this.#sends = batch.files.map((file) => ({
      file,
      temp: tempFor(file.to, `${file.size} ${file.mtimeMs}`),
      size: file.size,
      mtimeMs: file.mtimeMs,
      ranges: new Ranges(0, file.size),
      sent: 0,
      state: 'open',
      begun: false,
      renaming: false,
    }));
  }

  async run(): Promise<void> {
    for (const { temp } of this.#sends) this.room.inUse.add(temp);
    try {
      for (let round = 0; round < 2 && this.#in('open', 'changed').length > 0; round++) {
        for (const send of this.#in('changed')) this.#startOver(send);
        await this.#steadily(async (session) => {
          await inParallel(this.#in('open'), this.batch.atOnce, (send) => this.#attempt(session, send, round > 0));
        });
        await this.#check();
      }
      for (const { file } of this.#in('changed')) this.tally.failed.push({ path: file.from, error: new FileError('failure', file.from, 'it changed while it was read') });
      await this.#steadily((session) => inParallel(this.#in('sent'), 32, (send) => this.#place(session, send)));
    } catch (error) {
      await this.#clean(isLostLink(error));
      throw error;
    }
    await this.#clean(false);
  }

  #in(...states: readonly Send['state'][]): Send[] {
    return this.#sends.filter(({ state }) => states.includes(state));
  }

  #steadily<T>(work: (session: SftpSession) => Promise<T>): Promise<T> {
    return steadily(this.room, this.#sends[0]?.file.to ?? '/', this.watch, work);
  }

  #startOver(send: Send): void {
    this.tally.correct(-send.sent);
    Object.assign(send, { sent: 0, ranges: new Ranges(0, send.size), state: 'open', begun: false });
  }

  async #attempt(session: SftpSession, send: Send, anew: boolean): Promise<void> {
    try {
      await this.#send(session, send, anew);
      send.state = 'sent';
    } catch (error) {
      if (error instanceof ChangedError) {
        send.state = 'changed';
        return;
      }
      if (isLostLink(error) || error instanceof CancelledError) throw error;
      let reason = localError(error, send.file.from);
      if (error instanceof StatusError) {
        // First make room: the question why may need some.
        await discard(this.room, session, send.temp);
        reason = await whyNotWritten(this.room, session, send.file.to, send.size, error);
      }
      this.tally.fail(send.file, reason);
      send.state = 'failed';
    }
  }

  async #send(session: SftpSession, send: Send, anew: boolean): Promise<void> {
    const source = await local(send.file.from, (from) => fs.open(from, 'r'));
    try {
      const now = await source.stat();
      if (now.size !== send.size || now.mtimeMs !== send.mtimeMs) {
        // Changed since it was planned, or while it was sent: what counts is what it is now.
        if (send.begun) throw new ChangedError();
        Object.assign(send, { size: now.size, mtimeMs: now.mtimeMs, ranges: new Ranges(0, now.size) });
      }
      const handle = await this.#openTemp(session, send, source, anew);
      const big = send.size >= bigFile;
      if (big) await this.room.sessions.withLanes(session, (sessions) => this.#pushWide(sessions, session, send, source));
      else await this.#push([{ session, handle }], send, source);
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
    const fresh = async (): Promise<Handle> => {
      this.tally.correct(-send.sent);
      Object.assign(send, { sent: 0, ranges: new Ranges(0, send.size), begun: true });
      return session.open(send.temp, OpenFlag.Write | OpenFlag.Create | OpenFlag.Truncate, { mode: 0o600 });
    };
    if (!send.begun && (send.size < bigFile || anew)) return fresh();
    const opened = await outcome(session.open(send.temp, OpenFlag.Read | OpenFlag.Write));
    if (!opened.ok) {
      // A pod that has been started anew has nothing of it.
      if (isStatus(opened.error, Status.NoSuchFile)) return fresh();
      throw opened.error;
    }
    if (!send.begun) {
      send.begun = true;
      const { size = 0 } = await session.fstat(opened.value);
      const sure = size <= send.size ? Math.max(0, size - slack) : 0;
      const doubtful = async (): Promise<boolean> => sure > 0 && !(await this.room.sessions.hasShell()) && !(await seemAlike(sure, readerOf(source), (at, length) => session.read(opened.value, at, length)));
      if (size > send.size || (await doubtful())) {
        await session.close(opened.value);
        return fresh();
      }
      send.ranges = new Ranges(sure, send.size);
      send.sent = sure;
      this.tally.correct(sure);
    }
    return opened.value;
  }

  async #pushWide(sessions: readonly SftpSession[], main: SftpSession, send: Send, source: fs.FileHandle): Promise<void> {
    const opened = (await Promise.all((sessions.length > 0 ? sessions : [main]).map(async (session) => ({ session, handle: await outcome(session.open(send.temp, OpenFlag.Write)) })))).flatMap(
      ({ session, handle }) => (handle.ok ? [{ session, handle: handle.value }] : []),
    );
    if (opened.length === 0) throw new SessionLostError('No channel for the file');
    const pushed = await outcome(this.#push(opened, send, source));
    const closed = await Promise.all(opened.map(({ session, handle }) => outcome(session.close(handle))));
    const failed = [pushed, ...closed].find((one) => !one.ok);
    if (failed !== undefined) throw failed.error;
  }

  async #push(targets: readonly { session: SftpSession; handle: Handle }[], send: Send, source: fs.FileHandle): Promise<void> {
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
          await session.write(handle, range.start, data, this.watch.signal === undefined ? {} : { signal: this.watch.signal });
          send.sent += data.length;
          this.tally.moved(data.length, send.file);
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

  async #check(): Promise<void> {
    const sent = this.#in('sent').filter(({ size }) => size > 0);
    if (sent.length === 0) return;
    this.tally.phase('checking');
    const { signal } = this.watch;
    const digests = await this.#steadily(() => podHashes(this.room, sent.map(({ temp, size }) => ({ path: temp, size })), signal));
    if (digests === undefined) this.tally.hashed = false;
    else for (const send of sent) if (digests.get(send.temp) !== (await localHash(send.file.from, send.size, signal))) send.state = 'changed';
    this.tally.phase('moving');
  }

  async #place(session: SftpSession, send: Send): Promise<void> {
    if (this.watch.signal?.aborted === true) throw new CancelledError();
    const { file, temp } = send;
    try {
      await this.room.locks.run([file.to], async () => {
        if (send.renaming && !(await exists(session, temp))) return;
        const overwrite = file.conflict && this.overwrite;
        if (file.replaces !== undefined && !send.renaming) {
          const there = await outcome(session.lstat(file.to));
          if (there.error instanceof SessionLostError) throw there.error;
          if (there.value?.size !== file.replaces.size || there.value.mtime !== Math.floor(file.replaces.mtimeMs / 1000)) throw new FileError('exists', file.to, 'it changed meanwhile');
        }
        const to = overwrite ? await behindLinks(session, file.to) : file.to;
        send.renaming = true;
        await moveOn(this.room, session, temp, to, overwrite);
      });
      send.state = 'placed';
      this.tally.files++;
      this.tally.tell();
    } catch (error) {
      if (isLostLink(error)) throw error;
      this.tally.fail(file, asFileError(error, file.to));
      send.state = 'failed';
    }
  }

  /** @param keepBig leaves what another attempt can go on with. */
  async #clean(keepBig: boolean): Promise<void> {
    const left = this.#sends.filter((send) => send.begun && send.state !== 'placed' && !(keepBig && send.size >= bigFile));
    for (const { temp } of left) this.room.leftovers.add(temp);
    for (const { temp } of this.#sends) noLongerInUse(this.room, temp);
    if (left.length === 0) return;
    await outcome(this.room.sessions.use('/', false, (session) => inParallel(left, 32, ({ temp }) => discard(this.room, session, temp))));
  }
}

/** A link that is written to stays a link. */
async function behindLinks(session: SftpSession, to: string): Promise<string> {
  const found = await outcome(session.lstat(to));
  return found.ok && isLink(found.value) ? linkTarget(session, to) : to;
}
