import type { Attributes } from './wire';

/** `special` is a device, pipe or socket; `link` is a link whose target is not there. */
export type FileKind = 'file' | 'directory' | 'special' | 'link';

/** What a path is, links followed. */
export interface FileStat {
  readonly kind: FileKind;
  /** The path itself is a symbolic link. */
  readonly link: boolean;
  /** Bytes. 0 for many files of `/proc` that do hold something. */
  readonly size: number;
  /** Milliseconds since the epoch, in whole seconds: SFTP version 3 knows no finer. */
  readonly mtimeMs: number;
  /** Type and permission bits, as in `st_mode`. */
  readonly mode: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** The login user cannot write it. */
  readonly readonly: boolean;
}

const typeMask = 0o170000;
export const permissionMask = 0o7777;
const typeBits = { fifo: 0o010000, directory: 0o040000, file: 0o100000, link: 0o120000 } as const;

const typeOf = (a: Attributes): number => (a.mode ?? 0) & typeMask;
export const isLink = (a: Attributes): boolean => typeOf(a) === typeBits.link;
export const isDirectory = (a: Attributes): boolean => typeOf(a) === typeBits.directory;
export const isRegular = (a: Attributes): boolean => typeOf(a) === typeBits.file;
export const isFifo = (a: Attributes): boolean => typeOf(a) === typeBits.fifo;

export function kindOf(a: Attributes): FileKind {
  switch (typeOf(a)) {
    case typeBits.directory:
      return 'directory';
    case typeBits.link:
      return 'link';
    // A server that tells no type tells it of everything; what cannot be listed is then a file.
    case typeBits.file:
    case 0:
      return 'file';
    default:
      return 'special';
  }
}

/** The login user, in numbers. */
export interface Identity {
  readonly uid: number;
  readonly gids: readonly number[];
}

/** By the permission bits; root may always. Without knowing who we are nothing is called locked. */
export function mayWrite(a: Attributes, who: Identity | undefined): boolean {
  if (who === undefined || who.uid === 0 || a.mode === undefined) return true;
  const bit = a.uid === who.uid ? 0o200 : a.gid !== undefined && who.gids.includes(a.gid) ? 0o020 : 0o002;
  return (a.mode & bit) !== 0;
}

/** @param itself from LSTAT. @param target from STAT; `undefined` when there is none. */
export function fileStat(itself: Attributes, target: Attributes | undefined, who: Identity | undefined): FileStat {
  const link = isLink(itself);
  const shown = link ? (target ?? itself) : itself;
  const kind = kindOf(shown);
  return {
    kind,
    link,
    size: shown.size ?? 0,
    mtimeMs: (shown.mtime ?? 0) * 1000,
    mode: shown.mode ?? 0,
    uid: shown.uid,
    gid: shown.gid,
    readonly: kind === 'file' && !mayWrite(shown, who),
  };
}
