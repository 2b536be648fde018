import type { Disposable } from '../../base/disposable';
import { isCancelled, messageOf } from '../../base/errors';
import { silentLog, type Logger } from '../../base/log';
import { isFileError } from '../errors';
import { dirname, join } from '../names';
import type { Peeked } from '../peek';
import type { PodFiles } from '../pod/podFiles';
import type { StreamHost } from '../streamed';
import { Bell } from './bell';

/** What is on screen. */
export interface Wanted {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** Paths that others have made, changed or removed. */
export interface News {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly deleted: readonly string[];
  /** Folders in which more was made or removed than is named. */
  readonly crowded: readonly string[];
}

export interface WatchTimings {
  /** Between two looks, in milliseconds. */
  readonly everyMs: number;
  /** The same where the pod rings by itself. */
  readonly whenRungMs: number;
  /** Bytes a second that the reloading of a growing file may cost. */
  readonly reloadBytesPerSecond: number;
}

export const defaultWatchTimings: WatchTimings = { everyMs: 1_500, whenRungMs: 60_000, reloadBytesPerSecond: 4 * 1024 * 1024 };

interface Seen {
  readonly mtimeMs: number;
  readonly size: number;
}

/** So many names made, or removed, in one folder are told one by one: who shows it asks for the rest. */
const namedAtMost = 500;

/** SFTP tells times in whole seconds, so of a folder that changed just now the next change in the same second does not show. */
const recentMs = 600_000;
const granuleMs = 1_100;

/**
 * Notices what others change among the files and folders on screen: one burst of questions every moment, or when the pod rings.
 * Asks nothing while nothing is wanted.
 */
export class PodWatch implements Disposable {
  readonly #timings: WatchTimings;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #seen = new Map<string, Seen | 'missing'>();
  /** What the editor was told of files before they were watched. */
  readonly #told = new Map<string, Seen>();
  /** The names that the editor was told of each folder. */
  readonly #names = new Map<string, Set<string>>();
  /** Folders to be listed with each look, whatever their time says, until then. */
  readonly #again = new Map<string, number>();
  readonly #notBefore = new Map<string, number>();
  /** Changed by our own hand since this look began: what it has seen of them is no news. */
  readonly #own = new Set<string>();
  #wanted: Wanted = { files: [], folders: [] };
  #bell: Bell | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #rungMeanwhile = false;
  #resting = false;
  #disposed = false;

  constructor(
    private readonly files: Pick<PodFiles, 'peek' | 'list' | 'changed' | 'isChanging'>,
    private readonly host: StreamHost,
    private readonly onNews: (news: News) => void,
    options: { readonly log?: Logger; readonly timings?: Partial<WatchTimings>; readonly now?: () => number } = {},
  ) {
    this.#log = options.log ?? silentLog;
    this.#timings = { ...defaultWatchTimings, ...options.timings };
    this.#now = options.now ?? Date.now;
  }

