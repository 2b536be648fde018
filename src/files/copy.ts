import { SessionLostError } from './errors';
import { copyBeside } from './duplicate';
import { discardTree } from './remove';
import { moveOn } from './rename';
import { outcome, type Room } from './room';
import { refuseNested } from './stat';

/** Copies a file, link or folder on the pod; no byte of it crosses the link where the pod has a shell or `copy-data`. */
export async function copy(room: Room, from: string, to: string, options: { readonly overwrite: boolean }): Promise<void> {
  await refuseNested(room, from, to, options.overwrite);
  await room.locks.run([from, to], async () => {
    room.cache.forget(to);
    try {
      await room.sessions.use(from, false, async (session) => {
        const temp = await copyBeside(room, session, from, to, options.overwrite);
        const moved = await outcome(moveOn(room, session, temp, to, options.overwrite));
        if (moved.ok) return;
        if (moved.error instanceof SessionLostError) room.leftovers.add(temp);
        else await discardTree(room, session, temp);
        throw moved.error;
      });
    } finally {
      room.cache.forget(to);
    }
  });
}
