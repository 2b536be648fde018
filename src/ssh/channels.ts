import type { ClientChannel, PseudoTtyOptions, SFTPWrapper } from 'ssh2';
import type { Logger } from '../base/log';
import { endChannel } from './run';
import type { PtyOptions, SftpSession } from './sessions';

/** A pseudoterminal as ssh2 wants it told. */
export const ptyOf = ({ cols, rows, term = 'xterm-256color', modes }: PtyOptions): PseudoTtyOptions & { modes?: PseudoTtyOptions['modes'] } => ({
  cols,
  rows,
  term,
  width: 0,
  height: 0,
  ...(modes === undefined ? {} : { modes }),
});

type ChannelCallback = (error: Error | undefined, channel: ClientChannel) => void;

/**
 * A short command's answer, output and exit code can come in one packet, and then its exit is told before whoever awaits the
 * channel can listen for it. It is told again to each who begins to listen later.
 */
export const withExitKept =
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
export function prepare(channel: ClientChannel, log: Logger): void {
  channel.on('error', (error: Error) => log.debug(`SSH channel: ${error.message}`));
}

/** The channel goes when the signal aborts. */
export function endOnAbort(channel: ClientChannel, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const onAbort = (): void => endChannel(channel);
  signal.addEventListener('abort', onAbort, { once: true });
  channel.once('close', () => signal.removeEventListener('abort', onAbort));
  if (signal.aborted) onAbort();
}

/** ssh2's SFTP with what it keeps to itself. @param linkClosed settles when the link is gone */
export function sftpSession(sftp: SFTPWrapper, linkClosed: Promise<unknown>, log: Logger): SftpSession {
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
