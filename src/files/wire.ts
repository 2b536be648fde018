/** The bytes of SFTP version 3 (draft-ietf-secsh-filexfer-02) as every OpenSSH speaks it. */

export const Request = {
  Init: 1,
  Open: 3,
  Close: 4,
  Read: 5,
  Write: 6,
  Lstat: 7,
  Fstat: 8,
  Setstat: 9,
  Fsetstat: 10,
  Opendir: 11,
  Readdir: 12,
  Remove: 13,
  Mkdir: 14,
  Rmdir: 15,
  Realpath: 16,
  Stat: 17,
  Rename: 18,
  Readlink: 19,
  Symlink: 20,
  Extended: 200,
} as const;

export const Reply = { Version: 2, Status: 101, Handle: 102, Data: 103, Name: 104, Attrs: 105, Extended: 201 } as const;

export const OpenFlag = { Read: 0x01, Write: 0x02, Append: 0x04, Create: 0x08, Truncate: 0x10, Exclusive: 0x20 } as const;

const AttrFlag = { Size: 0x01, Owner: 0x02, Mode: 0x04, Times: 0x08, Extended: 0x80000000 } as const;

/** What the server tells of a file. SFTP version 3 knows whole seconds only. Absent: the server did not say. */
export interface Attributes {
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Type and permission bits, as in `st_mode`. */
  readonly mode?: number;
  readonly atime?: number;
  readonly mtime?: number;
}

/** One entry of a NAME reply. `longname` is a line as `ls -l` prints it. */
export interface NameEntry {
  readonly name: Buffer;
  readonly longname: Buffer;
  readonly attributes: Attributes;
}

export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

export class PacketReader {
  #at = 0;
  constructor(readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  #take(length: number): number {
    if (length > this.left) throw new MalformedError(`A packet ended ${length - this.left} bytes early`);
    const at = this.#at;
    this.#at += length;
    return at;
  }

