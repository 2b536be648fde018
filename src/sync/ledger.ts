import * as z from 'zod';

/** How many versions of a file are remembered: other pods may still have an older one. */
const VERSIONS = 8;

const entrySchema = z.object({
  /** Local time of change of the version sent last, in ms, as exact as the local system tells it. */
  exact: z.number(),
  /** Versions sent to any pod, latest last: `<size>:<whole seconds>`, which is all that a pod keeps. */
  versions: z.array(z.string()),
  /** A local version and a pod's that were found to have the same content under different times. */
  same: z.object({ local: z.string(), remote: z.string() }).optional(),
});
const dataSchema = z.object({ version: z.literal(1), files: z.record(z.string(), entrySchema) });
type Entry = z.infer<typeof entrySchema>;

/** What a file is known by on both sides. */
export interface FileMark {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * What was sent from a local folder. It tells a file on a pod that we put there, and may replace, from one that somebody
 * changed there; and a local file changed twice within a second from one that did not change.
 */
export class Ledger {
  readonly #files: Map<string, Entry>;

  /** @param saved what `toJSON` gave once; anything else counts as nothing. */
  constructor(saved?: unknown) {
    const parsed = dataSchema.safeParse(saved);
    this.#files = new Map(parsed.success ? Object.entries(parsed.data.files) : []);
  }

  /** Whether what a pod has under this name was put there by us. */
  isOurs(path: string, remote: FileMark): boolean {
    return this.#files.get(path)?.versions.includes(version(remote)) ?? false;
  }

  /** Whether the local file changed again within the very second of the version sent last, which a pod's times cannot show. */
  changedWithinTheSecond(path: string, local: FileMark): boolean {
    const entry = this.#files.get(path);
    return entry !== undefined && entry.versions.at(-1) === version(local) && entry.exact !== local.mtimeMs;
  }

  /** Whether these two versions were once found to have the same content. */
  isSame(path: string, local: FileMark, remote: FileMark): boolean {
    const same = this.#files.get(path)?.same;
    return same?.local === version(local) && same.remote === version(remote);
  }

  /** The two have the same content, so the pod's counts as ours. */
  foundSame(path: string, local: FileMark, remote: FileMark): void {
    const entry = this.#files.get(path);
    const versions = [...(entry?.versions ?? []).filter((v) => v !== version(remote)), version(remote)].slice(-VERSIONS);
    this.#files.set(path, { exact: entry?.exact ?? local.mtimeMs, versions, same: { local: version(local), remote: version(remote) } });
  }

  sent(path: string, local: FileMark): void {
    const older = this.#files.get(path)?.versions.filter((v) => v !== version(local)) ?? [];
    this.#files.set(path, { exact: local.mtimeMs, versions: [...older, version(local)].slice(-VERSIONS) });
  }

  toJSON(): z.infer<typeof dataSchema> {
    return { version: 1, files: Object.fromEntries(this.#files) };
  }
}

const version = (mark: FileMark): string => `${mark.size}:${wholeSeconds(mark.mtimeMs)}`;

/** The second a time lies in, as tar writes it. */
export const wholeSeconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000));
