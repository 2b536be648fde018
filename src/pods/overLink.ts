import { isCancelled } from '../base/errors';
import type { SshLink } from '../ssh/pool';

/** Opens something over a session's connection; once more when just that connection turned out to be dead. */
export async function overLink<T>(session: { link(signal?: AbortSignal): Promise<SshLink> }, signal: AbortSignal | undefined, open: (link: SshLink) => Promise<T>): Promise<T> {
  const link = await session.link(signal);
  try {
    return await open(link);
  } catch (error) {
    if (link.downBy === undefined || isCancelled(error) || signal?.aborted) throw error;
    return open(await session.link(signal));
  }
}
