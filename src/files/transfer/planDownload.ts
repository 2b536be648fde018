import * as path from 'node:path';
import { FileError, isStatus, Status } from '../errors';
import { isDirectory, isLink, isRegular, permissionMask } from '../kinds';
import { readNames } from '../list';
import { basename, dirname, isWithin, join, normalise } from '../names';
import { outcome, type Room } from '../room';
import { isTempName } from '../temp';
import type { Attributes } from '../wire';
import type { PlannedFile, TransferPlan } from './contract';
import { FolderNames, type NameRules, rulesOf } from './names';
import { inParallel } from './parallel';
import { Planning, type PlanOptions } from './plan';
import { joinLocal, linkText, lookAt, lookThrough } from './thisComputer';

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
  return new DownloadPlan(room, path.resolve(destination), options).plan(sources.map(normalise));
}

class DownloadPlan extends Planning<Folder> {
  readonly #rules: NameRules;

  constructor(room: Room, destination: string, options: PlanOptions) {
    super(room, 'download', destination, options);
    this.#rules = options.rules ?? rulesOf(process.platform);
  }

  async plan(sources: readonly string[]): Promise<TransferPlan> {
    const there = await lookThrough(this.destination);
    if (there !== undefined && there.kind !== 'directory') throw new FileError('not-a-directory', this.destination);
    const names = FolderNames.onThisComputer(this.#rules);
    for (const from of sources) {
      // What a person has named is brought, link or not.
      const attributes = await this.use(from, (session) => session.stat(from));
      const to = this.nameIn(this.destination, names, from, basename(from) || 'root');
      if (isDirectory(attributes)) await this.#folder({ from, to, top: { from, to } });
      else if (isFile(attributes)) await this.#file(from, to, attributes);
      else this.leaveOut(from, 'special');
    }
    return this.finished();
  }

  protected joined(folder: string, name: string): string {
    return joinLocal(folder, name);
  }

  protected async list(folder: Folder): Promise<void> {
    const entries = await this.use(folder.from, (session) => readNames(this.room, session, folder.from, this.options.signal));
    // In a fixed order, so that of two names that clash the same one is kept every time.
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    this.found(entries.length);
    const names = FolderNames.onThisComputer(this.#rules);
    const links: (Found & { from: string; to: string })[] = [];
    for (const entry of entries) {
      const from = join(folder.from, entry.name);
      if (isTempName(entry.name)) continue;
      const to = this.nameIn(folder.to, names, from, entry.name);
      if (isLink(entry.attributes) || entry.attributes.mode === undefined) links.push({ ...entry, from, to });
      else if (isDirectory(entry.attributes)) await this.#folder({ from, to, top: folder.top });
      else if (isFile(entry.attributes)) await this.#file(from, to, entry.attributes);
      else this.leaveOut(from, 'special');
    }
    await inParallel(links, 64, ({ from, to }) => this.#link(folder, from, to));
  }

  async #folder(folder: Folder): Promise<void> {
    const there = folder.from === folder.top.from ? await lookThrough(folder.to) : await lookAt(folder.to);
    if (there !== undefined && there.kind !== 'directory') {
      this.leaveOut(folder.from, 'in-the-way');
      return;
    }
    this.make(folder.to);
    this.enter(folder);
  }

  async #file(from: string, to: string, attributes: Attributes): Promise<void> {
    const file = await this.#compared(from, to, attributes);
    if (file !== undefined) this.bring(file);
  }

  /** `undefined` when there is nothing to do. */
  async #compared(from: string, to: string, attributes: Attributes): Promise<PlannedFile | undefined> {
    const size = attributes.size ?? 0;
    const mtimeMs = (attributes.mtime ?? 0) * 1000;
    const there = await lookAt(to);
    if (there?.kind === 'directory' || there?.kind === 'special') {
      this.leaveOut(from, 'in-the-way');
      return undefined;
    }
    if (there?.kind === 'file' && there.size === size && Math.floor(there.mtimeMs / 1000) * 1000 === mtimeMs) {
      this.isThere();
      return undefined;
    }
    return { from, to, size, mtimeMs, mode: (attributes.mode ?? 0o644) & permissionMask, conflict: there !== undefined };
  }

  async #link(folder: Folder, from: string, to: string): Promise<void> {
    const [text, found] = await this.use(from, (session) => Promise.all([outcome(session.readlink(from)), outcome(session.stat(from))]));
    if (!found.ok) {
      if (!isStatus(found.error, Status.NoSuchFile, Status.Failure, Status.PermissionDenied)) throw found.error;
      this.leaveOut(from, 'dangling');
      return;
    }
    if (!text.ok) {
      // No link after all: a server that had not told what it is.
      if (isDirectory(found.value)) await this.#folder({ from, to, top: folder.top });
      else if (isFile(found.value)) await this.#file(from, to, found.value);
      else this.leaveOut(from, 'special');
      return;
    }
    const inside = !text.value.startsWith('/') && climbsFirst(text.value) && isWithin(normalise(join(dirname(from), text.value)), folder.top.from) && !/[<>:"|?*\\]/.test(text.value);
    const file = isFile(found.value) ? await this.#compared(from, to, found.value) : undefined;
    if (inside && !this.#rules.windows && (file !== undefined || isDirectory(found.value))) {
      const there = await lookAt(to);
      if (there === undefined) this.link({ from, to, target: text.value, file });
      else if (there.kind === 'link' && (await linkText(to)) === text.value) this.isThere();
      else if (file !== undefined) this.bring(file);
      else this.leaveOut(from, 'in-the-way');
    } else if (file !== undefined) this.bring(file);
    else if (isDirectory(found.value)) this.leaveOut(from, 'folder-link');
    else if (!isFile(found.value)) this.leaveOut(from, 'special');
  }
}

const isFile = (attributes: Attributes): boolean => isRegular(attributes) || attributes.mode === undefined;

/** `..` stands in front only: behind another name it would be the parent of wherever a link of that name leads. */
const climbsFirst = (target: string): boolean => !/^(?:\.{1,2}\/+)*(?!\.{1,2}(?:\/|$))[^/]+\/(?:.*\/)?\.\.(?:\/|$)/.test(target);
