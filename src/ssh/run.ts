import type { ClientChannel } from 'ssh2';
import { CancelledError } from '../base/errors';
import { SshError } from './errors';
import type { ExecOptions, RunOptions, RunResult } from './sessions';

export interface RunOn {
  exec(command: string, options: ExecOptions): Promise<ClientChannel>;
  /** Why the link under this channel ended, once it has. */
  lost(channel: ClientChannel): Error | undefined;
}

const defaultMaxBytes = 16 * 1024 * 1024;

/**
 * Runs a command to its end and collects its output. An exit code other than 0 is a result, not an error.
 * @throws SshError timeout, closed or channel-refused; CancelledError. The command was told to end then, as far as the server
 *   lets clients do that.
 */
export async function runOn(on: RunOn, command: string, options: RunOptions = {}): Promise<RunResult> {
  const { input = null, deadlineMs = 60_000, maxBytes = defaultMaxBytes, signal } = options;
  const until = Date.now() + deadlineMs;
  const channel = await on.exec(command, { stdin: input, signal, deadlineMs });
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let size = 0;
    let truncated = false;
    let code: number | undefined;
    let endedBy: string | undefined;
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const stop = (): void => endChannel(channel);
    const onAbort = (): void => {
      stop();
      finish(() => reject(new CancelledError()));
    };
    const timer = setTimeout(
      () => {
        stop();
        finish(() => reject(new SshError('timeout', { stage: 'run', ms: deadlineMs, detail: command.slice(0, 200) })));
      },
      Math.max(1, until - Date.now()),
    );
    const result = (): RunResult => ({
      stdout: Buffer.concat(stdout),
      stderr: Buffer.concat(stderr),
      code,
      ...(endedBy === undefined ? {} : { signal: endedBy }),
      ...(truncated ? { truncated } : {}),
    });
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      if (truncated) return;
      const room = maxBytes - size;
      into.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      size += Math.min(chunk.length, room);
      if (chunk.length <= room) return;
      truncated = true;
      stop();
      finish(() => resolve(result()));
    };
    channel.on('data', collect(stdout));
    channel.stderr.on('data', collect(stderr));
    channel.on('exit', (exit: number | null, name?: string) => {
      code = exit ?? undefined;
      endedBy = name;
    });
    channel.on('close', () =>
      finish(() => {
        const lost = code === undefined && endedBy === undefined ? on.lost(channel) : undefined;
        if (lost === undefined) resolve(result());
        else reject(lost);
      }),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}

/**
 * Asks a session's command to end and lets go of the channel. What is still coming is thrown away, or the channel would never
 * be done. (Servers pass signals on only where they run with separated privileges; a command without a terminal may live on.)
 */
export function endChannel(channel: ClientChannel): void {
  channel.on('data', () => {});
  channel.stderr.on('data', () => {});
  channel.resume();
  channel.stderr.resume();
  try {
    channel.signal('TERM');
  } finally {
    channel.close();
  }
}
