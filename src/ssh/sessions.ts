import type { ClientChannel, PseudoTtyOptions, SFTPWrapper } from 'ssh2';

/** A pseudoterminal's shape; `modes` are RFC 4254's terminal modes by name. */
export interface PtyOptions {
  readonly cols: number;
  readonly rows: number;
  readonly term?: string;
  readonly modes?: PseudoTtyOptions['modes'];
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the server must have opened it. */
  readonly deadlineMs?: number;
}

export interface ExecOptions extends OpenOptions {
  readonly pty?: PtyOptions;
  /** Servers accept few names (OpenSSH's `AcceptEnv`) and drop the rest in silence. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written, then ended. `null` ends it at once; absent leaves it to the caller. */
  readonly stdin?: string | Uint8Array | null;
}

export interface ShellOptions extends OpenOptions, PtyOptions {
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  /** Milliseconds for the whole command; a minute unless told. */
  readonly deadlineMs?: number;
  /** Bytes of output (both streams together) to keep; what exceeds them ends the command. 16 MiB unless told. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /** See `endable`: when given up, the command ends on the server too. It has no input then. */
  readonly endable?: boolean;
}

export interface RunResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** The exit code; undefined when a signal ended it, or the server did not say. */
  readonly code: number | undefined;
  /** For example `SIGKILL`. */
  readonly signal?: string;
  /** The output exceeded `maxBytes` and the command was ended for it. */
  readonly truncated?: true;
}

/** An SFTP session with what the server says it can do beyond version 3 of the protocol. */
export interface SftpSession {
  /** ssh2's own; a call on a dead one never answers, so race each against `closed` and a deadline. */
  readonly sftp: SFTPWrapper;
  /** Extension names (for example `posix-rename@openssh.com`) with their versions. */
  readonly extensions: ReadonlyMap<string, string>;
  /** Settles, never rejects, when the session has ended for whatever reason. */
  readonly closed: Promise<void>;
  end(): void;
}

/**
 * What can be done over a connection, or over several that share the work. Channels are ssh2's: read both `channel` and
 * `channel.stderr` to their ends (they share one window, and the close event waits for the reader); a channel that closes
 * without an `exit` event was cut off.
 */
export interface Sessions {
  exec(command: string, options?: ExecOptions): Promise<ClientChannel>;
  shell(options: ShellOptions): Promise<ClientChannel>;
  sftp(options?: OpenOptions): Promise<SftpSession>;
  /** A stream of the SFTP subsystem's own bytes, for a client of one's own. */
  rawSftp(options?: OpenOptions): Promise<ClientChannel>;
  /** A TCP connection from the server to `host:port`. */
  forwardOut(host: string, port: number, options?: OpenOptions): Promise<ClientChannel>;
  run(command: string, options?: RunOptions): Promise<RunResult>;
}
