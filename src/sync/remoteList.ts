import { randomBytes } from 'node:crypto';
import { quote } from '../base/shell';
import type { SyncHost } from './host';
import { UploadError } from './uploadError';

/** What lies under a name on the pod. */
export interface RemoteEntry {
  readonly type: 'file' | 'folder' | 'link' | 'other';
  readonly size: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  readonly mode: number;
}

const LIST_DEADLINE_MS = 120_000;
/** Hashing reads every byte of the files in doubt. */
const HASH_DEADLINE_MS = 900_000;

/** Everything an upload needs on a pod; Debian, Ubuntu, Alpine and BusyBox all have it. */
const TOOLS = ['xargs', 'find', 'stat', 'tar', 'mv', 'mkdir', 'rm'];

/**
 * What a folder on the pod has under the given names, in one command. Only these are looked at: the folder may hold a
 * million others. Works with the tools of coreutils and of BusyBox.
 * @param names relative to `folder`. What is missing there is missing in the answer.
 */
export function listRemote(host: SyncHost, folder: string, names: readonly string[], signal?: AbortSignal): Promise<RemoteList> {
  return ask(host, folder, nulList(names), (format) => (names.length === 0 ? [] : [`xargs -0 stat -c ${format} 2>/dev/null`]), signal);
}

export interface RemoteList {
  /** By path, relative to the folder. */
  readonly entries: ReadonlyMap<string, RemoteEntry>;
  /** The folder itself is there. */
  readonly exists: boolean;
  /** The pod can unpack what is compressed. */
  readonly gzip: boolean;
}

export interface FindOptions {
  /** Only what lies under these, relative to the folder. */
  readonly paths?: readonly string[] | undefined;
  /** Names of files and folders that are left out with all they hold. */
  readonly unlisted: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** All that lies in a folder on the pod, in one command. */
export function findRemote(host: SyncHost, folder: string, { paths, unlisted, signal }: FindOptions): Promise<RemoteList> {
  const names = unlisted.flatMap((name, i) => [...(i === 0 ? [] : ['-o']), '-name', quote(name.replace(/[\\*?[\]]/g, '\\$&'))]);
  const prune = names.length === 0 ? '' : `\\( ${names.join(' ')} \\) -prune -o `;
  const from = (paths ?? ['']).map((path) => quote(path === '' ? '.' : `./${path}`));
  // One that is missing is no reason to stop.
  const lines = (format: string): string[] => chunks(from).map((some) => `find ${some.join(' ')} ${prune}-exec stat -c ${format} {} + 2>/dev/null`);
  return ask(host, folder, Buffer.alloc(0), lines, signal);
}

async function ask(host: SyncHost, folder: string, input: Buffer, lines: (format: string) => readonly string[], signal?: AbortSignal): Promise<RemoteList> {
  // A mark that no name can hold separates the answers, for names may hold newlines.
  const mark = randomBytes(8).toString('hex');
  const script = [
    `for tool in ${TOOLS.join(' ')}; do command -v "$tool" >/dev/null 2>&1 || { echo "$tool"; exit 64; }; done`,
    `g=; d=; if command -v gzip >/dev/null 2>&1; then g=gzip; fi; if [ -d ${quote(folder)} ]; then d=there; fi; echo "${mark}:$g:$d"`,
    `if [ -z "$d" ]; then cat >/dev/null; if [ -e ${quote(folder)} ]; then exit 65; fi; exit 0; fi`,
    `cd ${quote(folder)} || exit 66`,
    ...lines(`'${mark} %f %s %Y %n'`),
    'exit 0',
  ].join('\n');
  const { stdout, stderr, code } = await host.run(`exec /bin/sh -c ${quote(script)}`, { input, deadlineMs: LIST_DEADLINE_MS, maxBytes: 1 << 30, ...(signal && { signal }) });
  if (code === 64) throw new UploadError('missing-tool', { detail: stdout.toString().trim() });
  const text = stdout.toString();
  const head = new RegExp(`${mark}:(gzip)?:(there)?\\n`).exec(text);
  // A login for SFTP alone ends in silence, or complains: no shell has spoken.
  if (head === null && code !== undefined) throw new UploadError('missing-tool', { detail: 'sh' });
  if (code === 65) throw new UploadError('blocked', { paths: [folder] });
  if (code !== 0 || head === null) throw new UploadError('failed', { detail: stderr.toString().trim() });

  const entries = new Map<string, RemoteEntry>();
  for (const answer of text.split(`${mark} `).slice(1)) {
    const match = /^([0-9a-f]+) (\d+) (-?\d+) \.\/([^]*)\n$/.exec(answer);
    const [, mode, size, mtime, name] = match ?? [];
    if (mode === undefined || name === undefined) continue;
    const bits = Number.parseInt(mode, 16);
    entries.set(name, { type: typeOf(bits), size: Number(size), mtime: Number(mtime), mode: bits & 0o7777 });
  }
  return { entries, exists: head[2] !== undefined, gzip: head[1] !== undefined };
}

/** Starting points that one command line holds. */
const FROM_AT_ONCE = 500;
function chunks<T>(items: readonly T[]): T[][] {
  const out: T[][] = [];
  for (let i = 0; i < items.length; i += FROM_AT_ONCE) out.push(items.slice(i, i + FROM_AT_ONCE));
  return out;
}

/** SHA-256 of files on the pod, hex, in the order asked; `undefined` when the pod cannot tell. */
export async function hashRemote(host: SyncHost, folder: string, names: readonly string[], signal?: AbortSignal): Promise<readonly string[] | undefined> {
  const script = `cd ${quote(folder)} && exec xargs -0 sha256sum`;
  const { stdout } = await host.run(`exec /bin/sh -c ${quote(script)}`, { input: nulList(names), deadlineMs: HASH_DEADLINE_MS, maxBytes: 1 << 28, ...(signal && { signal }) });
  // One line a file; a backslash in front says that the name behind is escaped.
  const sums = stdout
    .toString()
    .split('\n')
    .map((line) => /^\\?([0-9a-f]{64}) /.exec(line)?.[1])
    .filter((sum) => sum !== undefined);
  return sums.length === names.length ? sums : undefined;
}

const nulList = (names: readonly string[]): Buffer => Buffer.from(names.map((name) => `./${name}\0`).join(''));

function typeOf(mode: number): RemoteEntry['type'] {
  switch (mode & 0o170000) {
    case 0o100000:
      return 'file';
    case 0o040000:
      return 'folder';
    case 0o120000:
      return 'link';
    default:
      return 'other';
  }
}
