import { FileError, StatusError } from './errors';
import { type FileKind, type FileStat, fileStat, isLink } from './kinds';
import { decodeName, join } from './names';
import { outcome, type Room, unawaited } from './room';
import type { Handle, SftpSession } from './sftp';
import type { Attributes, NameEntry } from './wire';

export interface Entry {
  readonly name: string;
  readonly kind: FileKind;
  /** The entry itself is a symbolic link; `kind` is its target's, or `link` when that is not there. */
  readonly link: boolean;
}

const firstWindow = 8;
const lastWindow = 32;
/** Requests for what a listing did not tell, sent at once. */
const burst = 256;
/** A folder of more entries is none that anybody can look at; and a server may go on for ever. */
const mostEntries = 1_000_000;
const mostEmptyReplies = 100;

/**
 * The entries of a folder, without `.` and `..`, in the server's order. READDIRs are sent several at a time, and the
 * links that came up are resolved in one burst, so a thousand entries cost three or four round trips.
 */
export async function list(room: Room, path: string, signal?: AbortSignal): Promise<Entry[]> {
  return room.sessions.use(path, true, (session) => listOn(room, session, path, signal), signal);
}

async function listOn(room: Room, session: SftpSession, path: string, signal?: AbortSignal): Promise<Entry[]> {
  const ticket = room.cache.ticket();
  const found = await readNames(room, session, path, signal);
  const who = await room.sessions.who();
  const entries: Entry[] = [];
  for (const { name, stat } of await resolve(session, path, found, (a, target) => fileStat(a, target, who))) {
    if (isOurs(room, join(path, name))) continue;
    room.cache.keep(ticket, join(path, name), stat);
    entries.push({ name, kind: stat.kind, link: stat.link });
  }
  return entries;
}

/** Ours alone, and gone in a moment. What another window, or a crash, has left is shown: it may be all there is of a save. */
const isOurs = (room: Room, path: string): boolean => room.inUse.has(path) || room.leftovers.has(path) || [...room.asides].some(({ aside }) => aside === path);

/** The names of a folder and what the listing itself tells of them. */
export async function readNames(room: Room, session: SftpSession, path: string, signal?: AbortSignal): Promise<{ name: string; attributes: Attributes }[]> {
  const handle = await openFolder(session, path, signal);
  try {
    const entries = await readAll(session, handle, path, signal);
    return entries
      .map(({ name, attributes }) => ({ name: decodeName(name), attributes }))
      .filter(({ name }) => name !== '.' && name !== '..' && name !== '' && !/[/\0]/.test(name));
  } finally {
    unawaited(session.close(handle), room.log);
  }
}

async function openFolder(session: SftpSession, path: string, signal?: AbortSignal): Promise<Handle> {
  try {
    return await session.opendir(path, signal === undefined ? {} : { signal });
  } catch (error) {
    // OpenSSH says "no such file" of a file that is no folder.
    if (error instanceof StatusError) {
      const target = await outcome(session.stat(path));
      if (target.ok && fileStat(target.value, undefined, undefined).kind !== 'directory') throw new FileError('not-a-directory', path);
    }
    throw error;
  }
}

async function readAll(session: SftpSession, handle: Handle, path: string, signal?: AbortSignal): Promise<NameEntry[]> {
  const out: NameEntry[] = [];
  let done = false;
  let window = firstWindow;
  let flying = 0;
  let empty = 0;
  await new Promise<void>((resolve, reject) => {
    const fill = (): void => {
      while (!done && flying < window) {
        flying++;
        session.readdir(handle, signal === undefined ? {} : { signal }).then(onReply, reject);
      }
      if (done && flying === 0) resolve();
    };
    const onReply = (entries: NameEntry[] | undefined): void => {
      flying--;
      if (entries === undefined) done = true;
      else for (const entry of entries) out.push(entry);
      if (entries?.length === 0) empty++;
      if (out.length > mostEntries || empty > mostEmptyReplies) {
        done = true;
        reject(new FileError('too-large', path, `${out.length} entries and no end`));
      }
      // A folder that outlasts the first requests is big; each answer then brings two more on the way.
      if (!done) window = Math.min(lastWindow, window + 1);
      fill();
    };
    fill();
  });
  return out;
}

/** Follows the links, and asks about entries whose type the listing left out, all at once. */
async function resolve(
  session: SftpSession,
  folder: string,
  found: readonly { name: string; attributes: Attributes }[],
  toStat: (itself: Attributes, target: Attributes | undefined) => FileStat,
): Promise<{ name: string; stat: FileStat }[]> {
  const out: { name: string; stat: FileStat }[] = [];
  const open: { name: string; attributes: Attributes }[] = [];
  for (const entry of found) {
    if (entry.attributes.mode === undefined || isLink(entry.attributes)) open.push(entry);
    else out.push({ name: entry.name, stat: toStat(entry.attributes, undefined) });
  }
  for (let i = 0; i < open.length; i += burst)
    out.push(
      ...(await Promise.all(
        open.slice(i, i + burst).map(async ({ name, attributes }) => {
          const path = join(folder, name);
          const itself = attributes.mode === undefined ? outcome(session.lstat(path)) : { ok: true as const, value: attributes };
          const [a, target] = await Promise.all([itself, outcome(session.stat(path))]);
          return { name, stat: toStat(a.ok ? a.value : attributes, target.value) };
        }),
      )),
    );
  return out;
}
