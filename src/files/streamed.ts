import type { ClientChannel } from 'ssh2';
import { CancelledError, DeadlineError } from '../base/errors';
import { endable, endChannel } from '../ssh/run';
import type { ExecOptions } from '../ssh/sessions';
import { FileError } from './errors';

/** Where commands run whose output is read as it comes: a pod's session. */
export interface StreamHost {
  exec(command: string, options?: ExecOptions): Promise<ClientChannel>;
}

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole command. */
  readonly deadlineMs: number;
  /** The output as it comes. Nothing more is taken from the pod while the promise is pending. Throwing ends the command. */
  readonly onOutput: (chunk: Buffer) => Promise<void> | void;
}

export interface Streamed {
  readonly code: number | undefined;
  /** The first 64 KiB of what it complained about. */
  readonly stderr: string;
}

const maxComplaints = 64 * 1024;

/**
 * Runs a command whose output is read while it works. It ends on the pod, with what it started, as soon as it is given up.
 * @throws FileError unavailable when the connection goes; CancelledError; DeadlineError; what `onOutput` throws.
 */
export async function stream(host: StreamHost, command: string, { signal, deadlineMs, onOutput }: StreamOptions): Promise<Streamed> {
  if (signal?.aborted) throw new CancelledError();
  const channel = await host.exec(endable(command), { signal });
  return new Promise((resolve, reject) => {
    const complaints: Buffer[] = [];
    let complained = 0;
    let code: number | undefined;
    let exited = false;
    let settled = false;
    let work = Promise.resolve();
    const settle = (how: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      how();
    };
    const giveUp = (error: unknown): void =>
      settle(() => {
        endChannel(channel);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    const onAbort = (): void => giveUp(new CancelledError());
    const timer = setTimeout(() => giveUp(new DeadlineError('The command on the pod', deadlineMs)), deadlineMs);
    channel.on('data', (chunk: Buffer) => {
      if (settled) return;
      try {
        const busy = onOutput(chunk);
        if (busy === undefined) return;
        channel.pause();
        work = busy.then(() => void channel.resume());
        work.catch(giveUp);
      } catch (error) {
        giveUp(error);
      }
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      if (complained < maxComplaints) complaints.push(chunk.subarray(0, maxComplaints - complained));
      complained += chunk.length;
    });
    channel.on('exit', (exit: number | null) => {
      exited = true;
      code = exit ?? undefined;
    });
    channel.on('error', () => undefined);
    channel.on('close', () => {
      work.then(
        () => settle(() => (exited ? resolve({ code, stderr: Buffer.concat(complaints).toString() }) : reject(new FileError('unavailable', '/', 'the connection was lost')))),
        giveUp,
      );
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}
