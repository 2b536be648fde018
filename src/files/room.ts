import { CancelledError, isCancelled, messageOf } from '../base/errors';
import type { Logger } from '../base/log';
import type { AttributeCache } from './cache';
import { FileError, SessionLostError, Status, StatusError } from './errors';
import type { FilesHost, RunResult } from './host';
import type { Sessions } from './sessions';
import type { PathLocks, Turns } from './turns';
import { MalformedError } from './wire';

/** Something that made way for a move. */
export interface Aside {
  readonly aside: string;
  readonly from: string;
  readonly to: string;
}

/** What the operations on one pod's files share. */
export interface Room {
  readonly host: FilesHost;
  readonly sessions: Sessions;
  readonly cache: AttributeCache;
  readonly locks: PathLocks;
  /** Whole files read at once. */
  readonly reads: Turns;
  /** Our temporary files that could not be removed yet, because the link went. */
  readonly leftovers: Set<string>;
  /** Temporary names of saves and copies under way or just ended; no listing shows them. */
  readonly inUse: Set<string>;
  /** What made way for a move that has not ended. */
  readonly asides: Set<Aside>;
  readonly log: Logger;
}

/** The answer, or the error as a value: for requests that go out together and are judged together. */
export type Outcome<T> = { readonly ok: true; readonly value: T; readonly error?: undefined } | { readonly ok: false; readonly error: unknown; readonly value?: undefined };

export const outcome = <T>(promise: Promise<T>): Promise<Outcome<T>> =>
  promise.then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  );

const codes = new Map<number, 'not-found' | 'no-permission' | 'unsupported' | 'unavailable'>([
  [Status.NoSuchFile, 'not-found'],
  [Status.PermissionDenied, 'no-permission'],
  [Status.Unsupported, 'unsupported'],
  [Status.NoConnection, 'unavailable'],
  [Status.ConnectionLost, 'unavailable'],
]);

/** Anything thrown while working on `path`, as the one kind of error that leaves this room. */
export function toFileError(error: unknown, path: string): FileError | CancelledError {
  if (error instanceof FileError) return error;
  if (isCancelled(error)) return new CancelledError();
  const cause = { cause: error };
  if (error instanceof StatusError) return new FileError(codes.get(error.status) ?? 'failure', path, error.message, cause);
  if (error instanceof SessionLostError || error instanceof MalformedError) return new FileError('unavailable', path, error.message, cause);
  if (error instanceof RangeError) return new FileError('unsupported', path, error.message, cause);
  return new FileError('failure', path, messageOf(error), cause);
}

/** A listing that began before the end of a save may still tell of its temporary file for so long. */
const lingerMs = 10_000;

/** The work on a temporary name has ended. */
export function noLongerInUse(room: Room, temp: string): void {
  setTimeout(() => room.inUse.delete(temp), lingerMs).unref();
}

/** Not awaited on purpose: nobody waits for a clean-up, and its failure changes nothing for the caller. */
export function unawaited(promise: Promise<unknown>, log: Logger): void {
  promise.catch((error: unknown) => log.debug(`files: ${messageOf(error)}`));
}

/** More complaints than this, and a host may end the command that makes them. */
const maxOutput = 16 * 1024 * 1024;

/** Runs a script on the pod; a connection that fails is `unavailable`. */
export async function runOnPod(
  room: Room,
  path: string,
  command: string,
  options: { deadlineMs: number; input?: Uint8Array; signal?: AbortSignal | undefined },
): Promise<RunResult> {
  const { signal, ...rest } = options;
  try {
    return await room.host.run(command, { maxBytes: maxOutput, ...rest, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (isCancelled(error) || error instanceof FileError) throw error;
    throw new FileError('unavailable', path, messageOf(error), { cause: error });
  }
}
