export interface TarFile {
  /** One that `fitsHeader`. */
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  /** Whole seconds since 1970; earlier times become 0. */
  readonly mtime: number;
}

export const TAR_BLOCK = 512;
/** What ends an archive. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * TAR_BLOCK);
/** Zeros behind a file's bytes, up to the next block. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK);

/** Bytes of a header's two fields for the name; one of each stays a NUL, for tars that look for it. */
const NAME = 99;
const PREFIX = 154;

/** Whether a header can hold a file's name without extensions: 99 bytes of UTF-8, or up to 154 more before one of its slashes. */
export const fitsHeader = (name: string): boolean => name !== '' && parts(Buffer.from(name)) !== undefined;

/** The name's end, and its beginning where it is too long for one field. */
function parts(name: Buffer): readonly [name: Buffer, prefix: Buffer] | undefined {
  if (name.length <= NAME) return [name, Buffer.alloc(0)];
  const cut = name.indexOf('/', name.length - NAME - 1);
  return cut <= 0 || cut > PREFIX || cut === name.length - 1 ? undefined : [name.subarray(cut + 1), name.subarray(0, cut)];
}

/**
 * A header block for a regular file in POSIX ustar form, the one form that every tar reads alike (BusyBox ignores the
 * extensions that carry long names, so names are kept short by the caller). Sizes from 8 GiB on use the base-256 form
 * that GNU tar and BusyBox both know. The owner is whoever unpacks.
 */
export function tarHeader(file: TarFile): Buffer {
  const [name, prefix] = parts(Buffer.from(file.name)) ?? [];
  if (name === undefined || prefix === undefined || name.length === 0) throw new RangeError(`No tar header holds this name: ${file.name}`);
  const block = Buffer.alloc(TAR_BLOCK);
  name.copy(block, 0);
  prefix.copy(block, 345);
  octal(block, 100, 8, file.mode & 0o7777);
  octal(block, 108, 8, 0);
  octal(block, 116, 8, 0);
  if (file.size < 8 ** 11) octal(block, 124, 12, file.size);
  else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(file.size), 128);
  }
  octal(block, 136, 12, Math.min(Math.max(0, Math.floor(file.mtime)), 8 ** 11 - 1));
  block.write('        ', 148, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

const octal = (block: Buffer, at: number, width: number, value: number): void => {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
};
