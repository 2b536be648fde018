import { decodeName, encodeName } from '../names';
import { type Room, runOnPod } from '../room';
import { assign, script } from '../shell';

const hashLine = /^\\?([0-9a-f]{64}) [ *]/;
const noTool = 176;
/** Bytes a second that the slowest disk of a pod is thought to read. */
const slowest = 10_000_000;
const deadline = (bytes: number): number => 60_000 + (bytes / slowest) * 1000;

export interface Hashed {
  readonly path: string;
  /** So many bytes from its beginning; a log may have grown since. */
  readonly size: number;
}

/**
 * SHA-256 of files on the pod, computed there; by path, in hexadecimal digits. A file that cannot be read is missing in the
 * answer. `undefined` where the pod has no shell or no `sha256sum`.
 */
export async function podHashes(room: Room, files: readonly Hashed[], signal: AbortSignal | undefined): Promise<Map<string, string> | undefined> {
  if (!(await room.sessions.hasShell())) return undefined;
  const found = new Map<string, string>();
  // A newline or backslash in a name is printed in one of several ways.
  const plain = files.filter(({ path }) => !/[\n\\]/.test(path));
  const [first] = plain;
  if (first !== undefined) {
    const input = Buffer.concat(plain.flatMap(({ path }) => [encodeName(path), Buffer.from([0])]));
    const bytes = plain.reduce((sum, { size }) => sum + size, 0);
    const result = await runOnPod(room, first.path, script(`command -v sha256sum >/dev/null 2>&1 || exit ${noTool}`, 'exec xargs -0 sha256sum --'), { input, deadlineMs: deadline(bytes), signal });
    if (result.code === noTool) return undefined;
    for (let at = 0; at < result.stdout.length; ) {
      const end = result.stdout.indexOf(10, at);
      const line = result.stdout.subarray(at, end < 0 ? undefined : end);
      const digest = hashLine.exec(line.toString('latin1'))?.[1];
      if (digest !== undefined) found.set(decodeName(line.subarray(66)), digest);
      at = end < 0 ? result.stdout.length : end + 1;
    }
  }
  for (const file of files) {
    if (plain.includes(file)) continue;
    const digest = await podHashOfStart(room, file, signal);
    if (digest !== undefined) found.set(file.path, digest);
  }
  return found;
}

/** SHA-256 of the first `size` bytes of one file on the pod; `undefined` when it cannot be told. */
export async function podHashOfStart(room: Room, { path, size }: Hashed, signal: AbortSignal | undefined): Promise<string | undefined> {
  const result = await runOnPod(room, path, script(assign('f', path), `head -c ${size} < "$f" | sha256sum`), { deadlineMs: deadline(size), signal });
  return result.code === 0 ? hashLine.exec(result.stdout.toString('latin1'))?.[1] : undefined;
}
