import type { Disposable } from '../base/disposable';
import { CancelledError, isCancelled, messageOf } from '../base/errors';
import type { Logger } from '../base/log';
import { withDeadline } from '../base/time';
import { FileError, SessionLostError } from './errors';
import type { FilesHost, RawSftp } from './host';
import type { Identity } from './kinds';
import { script } from './shell';
import { SftpSession } from './sftp';

export interface SessionsOptions {
  readonly silenceMs: number;
  /** Milliseconds for the host to come up with a channel, its connection made again if need be. */
  readonly openMs: number;
  readonly log: Logger;
  /** Further channels for big files; 0 keeps to one. */
  readonly lanes: number;
}

const laneIdleMs = 30_000;
/** At this round trip one channel carries 140 MB/s. */
const laneRoundTripMs = 15;
/** How long the first operations wait to learn who we are on the pod. */
const probeMs = 5_000;
const marker = 'runpod-workspaces-shell';

/**
 * The SFTP sessions of one pod: one for the folder, opened at first need and again after a drop, and a few for big files
 * (one SSH channel carries at most its window a round trip, and a small request need not queue behind a big file).
 */
export class Sessions implements Disposable {
  readonly #host: FilesHost;
  readonly #options: SessionsOptions;
  #primary: Promise<SftpSession> | undefined;
  #lanes: Promise<SftpSession | undefined>[] = [];
  #laneUsers = 0;
  #laneTimer: NodeJS.Timeout | undefined;
  #who: Promise<Identity | undefined> | undefined;
  #identity: Identity | undefined;
  #disposed = false;
  readonly #open = new Set<SftpSession>();
  readonly #down: Disposable;
  /** Called with every new main session, before its first operation's reply. */
  onFresh: (session: SftpSession) => void = () => undefined;

  constructor(host: FilesHost, options: SessionsOptions) {
    this.#host = host;
    this.#options = options;
    this.#down = host.onDown(() => {
      for (const session of [...this.#open]) session.end('The connection went down');
    });
  }

