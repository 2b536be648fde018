import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a path of the folder lies on this computer. */
export const at = (root: string, path: string): string => join(root, ...path.split('/'));
/** The folder that a path lies in; '' for the root. */
export const dirOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** Makes folders inside a root, and says of each whether it is a real one: nothing is written through a link. */
export class LocalFolders {
  readonly #real = new Map<string, Promise<boolean>>([['', Promise.resolve(true)]]);

  constructor(readonly root: string) {}

  make(folder: string): Promise<boolean> {
    const known = this.#real.get(folder) ?? this.#make(folder);
    this.#real.set(folder, known);
    return known;
  }

  async #make(folder: string): Promise<boolean> {
    if (!(await this.make(dirOf(folder)))) return false;
    const path = at(this.root, folder);
    await mkdir(path).catch(() => undefined);
    return lstat(path).then((stat) => stat.isDirectory(), () => false);
  }
}
