import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import type { Client, ClientChannel, PseudoTtyOptions, SFTPWrapper } from 'ssh2';
import { CancelledError, messageOf } from '../base/errors';
import { Emitter, type Event } from '../base/emitter';
import { silentLog, type Logger } from '../base/log';
import type { Disposable } from '../base/disposable';
import { SshError, isSshError, type SshErrorParams, type SshStage } from './errors';
import { handshake, type HandshakeOptions, type LoggedIn } from './handshake';
import type { HostKey } from './hostKeys';
import type { Identity } from './identity';
import { watchLiveness } from './liveness';
import type { HostKeyVerdict } from './pins';
import { endChannel, runOn } from './run';
import type { ExecOptions, OpenOptions, PtyOptions, RunOptions, RunResult, Sessions, SftpSession, ShellOptions } from './sessions';
import { loadSsh2 } from './loadSsh2';
import { openTcp } from './tcp';
import { widenWindow } from './window';

export interface ConnectOptions extends Omit<HandshakeOptions, 'deadlineMs' | 'log'> {
  /** Milliseconds for each stage (TCP, banner, key exchange, login) and, unless told otherwise, for opening a channel. */
  readonly deadlineMs?: number;
  readonly log?: Logger;
  /** A silent link is asked for a sign of life this often (10 s unless told; 0 never) … */
  readonly keepaliveMs?: number;
  /** … and counts as dead after so many unanswered questions (3 unless told). */
  readonly keepaliveCountMax?: number;
}

interface Pending {
  readonly stage: SshStage;
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const defaultDeadlineMs = 15_000;
/** Bytes an SFTP server may send ahead: 160 MB/s at a round trip of 50 ms. (OpenSSH takes long to make room for much more.) */
const sftpWindow = 8 * 1024 * 1024;
/** What is still in flight when we say goodbye gets this long. */
const farewellMs = 500;

/**
 * One SSH connection, logged in. Whatever is pending when the link dies is rejected with `SshError` closed, which ssh2 alone
 * does not guarantee, and nothing waits longer than its deadline.
 */
export class SshConnection implements Sessions {
  readonly hostKey: HostKey;
  readonly verdict: boolean | HostKeyVerdict;
  /** The key the login was done with. */
  readonly identity: Identity | undefined;
  /** The server's identification line. */
  readonly banner: string;

  readonly #client: Client;
  readonly #socket: Socket;
  readonly #where: SshErrorParams;
  readonly #deadlineMs: number;
  readonly #log: Logger;
  readonly #onClose = new Emitter<SshError>();
  readonly #gone = new AbortController();
  readonly #liveness: Disposable | undefined;
  #closedBy: SshError | undefined;
  #sessions = 0;
  #sessionClosedAt = -Infinity;
  #noSftp: SshError | undefined;

