import { isFileError } from '../files/errors';
import type { PodFiles } from '../files/pod/podFiles';
import type { FindOptions, RemoteEntry, RemoteList } from './remoteList';

/** What looks at a pod that has no shell tools. */
export type Lister = Pick<PodFiles, 'list' | 'stat'>;

const AT_ONCE = 8;

/** All that lies in a folder on the pod, by SFTP alone: several round trips a folder, eight folders at a time. */
export async function findBySftp(lister: Lister, root: string, { paths, unlisted, signal }: FindOptions): Promise<RemoteList> {
  const found = new Map<string, RemoteEntry>();
  const waiting: string[] = [''];
  const wanted = (path: string): boolean => paths === undefined || paths.some((one) => one === '' || path === one || path.startsWith(`${one}/`) || one.startsWith(`${path}/`));
  while (waiting.length > 0) {
    const folders = waiting.splice(0, AT_ONCE);
    const lists = await Promise.all(folders.map(async (folder) => ({ folder, entries: await entriesOf(lister, folder === '' ? root : `${root}/${folder}`, signal) })));
    for (const { folder, entries } of lists)
      for (const [name, entry] of entries) {
        const path = folder === '' ? name : `${folder}/${name}`;
        if (unlisted.includes(name) || !wanted(path)) continue;
        found.set(path, entry);
        if (entry.type === 'folder') waiting.push(path);
      }
  }
  return { entries: found, exists: true, gzip: false };
}

async function entriesOf(lister: Lister, folder: string, signal?: AbortSignal): Promise<[string, RemoteEntry][]> {
  try {
    const entries = await lister.list(folder, signal);
    return await Promise.all(
      entries.map(async ({ name, kind, link }): Promise<[string, RemoteEntry]> => {
        if (link) return [name, { type: 'link', size: 0, mtime: 0, mode: 0o777 }];
        // The listing has told it already.
        const { size, mtimeMs, mode } = await lister.stat(`${folder}/${name}`, signal);
        return [name, { type: kind === 'directory' ? 'folder' : kind === 'file' ? 'file' : 'other', size, mtime: Math.floor(mtimeMs / 1000), mode: mode & 0o7777 }];
      }),
    );
  } catch (error) {
    if (isFileError(error, 'not-found')) return [];
    throw error;
  }
}
