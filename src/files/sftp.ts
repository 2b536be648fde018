import { SessionLostError, Status, StatusError } from './errors';
import type { RawSftp } from './host';
import { decodeName, encodeName } from './names';
import { type CallOptions, Requests, type SftpOptions } from './requests';
import { type Attributes, attributes, bytes, type Field, type NameEntry, Reply, Request, u32, u64 } from './wire';

export type Handle = Buffer;

/** What statvfs tells of the file system below a path. */
export interface SpaceLeft {
  readonly blockSize: number;
  readonly freeBlocks: number;
  readonly totalBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
  readonly readOnly: boolean;
}

/** Less is cheaper copied than sent in a packet of its own. */
const copyBelow = 16 * 1024;
/** Silences that a disk may take to sync a file. */
const fsyncPatience = 4;

/** One SFTP session: what version 3 and OpenSSH's extensions can be asked for, each as a call that ends. */
export class SftpSession extends Requests {
  /** Greets the server. One round trip. */
  static async open(channel: RawSftp, options: SftpOptions = {}): Promise<SftpSession> {
    const session = new SftpSession(channel, options);
    try {
      await session.greet();
    } catch (error) {
      session.end('The SFTP server did not greet as it should');
      throw error;
    }
    return session;
  }

  async #attributes(type: number, fields: readonly Field[], options: CallOptions = {}): Promise<Attributes> {
    return (await this.call(type, fields, Reply.Attrs, options)).attributes();
  }

  #path(path: string): Field {
    return bytes(encodeName(path));
  }

  async stat(path: string, options?: CallOptions): Promise<Attributes> {
    return this.#attributes(Request.Stat, [this.#path(path)], options);
  }
  async lstat(path: string, options?: CallOptions): Promise<Attributes> {
    return this.#attributes(Request.Lstat, [this.#path(path)], options);
  }
  async fstat(handle: Handle, options?: CallOptions): Promise<Attributes> {
    return this.#attributes(Request.Fstat, [bytes(handle)], options);
  }
  async setstat(path: string, value: Attributes, options?: CallOptions): Promise<void> {
    return this.status(Request.Setstat, [this.#path(path), attributes(value)], options);
  }
  async fsetstat(handle: Handle, value: Attributes, options?: CallOptions): Promise<void> {
    return this.status(Request.Fsetstat, [bytes(handle), attributes(value)], options);
  }

  /** @param flags of `OpenFlag`. */
  async open(path: string, flags: number, value: Attributes = {}, options: CallOptions = {}): Promise<Handle> {
    return (await this.call(Request.Open, [this.#path(path), u32(flags), attributes(value)], Reply.Handle, options)).handle();
  }
  async close(handle: Handle, options?: CallOptions): Promise<void> {
    return this.status(Request.Close, [bytes(handle)], options);
  }

  /** At most `length` bytes from `offset`; an empty buffer at the end of the file. May be shorter without being the end. */
  async read(handle: Handle, offset: number, length: number, options: CallOptions = {}): Promise<Buffer> {
    try {
      const data = (await this.call(Request.Read, [bytes(handle), u64(offset), u32(length)], Reply.Data, options)).string();
      if (data.length > length) throw new SessionLostError('The SFTP server sent more than was asked for');
      return data;
    } catch (error) {
      if (error instanceof StatusError && error.status === Status.Eof) return Buffer.alloc(0);
      throw error;
    }
  }
  /** As `read`, into the beginning of `into`, as many bytes as it holds; gives their number. The bytes are copied once. */
  async readInto(handle: Handle, offset: number, into: Uint8Array, options: CallOptions = {}): Promise<number> {
    const landing = { bytes: into, placed: false };
    try {
      const reader = await this.call(Request.Read, [bytes(handle), u64(offset), u32(into.length)], Reply.Data, options, undefined, landing);
      if (landing.placed) return reader.u32();
      const data = reader.string();
      if (data.length > into.length) throw new SessionLostError('The SFTP server sent more than was asked for');
      into.set(data);
      return data.length;
    } catch (error) {
      if (error instanceof StatusError && error.status === Status.Eof) return 0;
      throw error;
    }
  }
  /** @param data at most `maxWrite` bytes, not to be changed before the answer. */
  async write(handle: Handle, offset: number, data: Uint8Array, options: CallOptions = {}): Promise<void> {
    const place = [bytes(handle), u64(offset)];
    // What is big goes out as it lies in memory; what is small in one piece with its head.
    if (data.length < copyBelow) await this.call(Request.Write, [...place, bytes(data)], Reply.Status, options);
    else await this.call(Request.Write, [...place, u32(data.length)], Reply.Status, options, data);
  }

  async opendir(path: string, options: CallOptions = {}): Promise<Handle> {
    return (await this.call(Request.Opendir, [this.#path(path)], Reply.Handle, options)).handle();
  }
  /** The next entries, in the server's own portions; `undefined` after the last. */
  async readdir(handle: Handle, options: CallOptions = {}): Promise<NameEntry[] | undefined> {
    try {
      return (await this.call(Request.Readdir, [bytes(handle)], Reply.Name, options)).names();
    } catch (error) {
      if (error instanceof StatusError && error.status === Status.Eof) return undefined;
      throw error;
    }
  }

  async remove(path: string, options?: CallOptions): Promise<void> {
    return this.status(Request.Remove, [this.#path(path)], options);
  }
  async mkdir(path: string, value: Attributes = {}, options?: CallOptions): Promise<void> {
    return this.status(Request.Mkdir, [this.#path(path), attributes(value)], options);
  }
  async rmdir(path: string, options?: CallOptions): Promise<void> {
    return this.status(Request.Rmdir, [this.#path(path)], options);
  }
  /** Refuses, on every server we know, when `to` exists. */
  async rename(from: string, to: string, options?: CallOptions): Promise<void> {
    return this.status(Request.Rename, [this.#path(from), this.#path(to)], options);
  }
  async readlink(path: string, options: CallOptions = {}): Promise<string> {
    return this.#oneName(Request.Readlink, path, options);
  }
  async realpath(path: string, options: CallOptions = {}): Promise<string> {
    return this.#oneName(Request.Realpath, path, options);
  }
  /** OpenSSH has these two arguments the other way round than the draft; every server has followed it. */
  async symlink(target: string, link: string, options?: CallOptions): Promise<void> {
    return this.status(Request.Symlink, [this.#path(target), this.#path(link)], options);
  }

  /** `rename(2)`: replaces `to` in one step. Needs `posix-rename@openssh.com`. */
  async posixRename(from: string, to: string, options?: CallOptions): Promise<void> {
    return this.status(Request.Extended, [bytes('posix-rename@openssh.com'), this.#path(from), this.#path(to)], options);
  }
  /** Needs `fsync@openssh.com`. */
  async fsync(handle: Handle, options?: CallOptions): Promise<void> {
    return this.status(Request.Extended, [bytes('fsync@openssh.com'), bytes(handle)], { silenceMs: fsyncPatience * this.silenceMs, ...options });
  }
  /** Needs `hardlink@openssh.com`. */
  async hardlink(from: string, to: string, options?: CallOptions): Promise<void> {
    return this.status(Request.Extended, [bytes('hardlink@openssh.com'), this.#path(from), this.#path(to)], options);
  }
  /** SETSTAT on a link itself. Needs `lsetstat@openssh.com`. */
  async lsetstat(path: string, value: Attributes, options?: CallOptions): Promise<void> {
    return this.status(Request.Extended, [bytes('lsetstat@openssh.com'), this.#path(path), attributes(value)], options);
  }
  /** Copies on the server; `length` 0 means to the end. Needs `copy-data`. */
  async copyData(from: Handle, fromOffset: number, length: number, to: Handle, toOffset: number, options?: CallOptions): Promise<void> {
    const fields = [bytes('copy-data'), bytes(from), u64(fromOffset), u64(length), bytes(to), u64(toOffset)];
    return this.status(Request.Extended, fields, { silenceMs: 600_000, ...options });
  }
  /** Needs `statvfs@openssh.com`. A network volume shows its pool, not its own size. */
  async statvfs(path: string, options: CallOptions = {}): Promise<SpaceLeft> {
    const reader = await this.extended('statvfs@openssh.com', [this.#path(path)], options);
    reader.u64();
    const blockSize = reader.u64();
    const totalBlocks = reader.u64();
    reader.u64();
    const freeBlocks = reader.u64();
    const files = reader.u64();
    reader.u64();
    const freeFiles = reader.u64();
    reader.u64();
    return { blockSize, totalBlocks, freeBlocks, files, freeFiles, readOnly: (reader.u64() & 1) !== 0 };
  }

  async #oneName(type: number, path: string, options: CallOptions): Promise<string> {
    const names = (await this.call(type, [this.#path(path)], Reply.Name, options)).names();
    const first = names[0];
    if (first === undefined) throw new StatusError(Status.Failure, 'an empty NAME reply');
    return decodeName(first.name);
  }
}
