import { type FileError, isFileError } from '../errors';
import { type LeftOut, LocalFileError, type PlannedFile, type TransferOptions, type TransferPlan, type TransferResult } from './contract';

/** What has been done so far, told to whoever looks at it. */
export class Tally {
  files = 0;
  links = 0;
  bytes = 0;
  /** Grows only: what counts as being alive, though a file may have to begin anew. */
  heard = 0;
  current = '';
  hashed = true;
  readonly failed: { path: string; error: FileError | LocalFileError }[] = [];
  #phase: 'moving' | 'checking' = 'moving';
  #waiting = false;

  constructor(
    readonly plan: TransferPlan,
    readonly options: TransferOptions,
  ) {}

  /** Files of the same name on the other side are replaced. */
  get overwrite(): boolean {
    return this.options.conflicts === 'overwrite';
  }

  /** What the plan says and the choice about conflicts allows. */
  wanted(): PlannedFile[] {
    return this.plan.files.filter(({ conflict }) => !conflict || this.overwrite);
  }

  result(): TransferResult {
    const { present, leftOut, renamed, files } = this.plan;
    const kept: LeftOut[] = this.overwrite ? [] : files.filter(({ conflict }) => conflict).map(({ from }) => ({ path: from, why: 'kept' }));
    return {
      files: this.files,
      links: this.links,
      bytes: this.bytes,
      present,
      leftOut: [...leftOut, ...kept],
      renamed,
      failed: this.failed,
      verified: this.hashed ? 'hash' : 'size',
    };
  }

  phase(phase: 'moving' | 'checking'): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.tell();
  }

  /** Whether the link is down. */
  waiting(waiting: boolean): void {
    if (waiting === this.#waiting) return;
    this.#waiting = waiting;
    this.tell();
  }

  moved(bytes: number, file: PlannedFile): void {
    this.bytes += bytes;
    this.heard += bytes;
    this.current = file.from;
    this.tell();
  }

  /** Bytes that were moved in vain, or are there from an earlier time. */
  correct(bytes: number): void {
    this.bytes += bytes;
  }

  /** Takes note of what concerns one file alone; anything else ends the whole transfer. */
  fail(file: PlannedFile, error: unknown): void {
    const alone =
      isFileError(error, 'not-found', 'no-permission', 'not-a-directory', 'is-a-directory', 'exists', 'unsupported') ||
      (error instanceof LocalFileError && error.code !== 'no-space');
    if (!alone) throw error;
    this.failed.push({ path: file.from, error });
  }

  tell(): void {
    this.options.onProgress?.({
      phase: this.#waiting ? 'waiting' : this.#phase,
      files: this.files + this.links,
      totalFiles: this.plan.files.length + this.plan.links.length,
      bytes: this.bytes,
      totalBytes: this.plan.bytes,
      current: this.current,
    });
  }
}

/** From so many bytes on, a file goes over several channels, alone, and is picked up where it stopped. */
export const bigFile = 16 * 1024 * 1024;
const smallFile = 256 * 1024;

/** Files that are moved, checked and placed together: one command checks them all. */
export interface Batch {
  readonly files: readonly PlannedFile[];
  /** Files at once, and requests at once for each of them. */
  readonly atOnce: number;
  readonly requests: number;
}

/** Small files many at once, middling ones a few, big ones alone; the memory in use is bounded either way. */
export function batches(files: readonly PlannedFile[]): Batch[] {
  const out: Batch[] = [];
  const group = (fits: (size: number) => boolean, atOnce: number, requests: number, maxBytes: number): void => {
    let batch: PlannedFile[] = [];
    let bytes = 0;
    const flush = (): void => {
      if (batch.length > 0) out.push({ files: batch, atOnce, requests });
      batch = [];
      bytes = 0;
    };
    for (const file of files) {
      if (!fits(file.size)) continue;
      if (batch.length >= 256 || bytes + file.size > maxBytes) flush();
      batch.push(file);
      bytes += file.size;
    }
    flush();
  };
  group((size) => size <= smallFile, 48, 1, 64 * 1024 * 1024);
  group((size) => size > smallFile && size < bigFile, 4, 6, 64 * 1024 * 1024);
  group((size) => size >= bigFile, 1, 16, 0);
  return out;
}
