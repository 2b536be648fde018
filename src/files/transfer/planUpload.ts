import * as path from 'node:path';
import { FileError, isStatus, Status } from '../errors';
import { isDirectory, isLink, isRegular } from '../kinds';
import { readNames } from '../list';
import { join, normalise } from '../names';
import { outcome, type Room } from '../room';
import type { Attributes } from '../wire';
import { LocalFileError, type PlannedFile, type TransferPlan } from './contract';
import { FolderNames } from './names';
import { Planning, type PlanOptions } from './plan';
import { joinLocal, linkText, type LocalEntry, lookAt, lookThrough, namesIn } from './thisComputer';

interface Folder {
  readonly from: string;
  readonly to: string;
  readonly top: { readonly from: string };
  /** The pod has no such folder yet, so nothing in it can be in the way. */
  readonly fresh: boolean;
}

/** What comes of bringing files and folders of this computer into a folder of the pod. Reads both sides, changes neither. */
export async function planUpload(room: Room, sources: readonly string[], destination: string, options: PlanOptions = {}): Promise<TransferPlan> {
  return new UploadPlan(room, normalise(destination), options).plan(sources.map((source) => path.resolve(source)));
}

class UploadPlan extends Planning<Folder> {
  constructor(room: Room, destination: string, options: PlanOptions) {
    super(room, 'upload', destination, options);
  }

  async plan(sources: readonly string[]): Promise<TransferPlan> {
    const fresh = !(await this.#makeWay());
    const names = FolderNames.onPod(process.platform);
    for (const from of sources) {
      const entry = await lookThrough(from);
      if (entry === undefined) throw new LocalFileError('not-found', from);
      const to = this.nameIn(this.destination, names, from, path.basename(from) || 'root');
      const there = fresh ? undefined : await this.#onPod(to);
      await this.#entry({ from, to, top: { from } }, entry, there);
    }
    return this.finished();
  }

  protected joined(folder: string, name: string): string {
    return join(folder, name);
  }

  /** Whether the destination is there. Its missing folders are planned, from the top down. */
  async #makeWay(): Promise<boolean> {
    const parts = this.destination.split('/').filter((part) => part !== '');
    const ways = parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`);
    const found = await this.use(this.destination, (session) => Promise.all(ways.map((way) => outcome(session.stat(way)))));
    let there = true;
    for (const [i, way] of ways.entries()) {
      const one = found[i];
      if (one === undefined) continue;
      if (one.ok && !isDirectory(one.value)) throw new FileError('not-a-directory', way);
      if (!one.ok && !isStatus(one.error, Status.NoSuchFile)) throw one.error;
      if (!one.ok) {
        there = false;
        this.make(way);
      }
    }
    return there;
  }

  async #onPod(at: string): Promise<Attributes | undefined> {
    const found = await this.use(at, async (session) => outcome(session.lstat(at)));
    if (found.ok) return found.value;
    if (isStatus(found.error, Status.NoSuchFile)) return undefined;
    throw found.error;
  }

  protected async list(folder: Folder): Promise<void> {
    const [names, there] = await Promise.all([
      namesIn(folder.from),
      folder.fresh ? [] : this.use(folder.to, (session) => readNames(this.room, session, folder.to, this.options.signal)),
    ]);
    names.sort();
    this.found(names.length);
    const onPod = new Map(there.map(({ name, attributes }) => [name, attributes]));
    const taken = FolderNames.onPod(process.platform);
    for (const name of names) {
      const from = joinLocal(folder.from, name);
      const entry = await lookAt(from);
      // Gone since the listing.
      if (entry === undefined) continue;
      const to = this.nameIn(folder.to, taken, from, name);
      await this.#entry({ from, to, top: folder.top }, entry, onPod.get(to.slice(folder.to.length).replace(/^\//, '')));
    }
  }

  async #entry(at: Omit<Folder, 'fresh'>, entry: LocalEntry, there: Attributes | undefined): Promise<void> {
    const { from, to } = at;
    switch (entry.kind) {
      case 'special':
        this.leaveOut(from, 'special');
        return;
      case 'link':
        return this.#link(at, there);
      case 'directory': {
        // A link to a folder is a folder to those who look for one; nothing of ours takes its place.
        const folder = there === undefined || isDirectory(there) || (isLink(there) && isDirectory((await this.#behind(to)) ?? {}));
        if (!folder) {
          this.leaveOut(from, 'in-the-way');
          return;
        }
        if (there === undefined) this.make(to);
        this.enter({ ...at, fresh: there === undefined });
        return;
      }
      case 'file': {
        const file = this.#compared(from, to, entry, there);
        if (file !== undefined) this.bring(file);
      }
    }
  }

  async #behind(at: string): Promise<Attributes | undefined> {
    return this.use(at, async (session) => (await outcome(session.stat(at))).value);
  }

  #compared(from: string, to: string, entry: LocalEntry, there: Attributes | undefined): PlannedFile | undefined {
    if (there !== undefined && !isRegular(there) && !isLink(there)) {
      this.leaveOut(from, 'in-the-way');
      return undefined;
    }
    const { size, mtimeMs, mode } = entry;
    if (there !== undefined && isRegular(there) && there.size === size && there.mtime === Math.floor(mtimeMs / 1000)) {
      this.isThere();
      return undefined;
    }
    return { from, to, size, mtimeMs, ...(process.platform === 'win32' ? {} : { mode }), conflict: there !== undefined };
  }

  async #link(at: Omit<Folder, 'fresh'>, there: Attributes | undefined): Promise<void> {
    const { from, to, top } = at;
    const [text, found] = await Promise.all([linkText(from), lookThrough(from)]);
    if (found === undefined || found.kind === 'link') {
      this.leaveOut(from, 'dangling');
      return;
    }
    const relative = path.relative(top.from, path.resolve(path.dirname(from), text));
    const target = text.split(path.sep).join('/');
    const inside = !path.isAbsolute(text) && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
    if (inside && there !== undefined && isLink(there) && (await this.use(to, (session) => session.readlink(to))) === target) {
      this.isThere();
      return;
    }
    const file = found.kind === 'file' ? this.#compared(from, to, found, there) : undefined;
    if (found.kind === 'special') this.leaveOut(from, 'special');
    else if (inside && there === undefined) this.link({ from, to, target, file });
    else if (file !== undefined) this.bring(file);
    else if (found.kind === 'directory') this.leaveOut(from, there === undefined ? 'folder-link' : 'in-the-way');
  }
}
