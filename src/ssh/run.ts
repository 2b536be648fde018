import type { ClientChannel } from 'ssh2';
import { CancelledError } from '../base/errors';
import { quote } from '../base/shell';
import { steadyNow } from '../base/time';
import { SshError } from './errors';
import type { ExecOptions, RunOptions, RunResult } from './sessions';

export interface RunOn {
  exec(command: string, options: ExecOptions): Promise<ClientChannel>;
  /** Why the link under this channel ended, once it has. */
  lost(channel: ClientChannel): Error | undefined;
}

const defaultMaxBytes = 16 * 1024 * 1024;

const watcher = `exec 3<&0 </dev/null
$(command -v setsid) sh -c "$1" 3<&- & p=$!
{ while read -r _ <&3; do :; done; kill -TERM -$p || kill -TERM $p; sleep 2; kill -KILL -$p || kill -KILL $p; } >/dev/null 2>&1 & w=$!
exec 3<&-
wait $p; c=$?
kill $w 2>/dev/null
exit $c`;

/**
 * Makes a command end, with all it started, when its channel is closed or its input ended. Servers do not see to that: OpenSSH
 * passes no signals on in a root login, and a command without a terminal outlives its channel until it next writes (a search
 * that finds nothing goes on for hours, and holds one of the connection's sessions all the while). A shell beside the command
 * waits for the end of the channel's input, so leave that open. A signal that ends the command becomes exit code 128 + n.
 */
export const endable = (command: string): string => `sh -c ${quote(watcher)} sh ${quote(command)}`;

/**
 * Runs a command to its end and collects its output. An exit code other than 0 is a result, not an error.
 * @throws SshError timeout, closed or channel-refused; CancelledError. Unless `endable`, the command may
 *   live on then.
 */
export async function runOn(on: RunOn, command: string, options: RunOptions = {}): Promise<RunResult> {
  const { input = null, deadlineMs = 60_000, maxBytes = defaultMaxBytes, signal } = options;
  const until = steadyNow() + deadlineMs;
  const channel =
    options.endable === true
      ? await on.exec(endable(command), { signal, deadlineMs })
      : await on.exec(command, { stdin: input, signal, deadlineMs });
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
      Math.max(1, until - steadyNow()),
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
 * be done. Commands with a terminal are hung up on; others may live on, see `endable`.
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
