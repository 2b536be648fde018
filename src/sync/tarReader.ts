import { TAR_BLOCK } from './tar';

export interface TarMember {
  readonly name: string;
  readonly type: 'file' | 'link' | 'hardlink' | 'other';
  readonly size: number;
  readonly mode: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  /** Where a link leads. */
  readonly target: string;
}

/** What is done with the members of an archive, in their order. A member's bytes come between its beginning and its end. */
export interface TarSink {
  begin(member: TarMember): Promise<void> | void;
  bytes(piece: Buffer): Promise<void> | void;
  end(): Promise<void> | void;
}

/** The stream is no tar archive, or ends in the middle of one. */
export class TarError extends Error {
  override readonly name = 'TarError';
}

/**
 * Reads archives as GNU tar and BusyBox write them: ustar, GNU's long names and base-256 sizes, and pax headers. Several
 * archives in a row are one. Every header's check sum is checked.
 */
export async function readTar(stream: AsyncIterable<Buffer>, sink: TarSink): Promise<void> {
  let waiting: Buffer = Buffer.alloc(0);
  let left = 0;
  let padding = 0;
  let meta: { readonly type: string; pieces: Buffer[] } | undefined;
  let more: { path?: string; linkpath?: string; size?: number; mtime?: number } = {};
  for await (const piece of stream) {
    let buffer = waiting.length === 0 ? piece : Buffer.concat([waiting, piece]);
    for (;;) {
      if (left > 0) {
        if (buffer.length === 0) break;
        const part = buffer.subarray(0, left);
        if (meta === undefined) await sink.bytes(part);
        else meta.pieces.push(Buffer.from(part));
        left -= part.length;
        buffer = buffer.subarray(part.length);
        if (left > 0) break;
        if (meta === undefined) await sink.end();
        else {
          more = { ...more, ...readMeta(meta.type, Buffer.concat(meta.pieces)) };
          meta = undefined;
        }
      }
      if (padding > 0) {
        const skipped = Math.min(padding, buffer.length);
        padding -= skipped;
        buffer = buffer.subarray(skipped);
        if (padding > 0) break;
      }
      if (buffer.length < TAR_BLOCK) break;
      const block = buffer.subarray(0, TAR_BLOCK);
      buffer = buffer.subarray(TAR_BLOCK);
      if (block.every((byte) => byte === 0)) continue;
      const { type, ...header } = readHeader(block);
      if ('LKxg'.includes(type)) {
        if (header.size > MOST_META) throw new TarError('A header is too long');
        meta = { type, pieces: [] };
        left = header.size;
        padding = (TAR_BLOCK - (left % TAR_BLOCK)) % TAR_BLOCK;
        if (left === 0) meta = undefined;
        continue;
      }
      const kind = kindOf(type);
      const size = kind === 'file' ? (more.size ?? header.size) : 0;
      await sink.begin({ ...header, name: more.path ?? header.name, target: more.linkpath ?? header.target, mtime: more.mtime ?? header.mtime, size, type: kind });
      more = {};
      left = size;
      padding = (TAR_BLOCK - (left % TAR_BLOCK)) % TAR_BLOCK;
      if (left === 0) await sink.end();
    }
    waiting = Buffer.from(buffer);
  }
  if (left > 0 || padding > 0 || waiting.length > 0) throw new TarError('The archive ends in its middle');
}

const MOST_META = 1 << 20;

function kindOf(type: string): TarMember['type'] {
  switch (type) {
    case '0':
    case '\0':
    case '7':
      return 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'link';
    default:
      return 'other';
  }
}

function readHeader(block: Buffer): Omit<TarMember, 'type'> & { readonly type: string } {
  let sum = 8 * 32;
  for (const [i, byte] of block.entries()) if (i < 148 || i >= 156) sum += byte;
  if (number(block, 148, 8) !== sum) throw new TarError('A header’s check sum is wrong');
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return { name: prefix === '' ? name : `${prefix}/${name}`, mode: number(block, 100, 8) & 0o7777, size: number(block, 124, 12), mtime: number(block, 136, 12), type: String.fromCharCode(block[156] ?? 0), target: text(block, 157, 100) };
}

function readMeta(type: string, bytes: Buffer): { path?: string; linkpath?: string; size?: number; mtime?: number } {
  if (type === 'L') return { path: text(bytes, 0, bytes.length) };
  if (type === 'K') return { linkpath: text(bytes, 0, bytes.length) };
  if (type === 'g') return {};
  const found: { path?: string; linkpath?: string; size?: number; mtime?: number } = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, space));
    if (space < 0 || !Number.isInteger(length) || length <= 0) throw new TarError('An extended header cannot be read');
    const record = bytes.subarray(space + 1, at + length - 1);
    const cut = record.indexOf(0x3d);
    const key = record.toString('latin1', 0, cut);
    const value = record.subarray(cut + 1).toString();
    if (key === 'path' || key === 'linkpath') found[key] = value;
    else if (key === 'size') found.size = Number(value);
    else if (key === 'mtime') found.mtime = Math.floor(Number(value));
    at += length;
  }
  return found;
}

function text(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function number(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  // GNU's base 256.
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  const digits = /^[ ]*([0-7]*)/.exec(field.toString('latin1'))?.[1] ?? '';
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}
