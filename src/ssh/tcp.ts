import { CancelledError, messageOf } from '../base/errors';
import { corkTurns } from './cork';
import { SshError, type SshErrorParams } from './errors';
import { WideSocket } from './wideSocket';

export interface TcpOptions {
  /** Milliseconds until the connection must stand. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a TCP connection without Nagle's delay (an SSH request is a small packet that somebody waits for).
 * Throws `SshError` refused, unreachable, timeout or not-ssh (reset at once), or `CancelledError`; the socket is gone then.
 */
export function openTcp(host: string, port: number, { deadlineMs, signal }: TcpOptions): Promise<WideSocket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new CancelledError());
    const where: SshErrorParams = { host, port, stage: 'tcp' };
    const socket = new WideSocket();
    socket.connect({ host, port });
    // Not before: `connect` puts the socket's own `write` back.
    corkTurns(socket);
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      if (error === undefined) return resolve(socket);
      // An error may follow the destruction; it has nobody to tell any more.
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => settle(new CancelledError());
    const onError = (error: Error): void => settle(tcpError(error, where));
    const timer = setTimeout(() => settle(new SshError('timeout', { ...where, ms: deadlineMs })), deadlineMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError);
    socket.once('connect', () => settle());
  });
}

/** The system's error code; of several addresses tried, that of the one that says most (a refusal outranks no route). */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) {
    const codes = error.errors.map(systemCode);
    return codes.find((code) => code === 'ECONNREFUSED') ?? codes.find((code) => code !== undefined);
  }
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function tcpError(error: Error, where: SshErrorParams): SshError {
  const code = systemCode(error);
  const params = { ...where, reason: code, detail: messageOf(error) };
  if (code === 'ECONNREFUSED') return new SshError('refused', params, { cause: error });
  if (code === 'ETIMEDOUT') return new SshError('timeout', params, { cause: error });
  // Accepted and hung up on before we could look: something is there, but no SSH server yet.
  if (code === 'ECONNRESET') return new SshError('not-ssh', { ...params, stage: 'banner', reason: 'closed' }, { cause: error });
  // No route, no such name, no network: all mean that packets do not get there.
  return new SshError('unreachable', params, { cause: error });
}
