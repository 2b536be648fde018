import { FileError, isStatus, SessionLostError, Status, StatusError } from './errors';
import { keepBusy } from './keepBusy';
import { permissionMask } from './kinds';
import { type Outcome, outcome, type Room } from './room';
import type { Handle, SftpSession } from './sftp';
import { discard } from './temp';
import { type Attributes, OpenFlag } from './wire';

/** Files of more bytes are spread over several channels. */
const bigFile = 4 * 1024 * 1024;
/** WRITEs that one channel has under way. */
const inFlight = 16;

/** A file open for writing on one of several channels. */
export interface Target {
  readonly session: SftpSession;
  readonly handle: Handle;
}

/** A save's temporary file, from its OPEN to its rename or its end. */
export class TempFile {
  #handle: Outcome<Handle> | undefined;

  constructor(
    readonly room: Room,
    readonly session: SftpSession,
    readonly path: string,
  ) {}

  /** Made new, or not at all. The refusal is kept as a value, because it decides nothing yet. */
  async open(): Promise<Outcome<void>> {
    const handle = await outcome(this.session.open(this.path, OpenFlag.Write | OpenFlag.Create | OpenFlag.Exclusive));
    this.#handle = handle;
    return handle.ok ? { ok: true, value: undefined } : handle;
  }

  /**
   * Owner and mode as `old` has them, then the content, synced and closed: one round trip when all of it may be under way at
   * once. Resolves with what the file then is, when every single step has been acknowledged.
   */
  async fill(content: Uint8Array, old: Attributes | undefined): Promise<Attributes> {
    if (this.#handle?.ok !== true) throw new FileError('failure', this.path, 'not open');
    const handle = this.#handle.value;
    this.#handle = undefined;
    const { session } = this;
    // Owner first, for a change of owner clears the set-user-id bit; and both before the content, which the mode may have to
    // hide. Whether they took is judged by the FSTAT: a refusal may be of something that was so already.
    if (old?.uid !== undefined && old.gid !== undefined) void outcome(session.fsetstat(handle, { uid: old.uid, gid: old.gid }));
    if (old?.mode !== undefined) void outcome(session.fsetstat(handle, { mode: old.mode & permissionMask }));
    if (content.length > inFlight * session.maxWrite || content.length >= bigFile) await this.#writeWide(handle, content);
    else if (content.length > 0) return this.#finish(handle, content, writeChunks([{ session, handle }], content, inFlight));
    return this.#finish(handle, content, Promise.resolve());
  }

  async #writeWide(handle: Handle, content: Uint8Array): Promise<void> {
    await this.room.sessions.withLanes(this.session, async (sessions) => {
      const others = sessions.filter((session) => session !== this.session);
      const opened = await openOnEach(others, this.path);
      const written = await outcome(writeChunks(opened.length > 0 ? opened : [{ session: this.session, handle }], content));
      const closed = await Promise.all(opened.map((o) => outcome(o.session.close(o.handle))));
      const failed = [written, ...closed].find((o) => !o.ok);
      if (failed !== undefined) {
        await outcome(this.session.close(handle));
        // A lane that went down is the link that went down: the main session will not be trusted with the rest.
        throw failed.error;
      }
    });
  }

  /** Sync, size and close go out behind the content without waiting for it; the server takes them in order. */
  async #finish(handle: Handle, content: Uint8Array, writing: Promise<void>): Promise<Attributes> {
    const { session } = this;
    const [written, synced, found, closed] = await Promise.all([
      outcome(writing),
      session.has('fsync@openssh.com') ? outcome(session.fsync(handle)) : undefined,
      outcome(session.fstat(handle)),
      outcome(session.close(handle)),
    ]);
    if (!written.ok) throw written.error;
    // Some file systems know no fsync and say so; an fsync that failed is another matter.
    if (synced?.ok === false && !isStatus(synced.error, Status.Unsupported, Status.BadMessage)) throw synced.error;
    if (!found.ok) throw found.error;
    if (!closed.ok) throw closed.error;
    if (found.value.size !== undefined && found.value.size !== content.length)
      throw new StatusError(Status.Failure, `${found.value.size} of ${content.length} bytes were written`);
    return found.value;
  }

  /** Ends it without a trace; without a link, as soon as there is one. */
  async discard(): Promise<void> {
    if (this.#handle?.ok === false && !(this.#handle.error instanceof SessionLostError)) return;
    if (this.#handle?.ok === true) {
      void outcome(this.session.close(this.#handle.value));
      this.#handle = undefined;
    }
    await discard(this.room, this.session, this.path);
  }
}

/** Opens one file for writing on each channel that lets us. */
export async function openOnEach(sessions: readonly SftpSession[], path: string): Promise<Target[]> {
  const opened = await Promise.all(sessions.map(async (session) => ({ session, handle: await outcome(session.open(path, OpenFlag.Write)) })));
  return opened.flatMap(({ session, handle }) => (handle.ok ? [{ session, handle: handle.value }] : []));
}

/**
 * Spreads the content over the handles, each with a number of WRITEs under way. The first refusal ends it.
 * @param first WRITEs to each handle that are sent before this returns, so that what is sent next comes behind them.
 */
export async function writeChunks(targets: readonly Target[], content: Uint8Array, first?: number): Promise<void> {
  let next = 0;
  let failed = false;
  const write = ({ session, handle }: Target): Promise<void> | undefined => {
    if (next >= content.length || failed) return undefined;
    const at = next;
    next = Math.min(content.length, at + session.maxWrite);
    return session.write(handle, at, content.subarray(at, next));
  };
  const fates = await Promise.all(targets.map(async (target) => {
    const fate = await outcome(keepBusy(inFlight, () => write(target), first));
    failed ||= !fate.ok;
    return fate;
  }));
  for (const fate of fates) if (!fate.ok) throw fate.error;
}
