import { inParallel } from './parallel';
import type { Room } from '../room';
import type { SftpSession } from '../sftp';
import type { LeftOut, LeftOutWhy, PlannedFile, PlannedLink, TransferPlan } from './contract';
import type { FolderNames, NameRules } from './names';

export interface PlanOptions {
  readonly signal?: AbortSignal;
  /** Of this computer, unless told. */
  readonly rules?: NameRules;
  /** Entries found so far. */
  readonly onFound?: (entries: number) => void;
}

/** Folders listed at once. */
const atOnce = 8;

/** A plan in the making, folder by folder from the top down. */
export abstract class Planning<Folder> {
  readonly #folders: string[] = [];
  readonly #files: PlannedFile[] = [];
  readonly #links: PlannedLink[] = [];
  readonly #leftOut: LeftOut[] = [];
  readonly #renamed: { path: string; as: string }[] = [];
  #present = 0;
  #found = 0;
  #next: Folder[] = [];

  protected constructor(
    readonly room: Room,
    readonly direction: TransferPlan['direction'],
    readonly destination: string,
    readonly options: PlanOptions,
  ) {}

  /** Plans what one folder holds. */
  protected abstract list(folder: Folder): Promise<void>;
  /** A path on the side that things are brought to. */
  protected abstract joined(folder: string, name: string): string;

  protected use<T>(at: string, work: (session: SftpSession) => Promise<T>): Promise<T> {
    return this.room.sessions.use(at, true, work, this.options.signal);
  }

  protected found(entries: number): void {
    this.options.onFound?.((this.#found += entries));
  }

  /** Where `name` goes in `folder`: under its own name, or one that the other side can hold. */
  protected nameIn(folder: string, names: FolderNames, from: string, name: string): string {
    const as = names.take(name);
    const to = this.joined(folder, as);
    if (as !== name) this.#renamed.push({ path: from, as: to });
    return to;
  }

  /** A folder that is missing on the other side. */
  protected make(folder: string): void {
    this.#folders.push(folder);
  }

  /** A folder whose content comes along. */
  protected enter(folder: Folder): void {
    this.#next.push(folder);
  }

  protected bring(file: PlannedFile): void {
    this.#files.push(file);
  }

  protected link(link: PlannedLink): void {
    this.#links.push(link);
  }

  protected leaveOut(path: string, why: LeftOutWhy): void {
    this.#leftOut.push({ path, why });
  }

  /** It is there already. */
  protected isThere(): void {
    this.#present++;
  }

  protected async finished(): Promise<TransferPlan> {
    while (this.#next.length > 0) {
      const level = this.#next;
      this.#next = [];
      await inParallel(level, atOnce, (folder) => this.list(folder));
    }
    return {
      direction: this.direction,
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
}
