import * as z from 'zod';
import { wholeSeconds } from './seconds';

/** How many versions of a file are remembered: other pods may still have an older one. */
const VERSIONS = 8;

const entrySchema = z.object({
  /** Local time of change of the version that both sides had last, in ms, as exact as the local system tells it. */
  exact: z.number(),
  /** Versions that any pod had from us or we from it, latest last: `<size>:<whole seconds>`, which is all that a pod keeps. */
  versions: z.array(z.string()),
  /** Permission bits that both sides had last. */
  mode: z.number().optional(),
  /** A local version and a pod's that were found to have the same content under different times. */
  same: z.object({ local: z.string(), remote: z.string() }).optional(),
  /** A version that was on its way when somebody last looked; the pod may have it. */
  offered: z.object({ version: z.string(), exact: z.number() }).optional(),
});
const dataSchema = z.object({ version: z.literal(1), files: z.record(z.string(), entrySchema) });
type Entry = z.infer<typeof entrySchema>;

/** What a file is known by on both sides. */
export interface FileMark {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * What a local folder and its pods had in common. It tells a file on a pod that we put there, and may replace, from one that
 * somebody changed there; a local file that was changed since from one that was not; and one changed twice within a second
 * from one that did not change.
 */
export class Ledger {
  readonly #files: Map<string, Entry>;

  /** @param saved what `toJSON` gave once; anything else counts as nothing. */
  constructor(saved?: unknown) {
    const parsed = dataSchema.safeParse(saved);
    this.#files = new Map(parsed.success ? Object.entries(parsed.data.files) : []);
  }

  /** Every file that both sides had once. */
  get paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** Whether what a pod has under this name is a version that both sides had. */
  isOurs(path: string, remote: FileMark): boolean {
    const entry = this.#files.get(path);
    return entry !== undefined && (entry.versions.includes(version(remote)) || entry.offered?.version === version(remote));
  }

  /** Whether the local file is still the version that both sides had last. */
  isUntouched(path: string, local: FileMark): boolean {
    const entry = this.#files.get(path);
    return entry !== undefined && entry.exact === local.mtimeMs && (entry.versions.at(-1) === version(local) || entry.same?.local === version(local));
  }

  /** Whether the local file changed again within the very second of the version sent last, which a pod's times cannot show. */
  changedWithinTheSecond(path: string, local: FileMark): boolean {
    const entry = this.#files.get(path);
    if (entry?.offered?.version === version(local)) return entry.offered.exact !== local.mtimeMs;
    return entry !== undefined && entry.versions.at(-1) === version(local) && entry.exact !== local.mtimeMs;
  }

  /** Whether these two versions were once found to have the same content. */
  isSame(path: string, local: FileMark, remote: FileMark): boolean {
    const entry = this.#files.get(path);
    return entry?.same?.local === version(local) && entry.same.remote === version(remote) && entry.exact === local.mtimeMs;
  }

  /** Permission bits that both sides had last; undefined when nobody knows. */
  modeOf(path: string): number | undefined {
    return this.#files.get(path)?.mode;
  }

  /** The two have the same content, so the pod's counts as ours. */
  foundSame(path: string, local: FileMark, remote: FileMark): void {
    const entry = this.#files.get(path);
    this.#files.set(path, { ...entry, exact: local.mtimeMs, versions: withLast(entry, version(remote)), same: { local: version(local), remote: version(remote) } });
  }

  /** Both sides have this version now. */
  sent(path: string, local: FileMark, mode?: number): void {
    const bits = mode ?? this.#files.get(path)?.mode;
    this.#files.set(path, { exact: local.mtimeMs, versions: withLast(this.#files.get(path), version(local)), ...(bits === undefined ? {} : { mode: bits }) });
  }

  /** This version goes to the pod now. Whether it arrives, only `sent` or the pod itself will tell; if it does, it is ours. */
  offer(path: string, local: FileMark): void {
    const { versions, ...entry } = this.#files.get(path) ?? { exact: -1, versions: [] };
    // What was on its way before may be there as well.
    const before = entry.offered === undefined ? [] : [entry.offered.version];
    this.#files.set(path, { ...entry, versions: [...before.filter((one) => !versions.includes(one)), ...versions], offered: { version: version(local), exact: local.mtimeMs } });
  }

  /** The pod has the local version. Where that was on its way when somebody last looked, it has arrived. */
  arrived(path: string, local: FileMark): void {
    if (this.#files.get(path)?.offered?.version === version(local)) this.sent(path, local);
  }

  /** A pod's version was looked at and is kept elsewhere, so replacing it loses nothing. The local file counts as changed. */
  seen(path: string, remote: FileMark): void {
    this.#files.set(path, { exact: -1, versions: withLast(this.#files.get(path), version(remote)) });
  }

  agreedMode(path: string, mode: number): void {
    const entry = this.#files.get(path);
    if (entry !== undefined) this.#files.set(path, { ...entry, mode });
  }

  forget(path: string): void {
    this.#files.delete(path);
  }

  toJSON(): z.infer<typeof dataSchema> {
    return { version: 1, files: Object.fromEntries(this.#files) };
  }
}

const version = (mark: FileMark): string => `${mark.size}:${wholeSeconds(mark.mtimeMs)}`;
const withLast = (entry: Entry | undefined, last: string): string[] => [...(entry?.versions ?? []).filter((one) => one !== last), last].slice(-VERSIONS);