  /** Fires once, with the reason, when the link is gone. */
  readonly onClose: Event<SshError> = (listener) => {
    if (this.#closedBy === undefined) return this.#onClose.event(listener);
    const reason = this.#closedBy;
    queueMicrotask(() => listener(reason));
    return { dispose: () => {} };
  };

  /** Resolves with the reason when the link is gone; never rejects. */
  readonly closed: Promise<SshError> = new Promise((resolve) => this.onClose(resolve));

  /**
   * Connects and logs in. The host key is judged by `verifyHostKey` before anything is sent; keys are offered as
   * `chooseIdentities` orders them, six at most.
   * @throws SshError refused, unreachable, timeout, not-ssh, host-key-mismatch, host-key-rejected, auth-failed, key-locked,
   *   key-unreadable, protocol or closed; CancelledError.
   */
  static async connect(options: ConnectOptions): Promise<SshConnection> {
    const { host, port, signal, deadlineMs = defaultDeadlineMs, log = silentLog } = options;
    const ssh2 = await loadSsh2();
    const started = performance.now();
    const socket = await openTcp(host, port, { deadlineMs, signal });
    const loggedIn = await handshake(ssh2, socket, { ...options, deadlineMs, log });
    log.info(`SSH to ${options.username}@${host}:${port} in ${Math.round(performance.now() - started)} ms: ${loggedIn.banner}, ${loggedIn.hostKey.fingerprint}, key ${loggedIn.identity?.label ?? 'none'}`);
    return new SshConnection(options, socket, loggedIn);
  }

  private constructor(options: ConnectOptions, socket: Socket, { client, hostKey, verdict, identity, banner }: LoggedIn) {
    this.hostKey = hostKey;
    this.verdict = verdict;
    this.identity = identity;
    this.banner = banner;
    this.#client = client;
    this.#socket = socket;
    this.#where = { host: options.host, port: options.port };
    this.#deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
    this.#log = options.log ?? silentLog;
    // Everything that waits for this link listens; that is no leak.
    setMaxListeners(0, this.#gone.signal);
    client.on('error', (error) => this.#die(new SshError('closed', { ...this.#where, reason: 'error', detail: messageOf(error) }, { cause: error })));
    client.on('end', () => this.#die(new SshError('closed', { ...this.#where, reason: 'server' })));
    client.on('close', () => this.#die(new SshError('closed', { ...this.#where, reason: 'server' })));
    const { keepaliveMs = 10_000, keepaliveCountMax = 3 } = options;
    if (keepaliveMs > 0)
      this.#liveness = watchLiveness({
        intervalMs: keepaliveMs,
        countMax: keepaliveCountMax,
        received: () => socket.bytesRead,
        ping: (deadlineMs) => this.ping(deadlineMs),
        onDead: (ms) => this.#die(new SshError('closed', { ...this.#where, reason: 'silent', ms })),
      });
    if (socket.destroyed) this.#die(new SshError('closed', { ...this.#where, reason: 'server' }));
  }

  /** Why the link is gone; undefined while it is there. */
  get closedBy(): SshError | undefined {
    return this.#closedBy;
  }

  /** Aborted when the link is gone. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Sessions (not forwards) that are open or being opened; servers allow ten a connection unless configured otherwise. */
  get sessionCount(): number {
    return this.#sessions;
  }

  /** Milliseconds since a session on this connection closed. */
  get sinceSessionClosed(): number {
    return performance.now() - this.#sessionClosedAt;
  }

  /** Bytes over the wire so far. */
  get traffic(): { received: number; sent: number } {
    return { received: this.#socket.bytesRead, sent: this.#socket.bytesWritten };
  }

  /** Runs a command; resolves when the server has started it. Aborting the signal later ends it. */
  async exec(command: string, { pty, env, stdin, signal, deadlineMs }: ExecOptions = {}): Promise<ClientChannel> {
    const channel = await this.#session<ClientChannel>({ stage: 'open', signal, deadlineMs }, endChannel, (callback) =>
      this.#client.exec(command, { ...(pty === undefined ? {} : { pty: ptyOf(pty) }), ...(env === undefined ? {} : { env: { ...env } }) }, withExitKept(callback)),
    );
    prepare(channel, this.#log);
    if (pty !== undefined) channel.stderr.resume();
    endOnAbort(channel, signal);
    if (stdin !== undefined) channel.end(stdin ?? undefined);
    return channel;
  }

  /** Opens a login shell in a pseudoterminal. Its size is changed with the channel's `setWindow(rows, cols, 0, 0)`. */
  async shell({ env, signal, deadlineMs, ...pty }: ShellOptions): Promise<ClientChannel> {
    const channel = await this.#session<ClientChannel>({ stage: 'open', signal, deadlineMs }, endChannel, (callback) =>
      this.#client.shell(ptyOf(pty), env === undefined ? {} : { env: { ...env } }, withExitKept(callback)),
    );
    prepare(channel, this.#log);
    channel.stderr.resume();
    endOnAbort(channel, signal);
    return channel;
  }

  /** Opens an SFTP session. A server without SFTP is asked once a connection. */
  async sftp({ signal, deadlineMs }: OpenOptions = {}): Promise<SftpSession> {
    const sftp = await this.#openSftp<SFTPWrapper>({ stage: 'open', signal, deadlineMs }, (late) => late.end(), (callback) => this.#client.sftp(callback));
    return sftpSession(sftp, this.closed, this.#log);
  }

  /** Opens a session of the SFTP subsystem as a stream of its bytes, for a client of one's own. */
  async rawSftp({ signal, deadlineMs }: OpenOptions = {}): Promise<ClientChannel> {
    const channel = await this.#openSftp<ClientChannel>({ stage: 'open', signal, deadlineMs }, endChannel, (callback) => this.#client.subsys('sftp', callback));
    prepare(channel, this.#log);
    channel.stderr.resume();
    widenWindow(channel, sftpWindow);
    return channel;
  }

  async #openSftp<T extends { once(event: 'close', listener: () => void): unknown }>(
    pending: Pending,
    discard: (late: T) => void,
    start: (callback: (error: Error | undefined, value: T) => void) => unknown,
  ): Promise<T> {
    if (this.#noSftp !== undefined) throw this.#noSftp;
    try {
      return await this.#session<T>(pending, discard, start);
    } catch (error) {
      if (!isSshError(error, 'channel-refused') || error.params.stage !== 'request') throw error;
      const { detail } = error.params;
      const noSftp = new SshError('no-sftp', { ...this.#where, detail }, { cause: error });
      // The subsystem is configured, or not, for the life of a connection; a program that failed to start may yet be installed.
      if (/Unable to start subsystem/.test(detail ?? '')) this.#noSftp = noSftp;
      throw noSftp;
    }
  }

  /** Opens a TCP connection from the server to `host:port`. Forwards are not sessions and do not count against their limit. */
  async forwardOut(host: string, port: number, { signal, deadlineMs }: OpenOptions = {}): Promise<ClientChannel> {
    const channel = await this.#ask<ClientChannel>({ stage: 'open', signal, deadlineMs }, (late) => late.close(), (callback) =>
      this.#client.forwardOut('127.0.0.1', 0, host, port, callback),
    );
    prepare(channel, this.#log);
    return channel;
  }

  /** Runs a command to its end; see `runOn`. */
  run(command: string, options?: RunOptions): Promise<RunResult> {
    return runOn({ exec: (text, how) => this.exec(text, how), lost: () => this.#closedBy }, command, options);
  }

  /**
   * Asks the server for any answer and gives back the milliseconds it took. (What it is asked, to cancel a forward that never
   * was, every server declines.)
   */
  async ping(deadlineMs = this.#deadlineMs): Promise<number> {
    const started = performance.now();
    await this.#ask<void>({ stage: 'ping', deadlineMs }, () => {}, (callback) => this.#client.unforwardIn('keepalive.invalid', 1, () => callback(undefined)));
    return performance.now() - started;
  }

  /** Says goodbye. What is pending is rejected at once. */
  end(): void {
    if (this.#closedBy !== undefined) return;
    this.#settle(new SshError('closed', { ...this.#where, reason: 'ended' }));
    this.#client.end();
    setTimeout(() => this.#socket.destroy(), farewellMs).unref();
  }

  #die(reason: SshError): void {
    if (this.#closedBy !== undefined) return;
    this.#log.info(reason.message);
    this.#settle(reason);
    // At once: a socket that is closed politely keeps ssh2's channels waiting for a peer that may never answer.
    this.#socket.destroy();
  }

  #settle(reason: SshError): void {
    this.#closedBy = reason;
    this.#liveness?.dispose();
    this.#gone.abort(reason);
    this.#onClose.fire(reason);
  }

  /** Opens something that counts as a session until it closes. */
  async #session<T extends { once(event: 'close', listener: () => void): unknown }>(
    pending: Pending,
    discard: (late: T) => void,
    start: (callback: (error: Error | undefined, value: T) => void) => unknown,
  ): Promise<T> {
    this.#sessions++;
    const free = once(() => this.#sessions--);
    try {
      return await this.#ask<T>(pending, discard, (callback) =>
        start((error, value) => {
          if (error == null)
            value.once('close', () => {
              this.#sessionClosedAt = performance.now();
              free();
            });
          // Refused outright, it was never there. Where only what should run in it was refused, ssh2 leaves the session
          // open on the server without a way for us to close it, so it goes on counting.
          else if (isOpenFailure(error) || /pseudo-terminal/.test(error.message)) free();
          callback(error, value);
        }),
      );
    } catch (error) {
      if (this.#closedBy !== undefined) free();
      throw error;
    }
  }

  /**
   * Waits for one of ssh2's callbacks, or the end of the link, a deadline or a cancellation, whichever is first.
   * @param discard gets what arrives when nobody waits for it any more.
   */
  #ask<T>({ stage, deadlineMs = this.#deadlineMs, signal }: Pending, discard: (late: T) => void, start: (callback: (error: Error | undefined, value: T) => void) => unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) return reject(new CancelledError());
      if (this.#closedBy !== undefined) return reject(this.#closedBy);
      let waiting = true;
      const settle = (outcome: () => void): void => {
        if (!waiting) return;
        waiting = false;
        clearTimeout(timer);
        closing.dispose();
        signal?.removeEventListener('abort', onAbort);
        outcome();
      };
      const onAbort = (): void => settle(() => reject(new CancelledError()));
      const timer = setTimeout(() => settle(() => reject(new SshError('timeout', { ...this.#where, stage, ms: deadlineMs }))), deadlineMs);
      const closing = this.#onClose.event((reason) => settle(() => reject(reason)));
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        start((error, value) => {
          if (!waiting) {
            if (error == null) discard(value);
          } else if (error == null) settle(() => resolve(value));
          else settle(() => reject(this.#explain(error)));
        });
      } catch (error) {
        // "Not connected", thrown: the socket is gone and its events are still to come.
        this.#die(new SshError('closed', { ...this.#where, reason: 'error', detail: messageOf(error) }, { cause: error }));
      }
    });
  }

  #explain(error: Error): SshError {
    if (this.#closedBy !== undefined) return this.#closedBy;
    const detail = messageOf(error);
    if (detail === 'No response from server') return new SshError('closed', { ...this.#where, reason: 'server', detail }, { cause: error });
    return new SshError('channel-refused', { ...this.#where, stage: isOpenFailure(error) ? 'open' : 'request', detail }, { cause: error });
  }
}

/** The server refused the channel itself, with one of RFC 4254's reason codes. */
const isOpenFailure = (error: Error): boolean => 'reason' in error && typeof error.reason === 'number';

const ptyOf = ({ cols, rows, term = 'xterm-256color', modes }: PtyOptions): PseudoTtyOptions & { modes?: PseudoTtyOptions['modes'] } => ({
  cols,
  rows,
  term,
  width: 0,
  height: 0,
  ...(modes === undefined ? {} : { modes }),
});

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}

type ChannelCallback = (error: Error | undefined, channel: ClientChannel) => void;

/**
 * A short command's answer, output and exit code can come in one packet, and then its exit is told before whoever awaits the
 * channel can listen for it. It is told again to each who begins to listen later.
 */
const withExitKept =
  (callback: ChannelCallback): ChannelCallback =>
  (error, channel) => {
    if (error == null) {
      let exit: unknown[] | undefined;
      channel.once('exit', (...args: unknown[]) => {
        exit = args;
      });
      channel.on('newListener', (event: string | symbol, listener: (...args: unknown[]) => void) => {
        const told = exit;
        if (event === 'exit' && told !== undefined) queueMicrotask(() => listener(...told));
      });
    }
    callback(error, channel);
  };

/** A write after the other side has closed is an event without a listener otherwise, which would end the process. */
function prepare(channel: ClientChannel, log: Logger): void {
  channel.on('error', (error: Error) => log.debug(`SSH channel: ${error.message}`));
}

function endOnAbort(channel: ClientChannel, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const onAbort = (): void => endChannel(channel);
  signal.addEventListener('abort', onAbort, { once: true });
  channel.once('close', () => signal.removeEventListener('abort', onAbort));
  if (signal.aborted) onAbort();
}

function sftpSession(sftp: SFTPWrapper, linkClosed: Promise<unknown>, log: Logger): SftpSession {
  sftp.on('error', (error: Error) => log.warn(`SFTP: ${error.message}`));
  const closed = new Promise<void>((resolve) => {
    sftp.once('end', resolve);
    sftp.once('close', resolve);
    void linkClosed.then(() => resolve());
  });
  // ssh2 keeps the server's extensions to itself; without the table there is no way to know which calls it will take.
  const table: unknown = '_extensions' in sftp ? sftp._extensions : undefined;
  const extensions = new Map<string, string>();
  if (typeof table === 'object' && table !== null) for (const [name, version] of Object.entries(table)) extensions.set(name, String(version));
  return { sftp, extensions, closed, end: () => sftp.end() };
}
