import { createHash } from 'node:crypto';
import { workspace, type Disposable, type Uri } from 'vscode';
import type { FileStat } from '../../files/kinds';

/** What the editor has of a file, whatever is typed since. */
interface Base {
  readonly hash: string;
  readonly length: number;
  /** As the pod told it of this content; unknown right after a save. */
  mtimeMs: number | undefined;
}

interface Known {
  base: Base;
  /** Read while the document was being edited: its base from when it is clean again. */
  later?: Base | undefined;
}

const mostFiles = 300;
/** Larger files are compared by size and time only. */
export const mostCompared = 20_000_000;

/**
 * Sees to it that the editor asks before it saves over another's change. By itself it does so only when the file's time is later
 * and its size another: an edit of the same length, one within the second of its own, and a file put back with its old time, are
 * written over. So the content decides where size and time leave a doubt, and such a file is told with a time and size that
 * the editor takes for a change.
 */
export class Bases implements Disposable {
  readonly #known = new Map<string, Known>();
  /** Times as the pod told them last. */
  readonly #seen = new Map<string, number>();
  /** The latest time that the editor was told of a file: what it takes for a change must be later. */
  readonly #latest = new Map<string, number>();
  // A document that is closed and opened again is read again; what is known of it stays, for its end may be told late.
  readonly #subscription = workspace.onDidChangeTextDocument(({ document }) => this.#settle(document.uri, document.isDirty));

  dispose(): void {
    this.#subscription.dispose();
  }

  /** The editor has been given this content. */
  read(uri: Uri, content: Uint8Array): void {
    const key = uri.toString();
    const base = baseOf(content, this.#seen.get(key));
    const known = this.#known.get(key);
    if (base !== undefined && known !== undefined && isEdited(uri)) known.later = base;
    else this.#keep(key, base);
  }

  /** The editor's own content is in place. */
  wrote(uri: Uri, content: Uint8Array): void {
    this.#keep(uri.toString(), baseOf(content, undefined));
  }

  /** What the editor is to be told of the file. @param content of now, for when there is a doubt */
  async told(uri: Uri, stat: FileStat, content: () => Promise<Uint8Array>): Promise<FileStat> {
    const told = await this.#judged(uri, stat, content);
    const key = uri.toString();
    remember(this.#latest, key, Math.max(told.mtimeMs, this.#latest.get(key) ?? 0));
    return told;
  }

  async #judged(uri: Uri, stat: FileStat, content: () => Promise<Uint8Array>): Promise<FileStat> {
    const key = uri.toString();
    remember(this.#seen, key, stat.mtimeMs);
    const known = this.#known.get(key);
    if (known === undefined) return stat;
    const edited = isEdited(uri);
    this.#settle(uri, edited);
    const { base } = known;
    const isNew = base.mtimeMs === undefined && stat.size === base.length;
    if (isNew || !edited) {
      base.mtimeMs = stat.mtimeMs;
      return stat;
    }
    if (stat.size === base.length && (stat.mtimeMs === base.mtimeMs || baseOf(await content(), undefined)?.hash === base.hash)) return stat;
    return { ...stat, mtimeMs: Math.max(stat.mtimeMs, (this.#latest.get(key) ?? 0) + 1), size: stat.size === base.length ? stat.size + 1 : stat.size };
  }

  #settle(uri: Uri, edited: boolean): void {
    const known = this.#known.get(uri.toString());
    if (known?.later === undefined || edited) return;
    known.base = known.later;
    known.later = undefined;
  }

  #keep(key: string, base: Base | undefined): void {
    if (base === undefined) this.#known.delete(key);
    else remember(this.#known, key, { base });
  }
}

const baseOf = (content: Uint8Array, mtimeMs: number | undefined): Base | undefined =>
  content.length > mostCompared ? undefined : { hash: createHash('sha1').update(content).digest('base64'), length: content.length, mtimeMs };

function isEdited(uri: Uri): boolean {
  const key = uri.toString();
  return [...workspace.textDocuments, ...workspace.notebookDocuments].some((document) => document.isDirty && document.uri.toString() === key);
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > mostFiles) map.delete(map.keys().next().value ?? '');
}