  u8(): number {
    return this.bytes.readUInt8(this.#take(1));
  }
  u32(): number {
    return this.bytes.readUInt32BE(this.#take(4));
  }
  /** Exact up to 2^53; beyond it no file is. */
  u64(): number {
    return Number(this.bytes.readBigUInt64BE(this.#take(8)));
  }
  /** A view, not a copy. */
  string(): Buffer {
    const length = this.u32();
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A copy: a handle outlives the packet it came in. */
  handle(): Buffer {
    return Buffer.from(this.string());
  }

  attributes(): Attributes {
    const flags = this.u32();
    const out: { -readonly [K in keyof Attributes]: Attributes[K] } = {};
    if ((flags & AttrFlag.Size) !== 0) out.size = this.u64();
    if ((flags & AttrFlag.Owner) !== 0) {
      out.uid = this.u32();
      out.gid = this.u32();
    }
    if ((flags & AttrFlag.Mode) !== 0) out.mode = this.u32();
    if ((flags & AttrFlag.Times) !== 0) {
      out.atime = this.u32();
      out.mtime = this.u32();
    }
    if ((flags & AttrFlag.Extended) !== 0)
      for (let n = this.u32(); n > 0; n--) {
        this.string();
        this.string();
      }
    return out;
  }

  names(): NameEntry[] {
    const count = this.u32();
    const out: NameEntry[] = [];
    for (let i = 0; i < count; i++) out.push({ name: this.string(), longname: this.string(), attributes: this.attributes() });
    return out;
  }
}

/** A field of a request: bytes are sent as an SFTP string. */
export type Field = { readonly u32: number } | { readonly u64: number } | { readonly bytes: Uint8Array } | { readonly attributes: Attributes };

export const u32 = (value: number): Field => ({ u32: value });
export const u64 = (value: number): Field => ({ u64: value });
export const bytes = (value: Uint8Array | string): Field => ({ bytes: typeof value === 'string' ? Buffer.from(value) : value });
export const attributes = (value: Attributes): Field => ({ attributes: value });

const attributesLength = (a: Attributes): number =>
  4 + (a.size !== undefined ? 8 : 0) + (a.uid !== undefined && a.gid !== undefined ? 8 : 0) + (a.mode !== undefined ? 4 : 0) + (a.mtime !== undefined ? 8 : 0);

function writeAttributes(out: Buffer, at: number, a: Attributes): number {
  const owner = a.uid !== undefined && a.gid !== undefined;
  out.writeUInt32BE(
    (a.size !== undefined ? AttrFlag.Size : 0) | (owner ? AttrFlag.Owner : 0) | (a.mode !== undefined ? AttrFlag.Mode : 0) | (a.mtime !== undefined ? AttrFlag.Times : 0),
    at,
  );
  let p = at + 4;
  if (a.size !== undefined) p = out.writeBigUInt64BE(BigInt(a.size), p);
  if (a.uid !== undefined && a.gid !== undefined) p = out.writeUInt32BE(a.gid, out.writeUInt32BE(a.uid, p));
  if (a.mode !== undefined) p = out.writeUInt32BE(a.mode, p);
  if (a.mtime !== undefined) p = out.writeUInt32BE(a.mtime, out.writeUInt32BE(a.atime ?? a.mtime, p));
  return p;
}

/**
 * A whole request with its length in front, in one buffer: one write, so one SSH packet for most. `id` is absent from INIT.
 * @param following bytes that are sent behind it and belong to its last field, a string, without having been copied.
 */
export function packet(type: number, id: number | undefined, fields: readonly Field[], following = 0): Buffer {
  let length = 1 + (id === undefined ? 0 : 4);
  for (const f of fields) length += 'u32' in f ? 4 : 'u64' in f ? 8 : 'bytes' in f ? 4 + f.bytes.length : attributesLength(f.attributes);
  const out = Buffer.allocUnsafe(4 + length);
  let p = out.writeUInt8(type, out.writeUInt32BE(length + following, 0));
  if (id !== undefined) p = out.writeUInt32BE(id, p);
  for (const f of fields) {
    if ('u32' in f) p = out.writeUInt32BE(f.u32, p);
    else if ('u64' in f) p = out.writeBigUInt64BE(BigInt(f.u64), p);
    else if ('attributes' in f) p = writeAttributes(out, p, f.attributes);
    else {
      p = out.writeUInt32BE(f.bytes.length, p);
      out.set(f.bytes, p);
      p += f.bytes.length;
    }
  }
  return out;
}

/** Type, number and length of a DATA reply, in front of its bytes. */
const dataHead = 9;
/** Smaller packets are not worth the trouble. */
const placeFrom = 16 * 1024;

/**
 * Cuts a stream of bytes into packets, whatever chunks they come in; each byte of a packet in pieces is copied once.
 * @param place may name, by the head of a DATA reply, where its bytes go at once; `onPacket` then gets the head alone.
 */
export class PacketCutter {
  #head = Buffer.alloc(4);
  #headLength = 0;
  /** What is being filled, and how far; then what follows it. */
  #body: Uint8Array | undefined;
  #bodyLength = 0;
  #rest = 0;
  #placed: Buffer | undefined;

  constructor(
    readonly maxPacket: number,
    readonly onPacket: (packet: Buffer) => void,
    readonly place: (head: Buffer, bytes: number) => Uint8Array | undefined = () => undefined,
  ) {}

  /** @returns whether every byte was copied, so that nothing of `chunk` is needed any more. */
  push(chunk: Buffer): boolean {
    let p = 0;
    let copied = true;
    while (p < chunk.length) {
      if (this.#body === undefined) {
        const n = Math.min(4 - this.#headLength, chunk.length - p);
        chunk.copy(this.#head, this.#headLength, p, p + n);
        this.#headLength += n;
        p += n;
        if (this.#headLength < 4) return copied;
        const length = this.#head.readUInt32BE(0);
        if (length === 0 || length > this.maxPacket) throw new MalformedError(`A packet of ${length} bytes`);
        this.#headLength = 0;
        if (chunk.length - p >= length) {
          copied = false;
          this.onPacket(chunk.subarray(p, p + length));
          p += length;
          continue;
        }
        const first = length > placeFrom ? dataHead : length;
        this.#body = Buffer.allocUnsafe(first);
        this.#bodyLength = 0;
        this.#rest = length - first;
      }
      const n = Math.min(this.#body.length - this.#bodyLength, chunk.length - p);
      this.#body.set(chunk.subarray(p, p + n), this.#bodyLength);
      this.#bodyLength += n;
      p += n;
      if (this.#bodyLength === this.#body.length) this.#filled(this.#body);
    }
    return copied;
  }

  #filled(body: Uint8Array): void {
    if (this.#rest > 0) {
      const head = Buffer.from(body);
      const target = this.place(head, this.#rest);
      if (target === undefined) {
        this.#body = Buffer.allocUnsafe(head.length + this.#rest);
        this.#body.set(head);
      } else {
        this.#body = target.subarray(0, this.#rest);
        this.#bodyLength = 0;
        this.#placed = head;
      }
      this.#rest = 0;
      return;
    }
    const packet = this.#placed ?? Buffer.from(body.buffer, body.byteOffset, body.length);
    this.#body = undefined;
    this.#placed = undefined;
    this.onPacket(packet);
  }
}
