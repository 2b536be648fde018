import { FileError, StatusError } from './errors';
import { dirname } from './names';
import { outcome, type Room, runOnPod } from './room';
import { assign, errorOfRun, Exit, script } from './shell';
import type { Handle, SftpSession } from './sftp';
import { whyNotWritten } from './space';
import { writeChunks } from './tempFile';
import { OpenFlag } from './wire';

const runMs = 300_000;
/** Without a shell the old content must be kept here to be brought back. */
const keepable = 64 * 1024 * 1024;

/**
 * Two windows that save the same file do it one after the other, by whatever name of it. Without `flock` by a link that holds
 * the saving process: only one can make it, and one of a process that is gone is nobody's. Nobody is waited for longer than a minute.
 */
const ONE_AFTER_THE_OTHER = [
  'if command -v flock >/dev/null 2>&1; then exec 9<"$f" && flock -w 60 9; else',
  'set -- $(ls -Lid "$f"); lock=/tmp/.runpod-save-$1; n=0',
  'while [ $n -lt 300 ]; do',
  'if ln -s $$ "$lock" 2>/dev/null; then l=$lock; break; fi',
  'p=$(readlink "$lock") && [ ! -d "/proc/$p" ] && rm -f "$lock" && continue',
  'n=$((n + 1)); sleep 0.2 2>/dev/null || { sleep 1; n=$((n + 4)); }',
  'done; fi',
];

/**
 * Writes into the file itself, for what must not be replaced: a file with several names, of another owner, in a folder
 * closed to us, or mounted upon. On the pod the new content is complete, and the old one copied, before the first byte
 * changes; then neither a lost link nor a full disk leaves half a file.
 */
export async function writeInPlace(room: Room, session: SftpSession, path: string, content: Uint8Array): Promise<void> {
  if (!(await room.sessions.hasShell())) return writeWithRestore(room, session, path, content);
  const lines = script(
    'umask 077',
    assign('f', path),
    assign('d', dirname(path)),
    `t=$(mktemp -d "$d/.runpod-save-XXXXXXXXXXXX" 2>/dev/null || mktemp -d) || exit ${Exit.NotReadable}`,
    `l=; trap 'rm -rf "$t"; test -z "$l" || rm -f "$l"' EXIT`,
    `test -w "$f" || { echo 'Permission denied' >&2; exit 1; }`,
    `cat > "$t/new" || exit 1`,
    `test "$(wc -c < "$t/new")" -eq ${content.length} || exit ${Exit.Incomplete}`,
    ...ONE_AFTER_THE_OTHER,
    `cat < "$f" > "$t/old" || exit 1`,
    // From here on nothing may come between.
    `trap '' HUP INT TERM PIPE`,
    `if cat "$t/new" > "$f"; then sync "$f" 2>/dev/null; exit 0; fi`,
    `cat "$t/old" > "$f"`,
    'exit 1',
  );
  const result = await runOnPod(room, path, lines, { deadlineMs: runMs, input: content });
  if (result.code === Exit.Incomplete) throw new FileError('unavailable', path, 'the content did not arrive whole');
  if (result.code !== 0) throw errorOfRun(result, path);
}

async function writeWithRestore(room: Room, session: SftpSession, path: string, content: Uint8Array): Promise<void> {
  const handle = await session.open(path, OpenFlag.Read | OpenFlag.Write);
  try {
    const { size } = await session.fstat(handle);
    if (size === undefined || size > keepable) throw new FileError('unsupported', path, 'too large to be saved in place without a shell');
    const old = await readOld(session, handle, size);
    const written = await outcome(overwrite(session, handle, size, content));
    if (written.ok) return;
    if (!(written.error instanceof StatusError)) throw written.error;
    await overwrite(session, handle, Math.max(size, content.length), old);
    throw await whyNotWritten(room, session, path, content.length, written.error);
  } finally {
    await outcome(session.close(handle));
  }
}

async function readOld(session: SftpSession, handle: Handle, size: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let at = 0; at < size; ) {
    const part = await session.read(handle, at, session.maxRead);
    if (part.length === 0) break;
    parts.push(part);
    at += part.length;
  }
  return Buffer.concat(parts);
}

/** What grows the file goes first: there a full disk shows while the old bytes are untouched. */
async function overwrite(session: SftpSession, handle: Handle, oldSize: number, content: Uint8Array): Promise<void> {
  for (let at = oldSize; at < content.length; at += session.maxWrite) await session.write(handle, at, content.subarray(at, Math.min(content.length, at + session.maxWrite)));
  await writeChunks([{ session, handle }], content.subarray(0, Math.min(oldSize, content.length)));
  if (content.length < oldSize) await session.fsetstat(handle, { size: content.length });
  if (session.has('fsync@openssh.com')) await outcome(session.fsync(handle));
}

/** A device takes what is written and has no old content to lose. */
export async function writeSpecial(session: SftpSession, path: string, content: Uint8Array): Promise<void> {
  const handle = await session.open(path, OpenFlag.Write);
  for (let at = 0; at < content.length; at += session.maxWrite) {
    const written = await outcome(session.write(handle, at, content.subarray(at, Math.min(content.length, at + session.maxWrite))));
    if (!written.ok) {
      await outcome(session.close(handle));
      throw written.error;
    }
  }
  await session.close(handle);
}
