import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { CancelledError } from '../../base/errors';
import { FileError } from '../errors';
import { outcome, type Room, unawaited } from '../room';
import type { Handle, SftpSession } from '../sftp';
import { OpenFlag } from '../wire';
import { type LeftOut, LocalFileError, localError, type PlannedFile, type TransferOptions, type TransferPlan, type TransferResult } from './contract';
import { podHashes, podHashOfStart } from './podHash';
import { Ranges } from './ranges';
import { inParallel } from './parallel';
import { seemAlike } from './spotCheck';
import { isLostLink, shared, steadily, type Watch } from './steadily';
import { type Batch, batches, bigFile, Tally } from './tally';
import { joinLocal, local, localHash, lookAt, makeFolder, native, place, readerOf, writeAll } from './thisComputer';

const defaultPatienceMs = 600_000;
/** Bytes that may be missing before the end of an unfinished file: requests of several channels arrive in any order. */
const slack = 32 * 1024 * 1024;
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
  const watch: Watch = {
    signal: shared(options.signal),
    patienceMs: options.patienceMs ?? defaultPatienceMs,
    moved: () => tally.heard,
    onWaiting: (waiting) => tally.waiting(waiting),
  };
  const overwrite = options.conflicts === 'overwrite';
  const kept: LeftOut[] = plan.files.filter(({ conflict }) => conflict && !overwrite).map(({ from }) => ({ path: from, why: 'kept' }));
  await makeFolder(plan.destination);
  for (const folder of plan.folders) await makeFolder(folder);
  const instead = await makeLinks(plan, tally);
  const files = [...plan.files.filter(({ conflict }) => !conflict || overwrite), ...instead];
  for (const batch of batches(files)) await new DownloadBatch(room, batch, tally, watch, overwrite).run();
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

/** The file is not what it was when it was read. */
class ChangedError extends Error {}

interface Fetch {
  readonly file: PlannedFile;
  readonly temp: string;
  size: number;
  mtimeMs: number;
  ranges: Ranges;
  /** Bytes that count in the tally. */
  got: number;
  state: 'open' | 'fetched' | 'changed' | 'failed' | 'placed';
  begun: boolean;
}

class DownloadBatch {
  readonly #fetches: Fetch[];

