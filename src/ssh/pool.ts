import type { ClientChannel } from 'ssh2';
import { CancelledError, messageOf } from '../base/errors';
import { Emitter, type Event } from '../base/emitter';
import { silentLog, type Logger } from '../base/log';
import { sleep, steadyNow } from '../base/time';
import { SshConnection, type ConnectOptions } from './connection';
import { SshError, isSshError } from './errors';
import type { ExecOptions, OpenOptions, RunOptions, RunResult, Sessions, SftpSession, ShellOptions } from './sessions';

export interface LinkOptions extends ConnectOptions {
  /** Connections at most, the first included. */
  readonly maxConnections?: number;
  /** Milliseconds an extra connection is kept when nothing runs over it. */
  readonly idleMs?: number;
}

/** What a seat is for; forwards need none. */
export type SessionKind = 'exec' | 'shell' | 'sftp' | 'forward';

/** A place for one session on one connection. Release it when the session has closed. */
export interface Seat {
  readonly connection: SshConnection;
  release(): void;
}

/** OpenSSH's MaxSessions, unless a server is configured otherwise. */
const usualLimit = 10;
/** A lower limit that was met may have been a passing shortage (sessions whose program outlives them); it is tried again then. */
const limitMs = 60_000;
/** OpenSSH frees a session a moment after it has said that it is closed; a refusal within that time says nothing of limits. */
const settlingMs = 500;
/** After a failed extra connection the next one is not tried for so long; what waits takes seats that become free. */
const retryGrowthMs = 5_000;

/** One connection and how many sessions it can carry. */
class Member {
  taken = 0;
  idle: NodeJS.Timeout | undefined;
  #limit = usualLimit;
  #limitedAt = 0;

  constructor(readonly connection: SshConnection) {}

  get free(): boolean {
    if (this.#limit < usualLimit && steadyNow() - this.#limitedAt > limitMs) this.#limit = usualLimit;
    return this.connection.closedBy === undefined && Math.max(this.taken, this.connection.sessionCount) < this.#limit;
  }

  /**
   * The server would open no session beside the others taken now. Some of those may have closed while the refusal was on its
   * way, or may still be opening, so no connection is thought to carry none.
   */
  learnLimit(): void {
    this.#limit = Math.min(this.#limit, Math.max(1, this.taken - 1));
    this.#limitedAt = steadyNow();
  }
}

/**
 * Everything that goes to one address of one pod: a first connection for files, terminals and tasks, and further ones, made
 * with the same host key and login, when the server's limit of sessions is reached. What does not fit at all waits its turn.
 * The link is down when the first connection is; whoever owns it makes a new one.
 */
export class SshLink implements Sessions {
  readonly primary: SshConnection;
  readonly #members: Member[];
  readonly #options: LinkOptions;
  readonly #log: Logger;
  readonly #deadlineMs: number;
  readonly #onDown = new Emitter<SshError>();
  readonly #changed = new Emitter<void>();
  readonly #ending = new AbortController();
  #growing: Promise<void> | undefined;
  #growthFailed: { at: number; error: Error } | undefined;
  #downBy: SshError | undefined;

  /** Connects. Throws what `SshConnection.connect` throws. */
  static async open(options: LinkOptions): Promise<SshLink> {
    return new SshLink(await SshConnection.connect(options), options);
  }

  private constructor(primary: SshConnection, options: LinkOptions) {
    this.primary = primary;
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#deadlineMs = options.deadlineMs ?? 30_000;
    this.#members = [new Member(primary)];
    primary.onClose((reason) => {
      this.#downBy = reason;
      this.#ending.abort();
      this.#changed.fire();
      this.#onDown.fire(reason);
    });
  }

  /** Fires once when the first connection is gone, with the reason. Sessions on extra ones may live on until `end`. */
  readonly onDown: Event<SshError> = (listener) => {
    const reason = this.#downBy;
    if (reason === undefined) return this.#onDown.event(listener);
    queueMicrotask(() => listener(reason));
    return { dispose: () => {} };
  };

  get downBy(): SshError | undefined {
    return this.#downBy;
  }

  /** Connections at this moment, the first included. */
  get connectionCount(): number {
    return this.#members.filter(({ connection }) => connection.closedBy === undefined).length;
  }

  exec(command: string, options: ExecOptions = {}): Promise<ClientChannel> {
    return this.#channel('exec', options, (connection) => connection.exec(command, options));
  }

  shell(options: ShellOptions): Promise<ClientChannel> {
    return this.#channel('shell', options, (connection) => connection.shell(options));
  }

