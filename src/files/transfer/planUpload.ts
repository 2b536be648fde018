import * as path from 'node:path';
import { FileError, isStatus, Status } from '../errors';
import { isDirectory, isLink, isRegular } from '../kinds';
import { readNames } from '../list';
import { join, normalise } from '../names';
import { outcome, type Room } from '../room';
import type { SftpSession } from '../sftp';
import type { Attributes } from '../wire';
import { type LeftOut, LocalFileError, type PlannedFile, type PlannedLink, type TransferPlan } from './contract';
import { FolderNames } from './names';
import { inParallel } from './parallel';
import type { PlanOptions } from './planDownload';
import { joinLocal, linkText, type LocalEntry, lookAt, lookThrough, namesIn } from './thisComputer';

const atOnce = 8;

interface Folder {
  readonly from: string;
  readonly to: string;
  readonly top: { readonly from: string };
  /** The pod has no such folder yet, so nothing in it can be in the way. */
  readonly fresh: boolean;
}

/** What comes of bringing files and folders of this computer into a folder of the pod. Reads both sides, changes neither. */
export async function planUpload(room: Room, sources: readonly string[], destination: string, options: PlanOptions = {}): Promise<TransferPlan> {
  return new UploadPlan(room, normalise(destination), options).make(sources.map((source) => path.resolve(source)));
}

class UploadPlan {
  readonly #folders: string[] = [];
  readonly #files: PlannedFile[] = [];
  readonly #links: PlannedLink[] = [];
  readonly #leftOut: LeftOut[] = [];
  readonly #renamed: { path: string; as: string }[] = [];
  #present = 0;
  #found = 0;

  constructor(
    readonly room: Room,
    readonly destination: string,
    readonly options: PlanOptions,
  ) {}

