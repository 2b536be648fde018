import type { FilesHost } from '../../files/host';
import { FileError } from '../../files/errors';
import { decodeName } from '../../files/names';
import { assign, codeOfMessage, script } from '../../files/shell';

/** What a folder takes on its disk. */
export interface FolderUse {
  readonly path: string;
  readonly bytes: number;
  /** What lies in it, biggest first; no more than the biggest. */
  readonly entries: readonly { readonly name: string; readonly bytes: number }[];
  /** Some of it could not be looked into, so it is more than this. */
  readonly partial: boolean;
}

/** A network volume with a million files takes minutes. */
const deadlineMs = 15 * 60_000;
const kept = 200;

/** Adds up a folder with the pod's own `du`, without leaving its disk. Not quick, and never done unasked. */
export async function measureFolder(host: Pick<FilesHost, 'run'>, path: string, signal?: AbortSignal): Promise<FolderUse> {
  const command = script(assign('f', path), 'test -e "$f" || exit 171', 'exec du -a -k -x -d 1 -- "$f"');
  const { stdout, stderr, code } = await host.run(command, { deadlineMs, maxBytes: 64 * 1024 * 1024, ...(signal === undefined ? {} : { signal }) });
  const message = stderr.toString('latin1').trim().split('\n')[0] ?? '';
  if (code === 171) throw new FileError('not-found', path);
  const found = new Map<string, number>();
  for (const line of decodeName(stdout).split('\n')) {
    const [, kilobytes, at] = /^(\d+)\t(.+)$/.exec(line) ?? [];
    if (kilobytes !== undefined && at !== undefined) found.set(at, Number(kilobytes) * 1024);
  }
  const bytes = found.get(path);
  if (bytes === undefined) throw new FileError(codeOfMessage(message), path, message === '' ? `du ended with ${code ?? 'a signal'}` : message);
  found.delete(path);
  const entries = [...found]
    .map(([at, size]) => ({ name: at.slice(at.lastIndexOf('/') + 1), bytes: size }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, kept);
  return { path, bytes, entries, partial: code !== 0 };
}