  constructor(
    readonly room: Room,
    readonly batch: Batch,
    readonly tally: Tally,
    readonly watch: Watch,
    readonly overwrite: boolean,
  ) {
    this.#fetches = batch.files.map((file) => ({
      file,
      temp: partBeside(file),
      size: file.size,
      mtimeMs: file.mtimeMs,
      ranges: new Ranges(0, file.size),
      got: 0,
      state: 'open',
      begun: false,
    }));
  }

  async run(): Promise<void> {
    try {
      // What has changed while it was read is read once more, and then given up.
      for (let round = 0; round < 2 && this.#in('open', 'changed').length > 0; round++) {
        for (const fetch of this.#in('changed')) this.#startOver(fetch);
        await this.#steadily(async (session) => {
          await inParallel(this.#in('open'), this.batch.atOnce, (fetch) => this.#attempt(session, fetch, round > 0));
        });
        await this.#check();
      }
      for (const { file } of this.#in('changed')) this.tally.failed.push({ path: file.from, error: new FileError('failure', file.from, 'it changed while it was read') });
      for (const fetch of this.#in('fetched')) await this.#place(fetch);
    } catch (error) {
      await this.#clean(isLostLink(error));
      throw localError(error, this.#fetches[0]?.file.to ?? '');
    }
    await this.#clean(false);
  }

  #in(...states: readonly Fetch['state'][]): Fetch[] {
    return this.#fetches.filter(({ state }) => states.includes(state));
  }

  #steadily<T>(work: (session: SftpSession) => Promise<T>): Promise<T> {
    return steadily(this.room, this.#fetches[0]?.file.from ?? '/', this.watch, work);
  }

  #startOver(fetch: Fetch): void {
    this.tally.correct(-fetch.got);
    Object.assign(fetch, { got: 0, ranges: new Ranges(0, fetch.size), state: 'open', begun: false });
  }

  async #attempt(session: SftpSession, fetch: Fetch, anew: boolean): Promise<void> {
    try {
      if (anew && !fetch.begun) {
        const { size = 0, mtime = 0 } = await session.stat(fetch.file.from);
        Object.assign(fetch, { size, mtimeMs: mtime * 1000, ranges: new Ranges(0, size) });
      }
      await this.#fetch(session, fetch, anew);
      fetch.state = 'fetched';
    } catch (error) {
      if (error instanceof ChangedError) {
        fetch.state = 'changed';
        return;
      }
      if (isLostLink(error) || error instanceof CancelledError) throw error;
      this.tally.fail(fetch.file, asFileError(localError(error, fetch.file.to), fetch.file.from));
      fetch.state = 'failed';
    }
  }

  async #fetch(session: SftpSession, fetch: Fetch, anew: boolean): Promise<void> {
    const handle = await this.#openPart(session, fetch, anew);
    try {
      const wide = fetch.size >= bigFile && (await this.room.sessions.hasShell());
      if (wide) await this.room.sessions.withLanes(session, (sessions) => this.#pull(sessions, fetch, handle));
      else await this.#pull([session], fetch, handle);
      const mode = fetch.file.mode ?? 0o644;
      // Whether a program can be run comes along; the rest is this computer's own rule.
      if (process.platform !== 'win32' && (mode & 0o100) !== 0) await handle.chmod(0o755 & ~process.umask());
      await handle.utimes(new Date(), new Date(fetch.mtimeMs));
    } finally {
      await handle.close();
    }
  }

  /** Of a big file that an earlier transfer has begun, what is certainly there is kept; its hash will tell. */
  async #openPart(session: SftpSession, fetch: Fetch, anew: boolean): Promise<fs.FileHandle> {
    if (fetch.begun) return local(fetch.temp, (temp) => fs.open(temp, 'r+'));
    const there = fetch.size >= bigFile && !anew ? await lookAt(fetch.temp) : undefined;
    const begun = there?.kind === 'file' && there.size <= fetch.size ? Math.max(0, there.size - slack) : 0;
    const sure = begun > 0 && ((await this.room.sessions.hasShell()) || (await this.#seemsRight(session, fetch, begun))) ? begun : 0;
    const handle = await local(fetch.temp, (temp) => fs.open(temp, sure > 0 ? 'r+' : 'w+'));
    fetch.begun = true;
    if (sure > 0) {
      fetch.ranges = new Ranges(sure, fetch.size);
      fetch.got = sure;
      this.tally.correct(sure);
    }
    return handle;
  }

  /** Whether what an earlier transfer has brought agrees with the pod's file, where no hash will tell. */
  async #seemsRight(session: SftpSession, { file, temp }: Fetch, length: number): Promise<boolean> {
    const handle = await session.open(file.from, OpenFlag.Read);
    try {
      return await local(temp, async (name) => {
        const part = await fs.open(name, 'r');
        return seemAlike(length, readerOf(part), (at, size) => session.read(handle, at, size)).finally(() => part.close());
      });
    } finally {
      unawaited(session.close(handle), this.room.log);
    }
  }

  async #pull(sessions: readonly SftpSession[], fetch: Fetch, into: fs.FileHandle): Promise<void> {
    const call = this.watch.signal === undefined ? {} : { signal: this.watch.signal };
    const opened: { session: SftpSession; handle: Handle }[] = [];
    try {
      for (const one of await Promise.all(sessions.map(async (session) => ({ session, handle: await outcome(session.open(fetch.file.from, OpenFlag.Read, {}, call)) })))) {
        if (one.handle.ok) opened.push({ session: one.session, handle: one.handle.value });
        else if (sessions.length === 1 || isLostLink(one.handle.error)) throw one.handle.error;
      }
      const [first] = opened;
      if (first === undefined) throw new FileError('failure', fetch.file.from, 'it cannot be opened');
      if (fetch.size === 0) return await this.#pullUntold(first.session, first.handle, into);
      const workers = opened.flatMap((one) => Array.from({ length: Math.min(this.batch.requests, Math.ceil(fetch.size / one.session.maxRead)) }, () => one));
      await inParallel(workers, workers.length, ({ session, handle }) => this.#pullRanges(session, handle, fetch, into));
    } finally {
      for (const { session, handle } of opened) unawaited(session.close(handle), this.room.log);
    }
  }

  async #pullRanges(session: SftpSession, handle: Handle, fetch: Fetch, into: fs.FileHandle): Promise<void> {
    const { signal } = this.watch;
    for (let range = fetch.ranges.take(session.maxRead); range !== undefined; range = fetch.ranges.take(session.maxRead)) {
      let at = range.start;
      try {
        while (at < range.end) {
          const part = await session.read(handle, at, range.end - at, signal === undefined ? {} : { signal });
          if (part.length === 0) throw new ChangedError();
          await writeAll(into, part, at);
          at += part.length;
          fetch.got += part.length;
          this.tally.moved(part.length, fetch.file);
        }
      } catch (error) {
        fetch.ranges.giveBack({ start: at, end: range.end });
        throw error;
      }
    }
  }

  async #pullUntold(session: SftpSession, handle: Handle, into: fs.FileHandle): Promise<void> {
    for (let at = 0; at < maxUntold; ) {
      const part = await session.read(handle, at, session.maxRead);
      if (part.length === 0) return;
      await writeAll(into, part, at);
      at += part.length;
    }
  }

  async #check(): Promise<void> {
    const fetched = this.#in('fetched').filter(({ size }) => size > 0);
    if (fetched.length === 0) return;
    this.tally.phase('checking');
    const { signal } = this.watch;
    const digests = await this.#steadily(() => podHashes(this.room, fetched.map(({ file, size }) => ({ path: file.from, size })), signal));
    if (digests === undefined) this.tally.hashed = false;
    for (const fetch of fetched) {
      if (digests === undefined) {
        if ((await lookAt(fetch.temp))?.size !== fetch.size) fetch.state = 'changed';
        continue;
      }
      const ours = await localHash(fetch.temp, fetch.size, signal);
      if (digests.get(fetch.file.from) === ours) continue;
      // A log that has grown since is still what it was as far as it was read.
      const start = await this.#steadily(() => podHashOfStart(this.room, { path: fetch.file.from, size: fetch.size }, signal));
      if (start !== ours) fetch.state = 'changed';
    }
    this.tally.phase('moving');
  }

  async #place(fetch: Fetch): Promise<void> {
    if (this.watch.signal?.aborted === true) throw new CancelledError();
    try {
      const { to, replaces } = fetch.file;
      if (replaces !== undefined) {
        const there = await lookAt(to);
        if (there?.size !== replaces.size || there.mtimeMs !== replaces.mtimeMs) throw new LocalFileError('changed', to);
      }
      await place(fetch.temp, fetch.file.to, fetch.file.conflict && this.overwrite);
      fetch.state = 'placed';
      this.tally.files++;
      this.tally.tell();
    } catch (error) {
      this.tally.fail(fetch.file, error);
      fetch.state = 'failed';
    }
  }

  /** @param keepBig leaves what another attempt can go on with. */
  async #clean(keepBig: boolean): Promise<void> {
    for (const fetch of this.#fetches) {
      if (!fetch.begun || fetch.state === 'placed' || (keepBig && fetch.size >= bigFile)) continue;
      await fs.rm(native(fetch.temp), { force: true }).catch(() => undefined);
    }
  }
}

/** The same name for the same version of the file, so that a later attempt finds what an earlier one has begun. */
function partBeside({ from, to, size, mtimeMs }: PlannedFile): string {
  const key = createHash('sha256').update(JSON.stringify([from, to, size, mtimeMs])).digest('hex').slice(0, 12);
  return joinLocal(path.dirname(to), `.${key}.runpod-part`);
}

/** The server's refusal of one file. */
export function asFileError(error: unknown, at: string): unknown {
  if (!(error instanceof Error) || error.name !== 'StatusError' || !('status' in error)) return error;
  return new FileError(error.status === 2 ? 'not-found' : error.status === 3 ? 'no-permission' : 'failure', at, error.message, { cause: error });
}
