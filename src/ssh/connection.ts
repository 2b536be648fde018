import type { Socket } from 'node:net';
import type { Client, ClientChannel, SFTPWrapper } from 'ssh2';
import type { Event } from '../base/emitter';
import { messageOf } from '../base/errors';
import { silentLog, type Logger } from '../base/log';
import type { Disposable } from '../base/disposable';
import { endOnAbort, prepare, ptyOf, sftpSession, withExitKept } from './channels';
import { freeWhenSent } from './chunkMemory';
import { SshError, isSshError, type SshErrorParams } from './errors';
import { handshake, type HandshakeOptions, type LoggedIn } from './handshake';
import type { HostKey } from './hostKeys';
import type { Identity } from './identity';
import { LinkEnd } from './linkEnd';
import { watchLiveness } from './liveness';
import type { HostKeyVerdict } from './pins';
import { Requests, type Closing, type Pending, type Start } from './requests';
import { endChannel, runOn } from './run';
import type { ExecOptions, OpenOptions, RunOptions, RunResult, Sessions, SftpSession, ShellOptions } from './sessions';
import { loadSsh2 } from './loadSsh2';
import { openTcp } from './tcp';
import { lendChunks } from './wideSocket';
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
  readonly #end = new LinkEnd();
  readonly #requests: Requests;
  readonly #liveness: Disposable | undefined;
  #noSftp: SshError | undefined;

  /** Fires once, with the reason, when the link is gone. */
  readonly onClose: Event<SshError> = this.#end.event;

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
    lendChunks(socket, loggedIn.client);
    freeWhenSent(socket);
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
    this.#requests = new Requests(this.#where, options.deadlineMs ?? defaultDeadlineMs, this.#end, (reason) => this.#die(reason));
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
    return this.#end.reason;
  }

  /** Aborted when the link is gone. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Sessions (not forwards) that are open or being opened; servers allow ten a connection unless configured otherwise. */
  get sessionCount(): number {
    return this.#requests.sessionCount;
  }

  /** Milliseconds since a session on this connection closed. */
  get sinceSessionClosed(): number {
    return this.#requests.sinceSessionClosed;
  }

  /** Bytes over the wire so far. */
  get traffic(): { received: number; sent: number } {
    return { received: this.#socket.bytesRead, sent: this.#socket.bytesWritten };
  }

  /** Runs a command; resolves when the server has started it. Aborting the signal later ends it. */
  async exec(command: string, { pty, env, stdin, signal, deadlineMs }: ExecOptions = {}): Promise<ClientChannel> {
    const channel = await this.#requests.session<ClientChannel>({ stage: 'open', signal, deadlineMs }, endChannel, (callback) =>
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
    const channel = await this.#requests.session<ClientChannel>({ stage: 'open', signal, deadlineMs }, endChannel, (callback) =>
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

  async #openSftp<T extends Closing>(pending: Pending, discard: (late: T) => void, start: Start<T>): Promise<T> {
    if (this.#noSftp !== undefined) throw this.#noSftp;
    try {
      return await this.#requests.session<T>(pending, discard, start);
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
    const channel = await this.#requests.ask<ClientChannel>({ stage: 'open', signal, deadlineMs }, (late) => late.close(), (callback) =>
      this.#client.forwardOut('127.0.0.1', 0, host, port, callback),
    );
    prepare(channel, this.#log);
    return channel;
  }

  /** Runs a command to its end; see `runOn`. */
  run(command: string, options?: RunOptions): Promise<RunResult> {
    return runOn({ exec: (text, how) => this.exec(text, how), lost: () => this.#end.reason }, command, options);
  }

  /**
   * Asks the server for any answer and gives back the milliseconds it took. (What it is asked, to cancel a forward that never
   * was, every server declines.)
   */
  async ping(deadlineMs = this.#deadlineMs): Promise<number> {
    const started = performance.now();
    await this.#requests.ask<void>({ stage: 'ping', deadlineMs }, () => {}, (callback) => this.#client.unforwardIn('keepalive.invalid', 1, () => callback(undefined)));
    return performance.now() - started;
  }

  /** Says goodbye. What is pending is rejected at once. */
  end(): void {
    if (!this.#settle(new SshError('closed', { ...this.#where, reason: 'ended' }))) return;
    this.#client.end();
    setTimeout(() => this.#socket.destroy(), farewellMs).unref();
  }

  #die(reason: SshError): void {
    if (this.#end.reason === undefined) this.#log.info(reason.message);
    // At once: a socket that is closed politely keeps ssh2's channels waiting for a peer that may never answer.
    if (this.#settle(reason)) this.#socket.destroy();
  }

  #settle(reason: SshError): boolean {
    return this.#end.come(reason, () => this.#liveness?.dispose());
  }
}