  /** What is to be watched from now on; nothing rests. */
  want(wanted: Wanted): void {
    if (this.#disposed || same(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    const all = new Set([...wanted.files, ...wanted.folders]);
    for (const path of this.#seen.keys()) if (!all.has(path)) this.#seen.delete(path);
    for (const path of this.#again.keys()) if (!all.has(path)) this.#again.delete(path);
    for (const path of this.#notBefore.keys()) if (!all.has(path)) this.#notBefore.delete(path);
    this.#go();
  }

  /** Nobody looks: nothing is asked until somebody does, and then at once what has changed since. */
  rest(resting: boolean): void {
    if (resting === this.#resting) return;
    this.#resting = resting;
    this.#go();
  }

  #go(): void {
    if (this.#disposed) return;
    const { files, folders } = this.#resting ? nothing : this.#wanted;
    const around = [...new Set([...folders, ...files.map(dirname)])].sort();
    if (around.join('\0') !== (this.#bell?.folders ?? []).join('\0')) {
      this.#bell?.dispose();
      this.#bell = around.length === 0 ? undefined : new Bell(this.host, around, () => this.#look(), this.#log);
    }
    clearTimeout(this.#timer);
    this.#look();
  }

  /** The editor has been told this of a file. */
  saw(path: string, { mtimeMs, size }: Seen): void {
    this.#told.delete(path);
    this.#told.set(path, { mtimeMs, size });
    if (this.#told.size > 500) this.#told.delete(this.#told.keys().next().value ?? '');
  }

  /** The editor has been told these names of a folder. */
  listed(folder: string, names: Iterable<string>): void {
    this.#names.set(folder, new Set(names));
    this.#seen.delete(folder);
    if (this.#names.size > 200) this.#names.delete(this.#names.keys().next().value ?? '');
  }

  /** Changed by our own hand: no news. */
  own(path: string, how: 'created' | 'changed' | 'deleted'): void {
    this.#seen.delete(path);
    this.#told.delete(path);
    this.#own.add(path);
    if (how === 'changed') return;
    const folder = dirname(path);
    const names = this.#names.get(folder);
    if (names === undefined) return;
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (how === 'created') names.add(name);
    else names.delete(name);
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    this.#bell?.dispose();
  }

  #look(): void {
    if (this.#disposed || this.#isIdle()) return;
    if (this.#looking !== undefined) {
      this.#rungMeanwhile = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#looking = this.#ask()
      .catch((error: unknown) => {
        // Without a connection there is nothing to see; the next look tries again.
        if (!isCancelled(error)) this.#log.debug(`Watching: ${messageOf(error)}`);
      })
      .finally(() => {
        this.#looking = undefined;
        if (this.#disposed || this.#isIdle()) return;
        const soon = this.#rungMeanwhile ? 100 : this.#bell?.ready === true && this.#again.size === 0 && this.#notBefore.size === 0 ? this.#timings.whenRungMs : this.#timings.everyMs;
        this.#rungMeanwhile = false;
        this.#timer = setTimeout(() => this.#look(), soon);
      });
  }

  #isIdle(): boolean {
    return this.#resting || this.#wanted.files.length + this.#wanted.folders.length === 0;
  }

  async #ask(): Promise<void> {
    const { files, folders } = this.#wanted;
    const paths = [...files, ...folders];
    this.#own.clear();
    const found = await this.files.peek(paths);
    // Nobody looks any more: what has changed is told by the first look when somebody does.
    if (this.#resting) return;
    const news: Found = { created: [], changed: [], deleted: [], crowded: [] };
    files.forEach((path, i) => this.#judgeFile(path, found[i], news));
    const listings = folders.filter((folder, i) => this.#isToList(folder, found[files.length + i]));
    await Promise.all(listings.map((folder) => this.#compare(folder, news)));
    if (this.#disposed || news.created.length + news.changed.length + news.deleted.length === 0) return;
    if (news.crowded.length > 0) this.files.changed();
    else for (const path of [...news.changed, ...news.created, ...news.deleted]) this.files.changed(path);
    this.onNews(news);
  }

  #judgeFile(path: string, found: Peeked | undefined, news: Found): void {
    if (found === undefined || found === 'unknown' || this.#isOurs(path)) return;
    const before = this.#seen.get(path) ?? this.#told.get(path);
    this.#told.delete(path);
    const now = found === 'missing' ? found : { mtimeMs: found.mtimeMs, size: found.size };
    if (before === undefined || isSame(before, now)) {
      this.#seen.set(path, now);
      return;
    }
    if (now === 'missing') news.deleted.push(path);
    else if (before === 'missing') news.created.push(path);
    else {
      // Each piece of news makes the editor read the whole file: a big log that grows all the time is told of less often.
      const wait = (this.#notBefore.get(path) ?? 0) - this.#now();
      if (wait > 0) return;
      this.#notBefore.delete(path);
      const costMs = (now.size / this.#timings.reloadBytesPerSecond) * 1000;
      if (costMs > this.#timings.everyMs) this.#notBefore.set(path, this.#now() + costMs);
      news.changed.push(path);
    }
    this.#seen.set(path, now);
  }

  /** Whether the names in a folder may be others than before. */
  #isToList(folder: string, found: Peeked | undefined): boolean {
    if (typeof found !== 'object' || !this.#names.has(folder)) return false;
    const before = this.#seen.get(folder);
    const now = { mtimeMs: found.mtimeMs, size: found.size };
    this.#seen.set(folder, now);
    const again = this.#again.get(folder);
    const changed = before === undefined ? Math.abs(this.#now() - now.mtimeMs) < recentMs : !isSame(before, now);
    if (changed) this.#again.set(folder, this.#now() + granuleMs);
    else if (again !== undefined && again < this.#now()) this.#again.delete(folder);
    return changed || again !== undefined;
  }

  #isOurs(path: string): boolean {
    return this.#own.has(path) || this.files.isChanging(path);
  }

  async #compare(folder: string, news: Found): Promise<void> {
    try {
      const names = new Set((await this.files.list(folder)).map(({ name }) => name));
      const before = this.#names.get(folder);
      if (before === undefined) return;
      const others = (name: string): boolean => !this.#isOurs(join(folder, name));
      const made = [...names].filter((name) => !before.has(name) && others(name));
      const gone = [...before].filter((name) => !names.has(name) && others(name));
      for (const name of made.slice(0, namedAtMost)) news.created.push(join(folder, name));
      for (const name of gone.slice(0, namedAtMost)) news.deleted.push(join(folder, name));
      if (Math.max(made.length, gone.length) > namedAtMost) news.crowded.push(folder);
      for (const name of made) before.add(name);
      for (const name of gone) before.delete(name);
    } catch (error) {
      if (!isFileError(error, 'not-found', 'not-a-directory', 'no-permission')) throw error;
    }
  }
}

type Found = { -readonly [K in keyof News]: string[] };

const nothing: Wanted = { files: [], folders: [] };
const isSame = (a: Seen | 'missing', b: Seen | 'missing'): boolean => (a === 'missing' || b === 'missing' ? a === b : a.mtimeMs === b.mtimeMs && a.size === b.size);
const same = (a: Wanted, b: Wanted): boolean => a.files.join('\0') === b.files.join('\0') && a.folders.join('\0') === b.folders.join('\0');