  dispose(): void {
    this.#disposed = true;
    this.#down.dispose();
    clearTimeout(this.#laneTimer);
    for (const session of [...this.#open]) session.end('The folder was closed');
  }

  /** The main session, opened if need be. Many callers share one opening; cancelling one leaves it to the others. */
  async primary(signal?: AbortSignal): Promise<SftpSession> {
    const current = (this.#primary ??= this.#openPrimary());
    const session = await orCancelled(current, signal);
    if (session.isOpen) return session;
    if (this.#primary === current) this.#primary = undefined;
    return this.primary(signal);
  }

  async #openPrimary(): Promise<SftpSession> {
    try {
      const session = await this.#openSession();
      if (this.#identity === undefined) this.#who = this.#probe();
      this.onFresh(session);
      return session;
    } catch (error) {
      this.#primary = undefined;
      throw error;
    }
  }

  async #openSession(): Promise<SftpSession> {
    if (this.#disposed) throw new SessionLostError('The folder was closed');
    const session = await SftpSession.open(await this.#channel(), this.#options);
    this.#open.add(session);
    void session.closed.then(() => this.#open.delete(session));
    if (this.#disposed) session.end('The folder was closed');
    return session;
  }

  async #channel(): Promise<RawSftp> {
    const late = new AbortController();
    const channel = this.#host.sftp(late.signal);
    try {
      return await withDeadline(channel, this.#options.openMs, 'Opening the SFTP channel');
    } catch (error) {
      late.abort();
      channel.then(
        (unwanted) => unwanted.destroy(),
        () => undefined,
      );
      throw error;
    }
  }

  /**
   * Runs `work` on the main session. When that session is lost on the way and `again` says so, once more on a new one.
   * @param again for what changes nothing on the pod; or a question, asked when the session was lost.
   */
  async use<T>(path: string, again: boolean | (() => boolean), work: (session: SftpSession) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const session = await this.#connected(path, signal);
      try {
        return await work(session);
      } catch (error) {
        if (!(error instanceof SessionLostError)) throw error;
        session.end(error.message);
        if (attempt > 0 || this.#disposed || !(typeof again === 'boolean' ? again : again())) throw error;
        this.#options.log.info(`files: ${error.message}; once more on a new connection`);
      }
    }
  }

  async #connected(path: string, signal?: AbortSignal): Promise<SftpSession> {
    try {
      return await this.primary(signal);
    } catch (error) {
      if (isCancelled(error) || error instanceof FileError) throw error;
      throw new FileError('unavailable', path, messageOf(error), { cause: error });
    }
  }

  /**
   * Lends channels for a big file for the length of `work`, one after another opened at need; the main session where none can
   * be. @param most without it as many as the round trip calls for: a channel carries at most its window (in most
   * servers 2 MiB) a round trip, and each further one costs the pod a process.
   */
  async withLanes<T>(main: SftpSession, work: (sessions: readonly SftpSession[]) => Promise<T>, most = Math.max(1, Math.round(main.roundTripMs / laneRoundTripMs))): Promise<T> {
    clearTimeout(this.#laneTimer);
    this.#laneUsers++;
    try {
      const wanted = Math.min(most, this.#options.lanes);
      while (this.#lanes.length < wanted) this.#addLane();
      const lanes = (await Promise.all(this.#lanes.slice(0, wanted))).filter((lane) => lane?.isOpen === true).map((lane) => lane as SftpSession);
      return await work(lanes.length > 0 ? lanes : [main]);
    } finally {
      this.#laneUsers--;
      if (this.#laneUsers === 0) this.#laneTimer = setTimeout(() => this.#endLanes(), laneIdleMs).unref();
    }
  }

  #addLane(): void {
    const lane = this.#openSession().catch((error: unknown) => {
      // A server may allow few sessions a connection; the main one carries everything then, only slower.
      this.#options.log.debug(`files: no further SFTP channel: ${messageOf(error)}`);
      return undefined;
    });
    this.#lanes.push(lane);
    void lane.then(async (session) => {
      if (session === undefined) await new Promise((resolve) => setTimeout(resolve, laneIdleMs).unref());
      else await session.closed;
      this.#lanes = this.#lanes.filter((l) => l !== lane);
    });
  }

  #endLanes(): void {
    for (const lane of this.#lanes) void lane.then((session) => session?.end('Idle'));
    this.#lanes = [];
  }

  /** A session of its own for one short errand. */
  async aside<T>(work: (session: SftpSession) => Promise<T>): Promise<T> {
    const session = await this.#openSession();
    try {
      return await work(session);
    } finally {
      session.end('Done');
    }
  }

  /** Who we are on the pod; `undefined` where there is no shell to ask (SFTP-only accounts) or it does not answer. */
  async who(): Promise<Identity | undefined> {
    return (this.#who ??= this.#probe());
  }

  async hasShell(): Promise<boolean> {
    return (await this.who()) !== undefined;
  }

  async #probe(): Promise<Identity | undefined> {
    try {
      const result = await this.#host.run(script(`echo ${marker}; id -u; id -G`), { deadlineMs: probeMs, maxBytes: 4096 });
      // Shell start-up files may print before the marker.
      const lines = result.stdout.toString('latin1').split('\n');
      const at = lines.lastIndexOf(marker);
      if (at < 0 || result.code !== 0) return undefined;
      const uid = Number(lines[at + 1]);
      const gids = (lines[at + 2] ?? '').trim().split(/\s+/).map(Number);
      this.#identity = Number.isInteger(uid) ? { uid, gids } : undefined;
      return this.#identity;
    } catch (error) {
      this.#options.log.debug(`files: the pod's shell did not answer: ${messageOf(error)}`);
      return undefined;
    }
  }
}

/** Settles with `promise`, or with `CancelledError` when `signal` aborts; the work itself goes on for the others. */
function orCancelled<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new CancelledError());
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
