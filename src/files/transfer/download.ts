import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { CancelledError, messageOf } from '../../base/errors';
import { FileError, type StatusError } from '../errors';
import { outcome, type Room, unawaited } from '../room';
import type { Handle, SftpSession } from '../sftp';
import { OpenFlag } from '../wire';
import { asFileError, ChangedError, type Move, moveOf, MovingBatch } from './batch';
import { LocalFileError, type PlannedFile, type TransferOptions, type TransferPlan, type TransferResult } from './contract';
import { podHashes, podHashOfStart } from './podHash';
import { ABANDONED_MS, isOtherVersion, partKey } from './partNames';
import { Ranges } from './ranges';
import { inParallel } from './parallel';
import { isLostLink, watchOf, type Watch } from './steadily';
import { type Batch, batches, bigFile, Tally } from './tally';
import { joinLocal, local, localHash, lookAt, makeFolder, namesIn, native, place, readerOf, writeAll } from './thisComputer';

/** A file that says it is empty but is not (`/proc`) is read up to here. */
const maxUntold = 64 * 1024 * 1024;

/**
 * Brings to this computer what the plan says. Each file is complete, and checked, before it gets its name. A link that drops
 * is waited for, and every file goes on where it stopped; one that was given up leaves the big files it had begun, which
 * the same transfer finds again.
 * @throws FileError, LocalFileError for what ends the whole transfer; CancelledError
 */
export async function download(room: Room, plan: TransferPlan, options: TransferOptions = {}): Promise<TransferResult> {
  const tally = new Tally(plan, options);
  const watch = watchOf(tally, options);
  await makeFolder(plan.destination);
  for (const folder of plan.folders) await makeFolder(folder);
  const instead = await makeLinks(plan, tally);
  for (const batch of batches([...tally.wanted(), ...instead])) await new DownloadBatch(room, batch, tally, watch).run();
  return tally.result();
}

/** Makes the links. Where the system does not let us, the file that one leads to comes in its place. */
async function makeLinks(plan: TransferPlan, tally: Tally): Promise<PlannedFile[]> {
  const instead: PlannedFile[] = [];
  for (const link of plan.links) {
    try {
      await local(link.to, (to) => fs.symlink(native(link.target), to));
      tally.links++;
    } catch (error) {
      if (link.file !== undefined) instead.push(link.file);
      else if (error instanceof LocalFileError) tally.failed.push({ path: link.from, error });
      else throw error;
    }
  }
  return instead;
}

class DownloadBatch extends MovingBatch<Move> {
  constructor(room: Room, batch: Batch, tally: Tally, watch: Watch) {
    super(room, batch, tally, watch, batch.files.map((file) => moveOf(file, partBeside(file))));
  }

  protected async move(session: SftpSession, move: Move, anew: boolean): Promise<void> {
    if (anew && !move.begun) {
      const { size = 0, mtime = 0 } = await session.stat(move.file.from);
      Object.assign(move, { size, mtimeMs: mtime * 1000, ranges: new Ranges(0, size) });
    }
    const handle = await this.#openPart(session, move, anew);
    try {
      const wide = move.size >= bigFile && (await this.room.sessions.hasShell());
      if (wide) await this.room.sessions.withLanes(session, (sessions) => this.#pull(sessions, move, handle));
      else await this.#pull([session], move, handle);
      const mode = move.file.mode ?? 0o644;
      // Whether a program can be run comes along; the rest is this computer's own rule.
      if (process.platform !== 'win32' && (mode & 0o100) !== 0) await handle.chmod(0o755 & ~process.umask());
      await handle.utimes(new Date(), new Date(move.mtimeMs));
    } finally {
      await handle.close();
    }
  }

  async #openPart(session: SftpSession, move: Move, anew: boolean): Promise<fs.FileHandle> {
    if (move.begun) return local(move.temp, (temp) => fs.open(temp, 'r+'));
    if (move.size >= bigFile) await clearOlder(move.temp).catch((error: unknown) => this.room.log.debug(`files: ${messageOf(error)}`));
    const there = move.size >= bigFile && !anew ? await lookAt(move.temp) : undefined;
    if (there?.kind === 'file' && there.size <= move.size) {
      const part = await local(move.temp, (temp) => fs.open(temp, 'r+'));
      const sure = await outcome(this.#sureOfPart(session, move, part, there.size));
      if (sure.ok && sure.value > 0) {
        this.goOnFrom(move, sure.value);
        return part;
      }
      await part.close();
      if (!sure.ok) throw sure.error;
    }
    // Made new: a link that has come under this name, which a pod may foresee, is not written through.
    await local(move.temp, (temp) => fs.rm(temp, { force: true }));
    const handle = await local(move.temp, (temp) => fs.open(temp, 'wx+'));
    move.begun = true;
    return handle;
  }

  async #sureOfPart(session: SftpSession, { file }: Move, part: fs.FileHandle, bytes: number): Promise<number> {
    const handle = await session.open(file.from, OpenFlag.Read);
    try {
      return await this.sureOf(bytes, readerOf(part), (at, length) => session.read(handle, at, length));
    } finally {
      unawaited(session.close(handle), this.room.log);
    }
  }

