import type { LocalEntry, LocalTree } from './localTree';
import type { RemoteEntry } from './remoteList';

/** A listing of a pod's folder as a tree, for the ignore rules to walk. It has names and kinds, and nothing to read. */
export function remoteTree(entries: ReadonlyMap<string, RemoteEntry>): LocalTree {
  const folders = new Map<string, Map<string, LocalEntry['type']>>();
  const inside = (folder: string): Map<string, LocalEntry['type']> => {
    const known = folders.get(folder) ?? new Map<string, LocalEntry['type']>();
    folders.set(folder, known);
    return known;
  };
  for (const [path, { type }] of entries) {
    // A name that is not UTF-8 cannot be asked for again.
    if (path.includes('\ufffd')) continue;
    let [folder, name] = split(path);
    inside(folder).set(name, type);
    // Where only a part was listed, the folders it lies in were not.
    for (; folder !== ''; ) {
      [folder, name] = split(folder);
      if (inside(folder).has(name)) break;
      inside(folder).set(name, 'folder');
    }
  }
  const nothing = (): never => {
    throw new Error('A listing has no contents');
  };
  return {
    ignoreCase: false,
    list: async (folder) => [...(folders.get(folder) ?? [])].map(([name, type]) => ({ name, type })),
    stat: async () => nothing(),
    read: nothing,
    // Where it leads shows when it comes.
    readLink: async () => '.',
  };
}

function split(path: string): [folder: string, name: string] {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? ['', path] : [path.slice(0, cut), path.slice(cut + 1)];
}
