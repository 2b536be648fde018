import { isStatus, Status } from './errors';
import { type FileStat, fileStat } from './kinds';
import { outcome, type Room } from './room';

/** Requests on their way at once; more would keep a save behind them waiting. */
const burst = 256;

/** `missing`: there is nothing (any more). `unknown`: the pod would not say. */
export type Peeked = FileStat | 'missing' | 'unknown';

/**
 * Looks at many paths in one round trip, links followed; the pod answers, never what a listing told. Kept nowhere, so it
 * is no answer to the question before a save either.
 */
export async function peek(room: Room, paths: readonly string[], signal?: AbortSignal): Promise<Peeked[]> {
  const options = signal === undefined ? {} : { signal };
  return room.sessions.use('/', true, async (session) => {
    const out: Peeked[] = [];
    for (let i = 0; i < paths.length; i += burst) {
      const answers = await Promise.all(paths.slice(i, i + burst).map((path) => outcome(session.stat(path, options))));
      for (const { ok, value, error } of answers) {
        if (ok) out.push(fileStat(value, undefined, undefined));
        else if (isStatus(error, Status.NoSuchFile)) out.push('missing');
        else if (isStatus(error, Status.PermissionDenied, Status.Failure)) out.push('unknown');
        else throw error;
      }
    }
    return out;
  }, signal);
}
