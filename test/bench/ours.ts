import { readFile } from 'node:fs/promises';
import { PodFiles } from '../../src/files/pod/podFiles';
import { identityOf, loginOptions } from '../ssh/support';
import type { Client, Place } from './client';
import { PodHost } from './podHost';

/** The files of this extension, over the connection that it makes itself. */
export class Ours implements Client {
  readonly name = 'ours';
  readonly #host: PodHost;
  readonly #files: PodFiles;
  readonly #big: Buffer;

  private constructor(host: PodHost, big: Buffer) {
    this.#host = host;
    this.#files = new PodFiles(host);
    this.#big = big;
  }

  static async start(place: Place, hostKeyFingerprint: string): Promise<Ours> {
    const host = new PodHost(loginOptions({ ...place, hostKeyFingerprint }, place.port, [await identityOf(place.keyFile)]));
    const ours = new Ours(host, await readFile(place.bigFile));
    await ours.#files.stat('/');
    await ours.#files.who();
    return ours;
  }

  /** As the editor does: the stat beside the content. */
  async open(path: string): Promise<void> {
    await Promise.all([this.#files.stat(path), this.#files.readFile(path)]);
  }
  /** As the editor does: a fresh stat before, another one after. */
  async save(path: string, content: Buffer): Promise<void> {
    await this.#files.stat(path);
    await this.#files.writeFile(path, content, { create: true, overwrite: true });
    await this.#files.stat(path);
  }
  async list(folder: string): Promise<void> {
    await this.#files.list(folder);
  }
  async listWithStats(folder: string): Promise<void> {
    const entries = await this.#files.list(folder);
    await Promise.all(entries.map(({ name }) => this.#files.stat(`${folder}/${name}`)));
  }
  async deleteTree(folder: string): Promise<void> {
    await this.#files.delete(folder, { recursive: true });
  }
  async copy(from: string, to: string): Promise<void> {
    await this.#files.copy(from, to, { overwrite: false });
  }
  async rename(from: string, to: string): Promise<void> {
    await this.#files.rename(from, to, { overwrite: false });
  }
  async read(path: string): Promise<void> {
    const content = await this.#files.readFile(path);
    if (content.length !== this.#big.length) throw new Error(`${content.length} bytes read of ${this.#big.length}`);
  }
  async write(path: string): Promise<void> {
    await this.#files.writeFile(path, this.#big, { create: true, overwrite: true });
  }
  async end(): Promise<void> {
    this.#files.dispose();
    await this.#host.end();
  }
}
