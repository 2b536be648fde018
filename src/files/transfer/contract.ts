import type { FileError } from '../errors';

/** How far a transfer is, for a person to look at. */
export interface TransferProgress {
  /** `waiting`: the link is down and is waited for. */
  readonly phase: 'moving' | 'checking' | 'waiting';
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
  /** The file that was last worked on: its path on the side it comes from. */
  readonly current: string;
}

/**
 * Why something does not come along.
 * - `special`: a device, pipe or socket. `dangling`: a link to nowhere, or in a circle.
 * - `folder-link`: a link to a folder that cannot be made on the other side, or leads out of what is moved.
 * - `in-the-way`: the other side has a folder where a file goes, or the other way round.
 * - `kept`: the other side has a file of that name, which was to be kept.
 */
export type LeftOutWhy = 'special' | 'dangling' | 'folder-link' | 'in-the-way' | 'kept';

export interface LeftOut {
  readonly path: string;
  readonly why: LeftOutWhy;
}

export interface PlannedFile {
  readonly from: string;
  readonly to: string;
  readonly size: number;
  /** Milliseconds since 1970; whole seconds when it comes from a pod. */
  readonly mtimeMs: number;
  /** Permission bits; absent where the source has none worth keeping (Windows). */
  readonly mode?: number;
  /** A file is there under that name, and it is another one. */
  readonly conflict: boolean;
  /** What that was when it was decided that it may be replaced; replaced unseen when absent. A pod's time counts in whole seconds. */
  readonly replaces?: { readonly size: number; readonly mtimeMs: number };
}

export interface PlannedLink {
  readonly from: string;
  readonly to: string;
  /** As it is to be written into the link: relative, and within what is moved. */
  readonly target: string;
  /** The file to bring instead where the other side cannot make links. */
  readonly file: PlannedFile | undefined;
}

/** What a transfer will do. Making one changes nothing on either side. */
export interface TransferPlan {
  readonly direction: 'upload' | 'download';
  readonly destination: string;
  /** Folders to be made where missing, each after the one it lies in. */
  readonly folders: readonly string[];
  readonly files: readonly PlannedFile[];
  readonly links: readonly PlannedLink[];
  /** Bytes of `files`. */
  readonly bytes: number;
  /** Files that are there already: same size, same time. */
  readonly present: number;
  readonly leftOut: readonly LeftOut[];
  /** Names that the other side cannot hold, and what they become. */
  readonly renamed: readonly { readonly path: string; readonly as: string }[];
}

export interface TransferOptions {
  /** What becomes of files of the same name on the other side; `keep` unless told. */
  readonly conflicts?: 'overwrite' | 'keep';
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds without one byte moved after which a link that is down is given up. Ten minutes unless told. */
  readonly patienceMs?: number;
}

export interface TransferResult {
  readonly files: number;
  readonly links: number;
  readonly bytes: number;
  readonly present: number;
  readonly leftOut: readonly LeftOut[];
  readonly renamed: TransferPlan['renamed'];
  /** Single files that could not be moved; the others were. */
  readonly failed: readonly { readonly path: string; readonly error: FileError | LocalFileError }[];
  /** `hash`: size and SHA-256 of every file agree. `size`: the pod has no shell or no `sha256sum`, so only sizes do. */
  readonly verified: 'hash' | 'size';
}

export type LocalFileErrorCode = 'not-found' | 'no-permission' | 'no-space' | 'in-use' | 'exists' | 'changed' | 'bad-name' | 'failure';

/** Why something on this computer did not work. */
export class LocalFileError extends Error {
  override readonly name = 'LocalFileError';
  constructor(
    readonly code: LocalFileErrorCode,
    readonly path: string,
    readonly detail = '',
    options?: { cause?: unknown },
  ) {
    super(`${path}: ${code}${detail === '' ? '' : ` (${detail})`}`, options);
  }
}

const codes: Readonly<Record<string, LocalFileErrorCode>> = {
  ENOENT: 'not-found',
  EACCES: 'no-permission',
  EPERM: 'no-permission',
  EROFS: 'no-permission',
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EBUSY: 'in-use',
  EEXIST: 'exists',
  ENAMETOOLONG: 'bad-name',
  EILSEQ: 'bad-name',
  EINVAL: 'bad-name',
};

/** The system's error in our words; anything else passes unchanged. */
export function localError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error ? error.code : undefined;
  if (code === undefined || !(error instanceof Error)) return error;
  return new LocalFileError(codes[code] ?? 'failure', path, error.message, { cause: error });
}
