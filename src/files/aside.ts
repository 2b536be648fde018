import { SessionLostError } from './errors';
import { discardTree } from './remove';
import { type Aside, outcome, type Room, unawaited } from './room';
import type { SftpSession } from './sftp';
import { exists } from './stat';
import { tempBeside } from './temp';

/**
 * Moves `from` to `to` with `move`, while what has the name `to` steps aside: it comes back when the move fails, and ends when
 * it succeeds. Should the link go in between, it comes back with the next one.
 */
export async function withAside(room: Room, session: SftpSession, from: string, to: string, move: () => Promise<void>): Promise<void> {
  const made: Aside = { aside: tempBeside(to), from, to };
  room.asides.add(made);
  const stepped = await outcome(session.rename(to, made.aside));
  if (!stepped.ok) {
    if (!(stepped.error instanceof SessionLostError)) room.asides.delete(made);
    throw stepped.error;
  }
  const moved = await outcome(move());
  if (!moved.ok) {
    if (moved.error instanceof SessionLostError) throw moved.error;
    await session.rename(made.aside, to);
  }
  room.asides.delete(made);
  if (!moved.ok) throw moved.error;
  await discardTree(room, session, made.aside);
}

/** On a new connection: brings back, or ends, what an earlier one left aside. */
export function bringBack(room: Room, session: SftpSession): void {
  for (const made of room.asides) unawaited(settle(room, session, made), room.log);
}

/** Nothing is removed unless the move is known to have happened: the source gone, and something under the name. */
async function settle(room: Room, session: SftpSession, made: Aside): Promise<void> {
  const { aside, from, to } = made;
  const [isAside, isFrom, isTo] = await Promise.all([exists(session, aside), exists(session, from), exists(session, to)]);
  if (isAside && !isTo) await session.rename(aside, to);
  else if (isAside && isTo && !isFrom) await discardTree(room, session, aside);
  else if (isAside) room.log.warn(`files: ${to} was to be replaced; what it was is in ${aside}`);
  room.asides.delete(made);
}
