import { RunPodError } from './errors';
import { isFields } from './read';
import type { ReadOptions, Transport, WriteOptions } from './transport';

const path = '/account/ssh-keys';

/** As the API itself demands it of a key line. */
const keyLine = /^(ssh|ecdsa|sk)-[^\s]+ [^\s]+([ \t][^\n\r]*)?$/;

/** Two lines are the same key when type and key are the same; the comment is the owner's. */
const identityOf = (line: string): string => line.trim().split(/\s+/, 2).join(' ');

/** The SSH keys of the account, which RunPod puts on every pod created with `startSsh` and asks for at its SSH proxy. */
export class SshKeysApi {
  #queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly transport: Transport) {}

  async read(options: ReadOptions = {}): Promise<string[]> {
    const answer = await this.transport.get(path, {}, options);
    const keys: unknown = isFields(answer) ? answer['keys'] : undefined;
    // What is not understood here would be deleted by the next write.
    if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) throw new RunPodError('unreadable', { method: 'GET', path, detail: 'The answer holds no list of keys' });
    return keys;
  }

  /**
   * Adds one public key line to what is there. RunPod only takes the whole set, without any guard against two writers,
   * so it is read just before and looked at again after; another writer who came in between is given way to once.
   * @returns false when the key was there already.
   */
  add(publicKeyLine: string, options: WriteOptions = {}): Promise<boolean> {
    const adding = this.#queue.then(() => this.#add(publicKeyLine.trim(), options));
    this.#queue = adding.catch(() => undefined);
    return adding;
  }

  async #add(line: string, options: WriteOptions): Promise<boolean> {
    if (!keyLine.test(line)) throw new RunPodError('invalid', { method: 'PUT', path, detail: 'Not a public key line' });
    for (let writes = 0; ; writes++) {
      const keys = await this.read(options);
      if (keys.some((key) => identityOf(key) === identityOf(line))) return writes > 0;
      if (writes === 2) throw new RunPodError('conflict', { method: 'PUT', path, detail: 'The key is not there after it was written; something else writes the keys too', maybeDone: true });
      await this.#write([...keys, line], options);
    }
  }

  async #write(keys: string[], options: WriteOptions): Promise<void> {
    try {
      await this.transport.write('PUT', path, { keys }, options);
    } catch (error) {
      // Whether it happened is seen by reading, which comes next anyway.
      if (!(error instanceof RunPodError) || !error.maybeDone) throw error;
    }
  }
}