  sftp(options: OpenOptions = {}): Promise<SftpSession> {
    return this.#seated('sftp', options, async (seat) => {
      const session = await seat.connection.sftp(options);
      void session.closed.then(() => seat.release());
      return session;
    });
  }

  rawSftp(options: OpenOptions = {}): Promise<ClientChannel> {
    return this.#channel('sftp', options, (connection) => connection.rawSftp(options));
  }

  forwardOut(host: string, port: number, options: OpenOptions = {}): Promise<ClientChannel> {
    return this.primary.forwardOut(host, port, options);
  }

  run(command: string, options: RunOptions = {}): Promise<RunResult> {
    const { deadlineMs = 60_000 } = options;
    const until = steadyNow() + deadlineMs;
    return this.#seated('exec', { signal: options.signal, deadlineMs }, async (seat) => {
      const result = await seat.connection.run(command, { ...options, deadlineMs: Math.max(1, until - steadyNow()) });
      seat.release();
      return result;
    });
  }

  /**
   * Takes a seat for a session that the caller opens itself on `seat.connection`, waiting for one where every connection is full.
   * @throws SshError closed when the link is down, timeout when none became free; why no further connection could be made is
   *   the error's cause. CancelledError.
   */
  async acquire(kind: SessionKind, { signal, deadlineMs = this.#deadlineMs }: OpenOptions = {}): Promise<Seat> {
    if (kind === 'forward') return { connection: this.primary, release: () => {} };
    const until = steadyNow() + deadlineMs;
    for (;;) {
      if (signal?.aborted) throw new CancelledError();
      if (this.#downBy !== undefined) throw this.#downBy;
      const member = this.#members.find(({ free }) => free);
      if (member !== undefined) return this.#take(member);
      const left = until - steadyNow();
      if (left <= 0) throw new SshError('timeout', { host: this.#options.host, port: this.#options.port, stage: 'open', reason: 'no-free-session', ms: deadlineMs }, { cause: this.#growthFailed?.error });
      this.#grow();
      await this.#change(left, signal);
    }
  }

  /** Closes every connection; what is pending is rejected. */
  end(): void {
    this.#ending.abort();
    for (const member of [...this.#members].reverse()) {
      clearTimeout(member.idle);
      member.connection.end();
    }
  }

  #channel(kind: SessionKind, options: OpenOptions, open: (connection: SshConnection) => Promise<ClientChannel>): Promise<ClientChannel> {
    return this.#seated(kind, options, async (seat) => {
      const channel = await open(seat.connection);
      channel.once('close', () => seat.release());
      return channel;
    });
  }

  /**
   * Gives `work` a seat, and another one when the server would open no further session on that connection: its limit is lower
   * than thought. Nothing has started then, so trying again is safe. `work` releases the seat when it succeeds.
   */
  async #seated<T>(kind: SessionKind, options: OpenOptions, work: (seat: Seat) => Promise<T>): Promise<T> {
    for (let refusedAlone = 0; ; ) {
      const seat = await this.acquire(kind, options);
      const member = this.#members.find(({ connection }) => connection === seat.connection);
      try {
        return await work(seat);
      } catch (error) {
        const full = isSshError(error, 'channel-refused') && error.params.stage === 'open';
        const settling = seat.connection.sinceSessionClosed < settlingMs;
        // Ours is released only after the limit is known, or somebody else would run into it at once.
        if (full && !settling) member?.learnLimit();
        seat.release();
        if (!full || member === undefined || (member.taken === 0 && ++refusedAlone === 3)) throw error;
        this.#log.debug(`${this.#options.host} refused a session beside ${member.taken} others`);
        if (settling) await sleep(20 + Math.random() * 30, options.signal);
      }
    }
  }

  #take(member: Member): Seat {
    member.taken++;
    clearTimeout(member.idle);
    let held = true;
    return {
      connection: member.connection,
      release: () => {
        if (!held) return;
        held = false;
        member.taken--;
        if (member.taken === 0 && member.connection !== this.primary) this.#retireLater(member);
        this.#changed.fire();
      },
    };
  }

  #retireLater(member: Member): void {
    clearTimeout(member.idle);
    member.idle = setTimeout(() => {
      if (member.taken === 0) member.connection.end();
    }, this.#options.idleMs ?? 60_000);
    member.idle.unref();
  }

  /** Starts one further connection, if that makes sense now. */
  #grow(): void {
    const { maxConnections = 6, log = silentLog } = this.#options;
    const failedLately = this.#growthFailed !== undefined && steadyNow() - this.#growthFailed.at < retryGrowthMs;
    if (this.#growing !== undefined || failedLately || this.connectionCount >= maxConnections) return;
    this.#growing = this.#connectExtra()
      .then(
        (connection) => {
          this.#growthFailed = undefined;
          if (this.#ending.signal.aborted) return connection.end();
          const member = new Member(connection);
          this.#members.push(member);
          connection.onClose(() => {
            clearTimeout(member.idle);
            this.#members.splice(this.#members.indexOf(member), 1);
            this.#changed.fire();
          });
          this.#retireLater(member);
        },
        (error: unknown) => {
          if (this.#ending.signal.aborted) return;
          log.warn(`No further connection to ${this.#options.host}: ${messageOf(error)}`);
          this.#growthFailed = { at: steadyNow(), error: error instanceof Error ? error : new Error(String(error)) };
        },
      )
      .finally(() => {
        this.#growing = undefined;
        this.#changed.fire();
      });
  }

  /** The same server, by its host key, and the same login first. Nobody is asked anything. */
  #connectExtra(): Promise<SshConnection> {
    const { identity, hostKey } = this.primary;
    const { identities } = this.#options;
    const { signal: _, ...options } = this.#options;
    return SshConnection.connect({
      ...options,
      identities: identity === undefined ? identities : [identity],
      verifyHostKey: (key) => (key.raw.equals(hostKey.raw) ? 'pinned' : 'mismatch'),
      signal: this.#ending.signal,
    });
  }

  /** Resolves at the next change, or after `ms`; the caller looks again. */
  #change(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        subscription.dispose();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      // A failed connection may be tried again before the deadline without anything having changed.
      const timer = setTimeout(done, Math.min(ms, retryGrowthMs));
      const subscription = this.#changed.event(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