  async make(sources: readonly string[]): Promise<TransferPlan> {
    const fresh = !(await this.#makeWay());
    const names = FolderNames.onPod(process.platform);
    let level: Folder[] = [];
    for (const from of sources) {
      const entry = await lookThrough(from);
      if (entry === undefined) throw new LocalFileError('not-found', from);
      const to = this.#name(names, this.destination, from, path.basename(from) || 'root');
      const there = fresh ? undefined : await this.#onPod(to);
      await this.#entry({ from, to, top: { from } }, entry, there, level);
    }
    while (level.length > 0) {
      const next: Folder[] = [];
      await inParallel(level, atOnce, (folder) => this.#list(folder, next));
      level = next;
    }
    return {
      direction: 'upload',
      destination: this.destination,
      folders: this.#folders,
      files: this.#files,
      links: this.#links,
      bytes: this.#files.reduce((sum, { size }) => sum + size, 0),
      present: this.#present,
      leftOut: this.#leftOut,
      renamed: this.#renamed,
    };
  }

  #use<T>(at: string, work: (session: SftpSession) => Promise<T>): Promise<T> {
    return this.room.sessions.use(at, true, work, this.options.signal);
  }

  /** Whether the destination is there. Its missing folders are planned, from the top down. */
  async #makeWay(): Promise<boolean> {
    const parts = this.destination.split('/').filter((part) => part !== '');
    const ways = parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`);
    const found = await this.#use(this.destination, (session) => Promise.all(ways.map((way) => outcome(session.stat(way)))));
    let there = true;
    for (const [i, way] of ways.entries()) {
      const one = found[i];
      if (one === undefined) continue;
      if (one.ok && !isDirectory(one.value)) throw new FileError('not-a-directory', way);
      if (!one.ok && !isStatus(one.error, Status.NoSuchFile)) throw one.error;
      if (!one.ok) {
        there = false;
        this.#folders.push(way);
      }
    }
    return there;
  }

  async #onPod(at: string): Promise<Attributes | undefined> {
    const found = await this.#use(at, async (session) => outcome(session.lstat(at)));
    if (found.ok) return found.value;
    if (isStatus(found.error, Status.NoSuchFile)) return undefined;
    throw found.error;
  }

  #name(names: FolderNames, folder: string, from: string, name: string): string {
    const as = names.take(name);
    const to = join(folder, as);
    if (as !== name) this.#renamed.push({ path: from, as: to });
    return to;
  }

  async #list(folder: Folder, next: Folder[]): Promise<void> {
    const [names, there] = await Promise.all([
      namesIn(folder.from),
      folder.fresh ? [] : this.#use(folder.from, (session) => readNames(this.room, session, folder.to, this.options.signal)),
    ]);
    names.sort();
    this.options.onFound?.((this.#found += names.length));
    const onPod = new Map(there.map(({ name, attributes }) => [name, attributes]));
    const taken = FolderNames.onPod(process.platform);
    for (const name of names) {
      const from = joinLocal(folder.from, name);
      const entry = await lookAt(from);
      // Gone since the listing.
      if (entry === undefined) continue;
      const to = this.#name(taken, folder.to, from, name);
      await this.#entry({ from, to, top: folder.top }, entry, onPod.get(to.slice(folder.to.length).replace(/^\//, '')), next);
    }
  }

  async #entry(at: Omit<Folder, 'fresh'>, entry: LocalEntry, there: Attributes | undefined, next: Folder[]): Promise<void> {
    const { from, to } = at;
    switch (entry.kind) {
      case 'special':
        this.#leftOut.push({ path: from, why: 'special' });
        return;
      case 'link':
        return this.#link(at, there);
      case 'directory': {
        // A link to a folder is a folder to those who look for one; nothing of ours takes its place.
        const folder = there === undefined || isDirectory(there) || (isLink(there) && isDirectory((await this.#behind(to)) ?? {}));
        if (!folder) {
          this.#leftOut.push({ path: from, why: 'in-the-way' });
          return;
        }
        if (there === undefined) this.#folders.push(to);
        next.push({ ...at, fresh: there === undefined });
        return;
      }
      case 'file': {
        const file = this.#compared(from, to, entry, there);
        if (file !== undefined) this.#files.push(file);
      }
    }
  }

  async #behind(at: string): Promise<Attributes | undefined> {
    return this.#use(at, async (session) => (await outcome(session.stat(at))).value);
  }

  #compared(from: string, to: string, entry: LocalEntry, there: Attributes | undefined): PlannedFile | undefined {
    if (there !== undefined && !isRegular(there) && !isLink(there)) {
      this.#leftOut.push({ path: from, why: 'in-the-way' });
      return undefined;
    }
    const { size, mtimeMs, mode } = entry;
    if (there !== undefined && isRegular(there) && there.size === size && there.mtime === Math.floor(mtimeMs / 1000)) {
      this.#present++;
      return undefined;
    }
    return { from, to, size, mtimeMs, ...(process.platform === 'win32' ? {} : { mode }), conflict: there !== undefined };
  }

  async #link(at: Omit<Folder, 'fresh'>, there: Attributes | undefined): Promise<void> {
    const { from, to, top } = at;
    const [text, found] = await Promise.all([linkText(from), lookThrough(from)]);
    if (found === undefined || found.kind === 'link') {
      this.#leftOut.push({ path: from, why: 'dangling' });
      return;
    }
    const relative = path.relative(top.from, path.resolve(path.dirname(from), text));
    const target = text.split(path.sep).join('/');
    const inside = !path.isAbsolute(text) && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
    if (inside && there !== undefined && isLink(there) && (await this.#use(to, (session) => session.readlink(to))) === target) {
      this.#present++;
      return;
    }
    const file = found.kind === 'file' ? this.#compared(from, to, found, there) : undefined;
    if (found.kind === 'special') this.#leftOut.push({ path: from, why: 'special' });
    else if (inside && there === undefined) this.#links.push({ from, to, target, file });
    else if (file !== undefined) this.#files.push(file);
    else if (found.kind === 'directory') this.#leftOut.push({ path: from, why: there === undefined ? 'folder-link' : 'in-the-way' });
  }
}