  async #pull(sessions: readonly SftpSession[], move: Move, into: fs.FileHandle): Promise<void> {
    const opened: { session: SftpSession; handle: Handle }[] = [];
    try {
      for (const one of await Promise.all(sessions.map(async (session) => ({ session, handle: await outcome(session.open(move.file.from, OpenFlag.Read, {}, this.call)) })))) {
        if (one.handle.ok) opened.push({ session: one.session, handle: one.handle.value });
        else if (sessions.length === 1 || isLostLink(one.handle.error)) throw one.handle.error;
      }
      const [first] = opened;
      if (first === undefined) throw new FileError('failure', move.file.from, 'it cannot be opened');
      if (move.size === 0) return await this.#pullUntold(first.session, first.handle, into);
      const workers = opened.flatMap((one) => Array.from({ length: Math.min(this.batch.requests, Math.ceil(move.size / one.session.maxRead)) }, () => one));
      await inParallel(workers, workers.length, ({ session, handle }) => this.#pullRanges(session, handle, move, into));
    } finally {
      for (const { session, handle } of opened) unawaited(session.close(handle), this.room.log);
    }
  }

  async #pullRanges(session: SftpSession, handle: Handle, move: Move, into: fs.FileHandle): Promise<void> {
    for (let range = move.ranges.take(session.maxRead); range !== undefined; range = move.ranges.take(session.maxRead)) {
      let at = range.start;
      try {
        while (at < range.end) {
          const part = await session.read(handle, at, range.end - at, this.call);
          if (part.length === 0) throw new ChangedError();
          await writeAll(into, part, at);
          at += part.length;
          this.arrived(move, part.length);
        }
      } catch (error) {
        move.ranges.giveBack({ start: at, end: range.end });
        throw error;
      }
    }
  }

  async #pullUntold(session: SftpSession, handle: Handle, into: fs.FileHandle): Promise<void> {
    for (let at = 0; at < maxUntold; ) {
      const part = await session.read(handle, at, session.maxRead, this.call);
      if (part.length === 0) return;
      await writeAll(into, part, at);
      at += part.length;
    }
  }

  protected async check(moved: readonly Move[]): Promise<void> {
    const { signal } = this.watch;
    const digests = await this.steadily(() => podHashes(this.room, moved.map(({ file, size }) => ({ path: file.from, size })), signal));
    if (digests === undefined) this.tally.hashed = false;
    for (const move of moved) {
      if (digests === undefined) {
        if ((await lookAt(move.temp))?.size !== move.size) move.state = 'changed';
        continue;
      }
      const ours = await localHash(move.temp, move.size, signal);
      if (digests.get(move.file.from) === ours) continue;
      // A log that has grown since is still what it was as far as it was read.
      const start = await this.steadily(() => podHashOfStart(this.room, { path: move.file.from, size: move.size }, signal));
      if (start !== ours) move.state = 'changed';
    }
  }

  protected async placeAll(): Promise<void> {
    for (const move of this.in('moved')) {
      if (this.watch.signal?.aborted === true) throw new CancelledError();
      const { to, conflict, replaces } = move.file;
      try {
        const there = replaces === undefined ? undefined : await lookAt(to);
        if (there?.size !== replaces?.size || there?.mtimeMs !== replaces?.mtimeMs) throw new LocalFileError('changed', to);
        await place(move.temp, to, conflict && this.tally.overwrite);
        this.placed(move);
      } catch (error) {
        this.failed(move, error);
      }
    }
  }

  protected async clean(unplaced: readonly Move[]): Promise<void> {
    for (const { temp } of unplaced) await fs.rm(native(temp), { force: true }).catch(() => undefined);
  }

  protected async whyRefused(_session: SftpSession, { file }: Move, refusal: StatusError): Promise<unknown> {
    return asFileError(refusal, file.from);
  }
}

const partBeside = ({ from, to, size, mtimeMs }: PlannedFile): string => joinLocal(path.dirname(to), `.${partKey(JSON.stringify([from, to]), `${size} ${mtimeMs}`)}.runpod-part`);

/** What an earlier transfer has left of another version of this file takes room and is of no use to anyone. */
async function clearOlder(temp: string): Promise<void> {
  const folder = path.dirname(temp);
  for (const name of (await namesIn(folder)).filter((one) => isOtherVersion(one, path.basename(temp)))) {
    const left = joinLocal(folder, name);
    const there = await lookAt(left);
    if (there !== undefined && Date.now() - there.mtimeMs > ABANDONED_MS) await fs.rm(native(left), { force: true });
  }
}
