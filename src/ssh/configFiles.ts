import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { type ConfigHost, hostKeyAlias, podsOfOthers, readHosts, writeHosts, writeKnownHosts } from './configText';
import { pinFile } from './pinFile';

export interface KnownConfig {
  readonly hosts: readonly ConfigHost[];
  /** By pod id, the line of `known_hosts`. */
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * The folder with what OpenSSH is told of the pods: `config`, which `~/.ssh/config` includes, and the `known_hosts` it names.
 * Several windows and editors share it; each file is written whole, under a lock.
 */
export class ConfigFiles {
  readonly config: string;
  readonly knownHosts: string;

  /** @param owner tells the hosts of this editor from those of others on this computer; one word. */
  constructor(
    readonly dir: string,
    readonly owner: string,
  ) {
    this.config = path.join(dir, 'config');
    this.knownHosts = path.join(dir, 'known_hosts');
  }

  /** What this editor has written so far. */
  async read(): Promise<KnownConfig> {
    return this.#known((await pinFile(this.config).read()) ?? '', (await pinFile(this.knownHosts).read()) ?? '');
  }

  /** Puts these in place of what this editor has written before. */
  async write(hosts: readonly ConfigHost[], keys: ReadonlyMap<string, string>): Promise<void> {
    await this.change(() => ({ hosts, keys }));
  }

  /**
   * Puts what `next` makes of it in place of what this editor has written before; no other window writes between the two. The
   * key comes first, so that an address is never there without.
   */
  async change(next: (before: KnownConfig) => KnownConfig): Promise<void> {
    const config = pinFile(this.config);
    const knownHosts = pinFile(this.knownHosts);
    const update = async (): Promise<void> => {
      const text = (await config.read()) ?? '';
      const known = (await knownHosts.read()) ?? '';
      const { hosts, keys } = next(this.#known(text, known));
      const others = podsOfOthers(text, this.owner);
      const gone = readHosts(text, this.owner).filter(({ podId }) => !hosts.some((host) => host.podId === podId) && !others.has(podId));
      const lines = new Map<string, string | undefined>([...gone.map(({ podId }): [string, undefined] => [podId, undefined]), ...hosts.map(({ podId }): [string, string | undefined] => [podId, keys.get(podId)])]);
      const nextKnown = writeKnownHosts(known, lines);
      if (nextKnown !== known) await knownHosts.write(nextKnown);
      const nextText = writeHosts(text, this.owner, hosts, this.knownHosts);
      if (nextText !== text) await config.write(nextText);
    };
    await (config.exclusive?.(update) ?? update());
  }

  #known(text: string, known: string): KnownConfig {
    const hosts = readHosts(text, this.owner);
    const keys = new Map<string, string>();
    for (const { podId } of hosts) {
      const line = known.split('\n').find((one) => one.startsWith(`${hostKeyAlias(podId)} `));
      if (line !== undefined) keys.set(podId, line);
    }
    return { hosts, keys };
  }

  /** Takes back everything of this editor; the folder goes with the last editor that uses it. */
  async remove(): Promise<void> {
    await this.write([], new Map());
    if (podsOfOthers((await pinFile(this.config).read()) ?? '', this.owner).size === 0) await fs.rm(this.dir, { recursive: true, force: true });
  }
}
