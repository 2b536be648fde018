import type { Duplex } from 'node:stream';
import type { Event } from '../base/emitter';

/**
 * A channel that speaks the SFTP subsystem's bytes: what `ssh2`'s `Client.subsys('sftp', …)` hands out. Raw bytes and
 * not ssh2's own SFTP object, because that one decodes every name as UTF-8 (a name in another encoding could be
 * neither listed nor deleted) and forgets its callbacks when the connection dies.
 */
export type RawSftp = Duplex;

export interface RunOptions {
  /** Fed to the command's standard input, which is then closed. Without it standard input is closed at once. */
  readonly input?: Uint8Array;
  /** Milliseconds after which the wait ends with an error. */
  readonly deadlineMs: number;
  /** At most so many bytes of each output stream are kept. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** `undefined` when a signal ended the command. */
  readonly code: number | undefined;
}

/** The machine whose files these are: a session that re-makes its connection after a drop or a stop and start. */
export interface FilesHost {
  /** Opens a new SFTP channel on the current connection, making that connection first where there is none. */
  sftp(signal?: AbortSignal): Promise<RawSftp>;
  /** Runs one command line under the login shell, without a terminal. */
  run(command: string, options: RunOptions): Promise<RunResult>;
  /** The connection has gone. */
  readonly onDown: Event<void>;
}
