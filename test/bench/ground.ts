import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { makeKeyPair, startSshd, type KeyPair, type Sshd } from '../support/sshd';
import type { Place } from './client';
import { openFarLink, type FarPort } from './linkProcess';

/** A server, its folder and the files in it. All of it in memory where the system has a place for that, so that no disk is measured. */
export class Ground {
  private constructor(
    readonly dir: string,
    readonly far: string,
    readonly sshd: Sshd,
    readonly key: KeyPair,
    readonly bigFile: string,
    readonly bigBytes: number,
  ) {}

  static async make(bigBytes: number): Promise<Ground> {
    const dir = await fs.realpath(await fs.mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'runpod-bench-')));
    const key = await makeKeyPair(join(dir, 'key'));
    const sshd = await startSshd({ authorizedKeys: [key.publicKey] });
    const far = join(dir, 'far');
    await fs.mkdir(far);
    const bigFile = join(dir, 'big.bin');
    const file = await fs.open(bigFile, 'w');
    // Nothing on the way may gain by its content.
    for (let left = bigBytes; left > 0; left -= 1 << 20) await file.write(randomBytes(Math.min(left, 1 << 20)));
    await file.close();
    return new Ground(dir, far, sshd, key, bigFile, bigBytes);
  }

  /** Where the server answers over a link with this round trip; straight, without one. */
  async reach(rttMs: number, client: string): Promise<{ place: Place; link: FarPort | undefined }> {
    const link = rttMs === 0 ? undefined : await openFarLink(this.sshd, { rttMs });
    const port = link?.port ?? this.sshd.port;
    const scratch = join(this.dir, `${client}-${rttMs}`);
    await fs.mkdir(scratch, { recursive: true });
    const knownHosts = join(scratch, 'known_hosts');
    const [type, blob] = (this.sshd.hostKeys[0]?.publicKey ?? '').split(' ');
    await fs.writeFile(knownHosts, `[${this.sshd.host}]:${port} ${type} ${blob}\n`);
    return { link, place: { host: this.sshd.host, port, username: this.sshd.username, keyFile: this.key.path, knownHosts, scratch, bigFile: this.bigFile } };
  }

  /** A new folder with so many small files, spread over `folders` where told. */
  async tree(name: string, files: number, folders = 0): Promise<string> {
    const root = join(this.far, name);
    await fs.mkdir(root, { recursive: true });
    for (let i = 0; i < folders; i++) await fs.mkdir(join(root, `d${i}`));
    for (let at = 0; at < files; at += 200)
      await Promise.all(Array.from({ length: Math.min(200, files - at) }, (_, i) => fs.writeFile(join(root, folders > 0 ? `d${(at + i) % folders}` : '', `file-${at + i}.txt`), String(at + i))));
    return root;
  }

  async file(name: string, bytes: number): Promise<string> {
    const path = join(this.far, name);
    await fs.writeFile(path, randomBytes(bytes));
    return path;
  }

  /**
   * Has the system own memory for two big files. A virtual machine gets memory when it is first touched, and gives it back
   * soon after it was freed: up to a second of that would be counted, by chance, for one client or the other.
   */
  touchMemory(): void {
    const memory = new ArrayBuffer(2 * this.bigBytes);
    new Uint8Array(memory).fill(1);
    const { port1 } = new MessageChannel();
    port1.close();
    // Gone at once, not with the next collection.
    port1.postMessage(undefined, [memory]);
  }

  async clear(): Promise<void> {
    await this.sshd.stop();
    await fs.rm(this.dir, { recursive: true, force: true });
  }
}
