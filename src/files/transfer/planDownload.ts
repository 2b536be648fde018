import * as path from 'node:path';
import { FileError, isStatus, Status } from '../errors';
import { isDirectory, isLink, isRegular, permissionMask } from '../kinds';
import { readNames } from '../list';
import { basename, dirname, isWithin, join, normalise } from '../names';
import { outcome, type Room } from '../room';
import type { SftpSession } from '../sftp';
import { isTempName } from '../temp';
import type { Attributes } from '../wire';
import type { LeftOut, PlannedFile, PlannedLink, TransferPlan } from './contract';
import { FolderNames, type NameRules, rulesOf } from './names';
import { inParallel } from './parallel';
import { joinLocal, linkText, lookAt, lookThrough } from './thisComputer';

export interface PlanOptions {
  readonly signal?: AbortSignal;
  /** Of this computer, unless told. */
  readonly rules?: NameRules;
  /** Entries found so far. */
  readonly onFound?: (entries: number) => void;
}

/** Folders listed at once. */
const atOnce = 8;

interface Folder {
  readonly from: string;
  readonly to: string;
  /** The source that it lies in, and what that becomes. */
  readonly top: { readonly from: string; readonly to: string };
}

interface Found {
  readonly name: string;
  readonly attributes: Attributes;
}

/** What comes of bringing files and folders of the pod into a folder of this computer. Reads both sides, changes neither. */
export async function planDownload(room: Room, sources: readonly string[], destination: string, options: PlanOptions = {}): Promise<TransferPlan> {
  return new DownloadPlan(room, path.resolve(destination), options).make(sources.map(normalise));
}

class DownloadPlan {
  readonly #folders: string[] = [];
  readonly #files: PlannedFile[] = [];
  readonly #links: PlannedLink[] = [];
  readonly #leftOut: LeftOut[] = [];
  readonly #renamed: { path: string; as: string }[] = [];
  readonly #rules: NameRules;
  #present = 0;
  #found = 0;

  constructor(
    readonly room: Room,
    readonly destination: string,
    readonly options: PlanOptions,
  ) {
    this.#rules = options.rules ?? rulesOf(process.platform);
  }

  async make(sources: readonly string[]): Promise<TransferPlan> {
    const there = await lookThrough(this.destination);
    if (there !== undefined && there.kind !== 'directory') throw new FileError('not-a-directory', this.destination);
    const names = FolderNames.onThisComputer(this.#rules);
    let level: Folder[] = [];
    for (const from of sources) {
      // What a person has named is brought, link or not.
      const attributes = await this.#use(from, (session) => session.stat(from));
      const to = this.#name(names, this.destination, from, basename(from) || 'root');
      if (isDirectory(attributes)) await this.#folder({ from, to, top: { from, to } }, level);
      else if (isFile(attributes)) await this.#file(from, to, attributes);
      else this.#leftOut.push({ path: from, why: 'special' });
    }
    while (level.length > 0) {
      const next: Folder[] = [];
      await inParallel(level, atOnce, (folder) => this.#list(folder, next));
      level = next;
    }
    return {
      direction: 'download',
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

  #name(names: FolderNames, folder: string, from: string, name: string): string {
    const as = names.take(name);
    const to = joinLocal(folder, as);
    if (as !== name) this.#renamed.push({ path: from, as: to });
    return to;
  }

  async #list(folder: Folder, next: Folder[]): Promise<void> {
    const entries = await this.#use(folder.from, (session) => readNames(this.room, session, folder.from, this.options.signal));
    // In a fixed order, so that of two names that clash the same one is kept every time.
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    this.options.onFound?.((this.#found += entries.length));
    const names = FolderNames.onThisComputer(this.#rules);
    const links: (Found & { from: string; to: string })[] = [];
    for (const entry of entries) {
      const from = join(folder.from, entry.name);
      if (isTempName(entry.name)) continue;
      const to = this.#name(names, folder.to, from, entry.name);
      if (isLink(entry.attributes) || entry.attributes.mode === undefined) links.push({ ...entry, from, to });
      else if (isDirectory(entry.attributes)) await this.#folder({ from, to, top: folder.top }, next);
      else if (isFile(entry.attributes)) await this.#file(from, to, entry.attributes);
      else this.#leftOut.push({ path: from, why: 'special' });
    }
    await inParallel(links, 64, ({ from, to }) => this.#link(folder, from, to, next));
  }

  async #folder(folder: Folder, next: Folder[]): Promise<void> {
    const there = folder.from === folder.top.from ? await lookThrough(folder.to) : await lookAt(folder.to);
    if (there !== undefined && there.kind !== 'directory') {
      this.#leftOut.push({ path: folder.from, why: 'in-the-way' });
      return;
    }
    this.#folders.push(folder.to);
    next.push(folder);
  }

  async #file(from: string, to: string, attributes: Attributes): Promise<void> {
    const file = await this.#compared(from, to, attributes);
    if (file !== undefined) this.#files.push(file);
  }

  /** `undefined` when there is nothing to do. */
  async #compared(from: string, to: string, attributes: Attributes): Promise<PlannedFile | undefined> {
    const size = attributes.size ?? 0;
    const mtimeMs = (attributes.mtime ?? 0) * 1000;
    const there = await lookAt(to);
    if (there?.kind === 'directory' || there?.kind === 'special') {
      this.#leftOut.push({ path: from, why: 'in-the-way' });
      return undefined;
    }
    if (there?.kind === 'file' && there.size === size && Math.floor(there.mtimeMs / 1000) * 1000 === mtimeMs) {
      this.#present++;
      return undefined;
    }
    return { from, to, size, mtimeMs, mode: (attributes.mode ?? 0o644) & permissionMask, conflict: there !== undefined };
  }

  async #link(folder: Folder, from: string, to: string, next: Folder[]): Promise<void> {
    const [text, found] = await this.#use(from, (session) => Promise.all([outcome(session.readlink(from)), outcome(session.stat(from))]));
    if (!found.ok) {
      if (!isStatus(found.error, Status.NoSuchFile, Status.Failure, Status.PermissionDenied)) throw found.error;
      this.#leftOut.push({ path: from, why: 'dangling' });
      return;
    }
    if (!text.ok) {
      // No link after all: a server that had not told what it is.
      if (isDirectory(found.value)) await this.#folder({ from, to, top: folder.top }, next);
      else if (isFile(found.value)) await this.#file(from, to, found.value);
      else this.#leftOut.push({ path: from, why: 'special' });
      return;
    }
    const inside = !text.value.startsWith('/') && isWithin(normalise(join(dirname(from), text.value)), folder.top.from) && !/[<>:"|?*\\]/.test(text.value);
    const file = isFile(found.value) ? await this.#compared(from, to, found.value) : undefined;
    if (inside && !this.#rules.windows && (file !== undefined || isDirectory(found.value))) {
      const there = await lookAt(to);
      if (there === undefined) this.#links.push({ from, to, target: text.value, file });
      else if (there.kind === 'link' && (await linkText(to)) === text.value) this.#present++;
      else if (file !== undefined) this.#files.push(file);
      else this.#leftOut.push({ path: from, why: 'in-the-way' });
    } else if (file !== undefined) this.#files.push(file);
    else if (isDirectory(found.value)) this.#leftOut.push({ path: from, why: 'folder-link' });
    else if (!isFile(found.value)) this.#leftOut.push({ path: from, why: 'special' });
  }
}

const isFile = (attributes: Attributes): boolean => isRegular(attributes) || attributes.mode === undefined;
