import type { PodSession } from '../pods/podSession';
import { composeCommand } from './command';
import { TERM, terminalEnvironment, Tty, type TtySize } from './tty';

export type CommandSession = Pick<PodSession, 'link' | 'pod'>;

export interface PodCommand {
  readonly command: string;
  /** Absolute, or below the pod's mount path; that path itself unless told. */
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/**
 * Starts a command on a pod in a terminal of its own, over the connection that everything shares. It ends with that
 * connection.
 * @throws PodUnavailableError, SshError, CancelledError; RangeError for what no shell can carry
 */
export async function startCommand(session: CommandSession, spec: PodCommand, size: TtySize, signal?: AbortSignal): Promise<Tty> {
  const link = await session.link(signal);
  const line = composeCommand({ ...spec, cwd: onPod(spec.cwd, session.pod?.mount?.path), env: { ...terminalEnvironment, ...spec.env } });
  return new Tty(await link.exec(line, { pty: { ...size, term: TERM }, signal }));
}

/** A path on the pod, absolute where the pod has a mount path; `undefined` is the login's home. */
export function onPod(path: string | undefined, mount: string | undefined): string | undefined {
  if (path === undefined || path === '') return mount;
  if (path.startsWith('/')) return path;
  return mount === undefined ? path : `${mount.replace(/\/+$/, '')}/${path}`;
}
