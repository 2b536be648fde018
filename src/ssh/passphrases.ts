import { SshError } from './errors';

/**
 * Asks a person for the passphrase of a key file.
 * @param attempt 1 for the first question, 2 when the answer to the first was wrong, and so on.
 * @returns `undefined` when they do not want to say.
 */
export type AskPassphrase = (path: string, attempt: number) => Promise<string | undefined>;

/** Opens locked keys. */
export interface Unlocker<Key> {
  /**
   * @param path names the key to the person and in the memory.
   * @param open tries a passphrase; `undefined` says it was wrong.
   * @throws SshError key-locked (`params.reason`: declined, wrong or unasked), and what `open` throws.
   */
  unlock(path: string, open: (passphrase: string) => Key | undefined): Promise<Key>;
}

const attempts = 3;

/**
 * Opens locked keys, asking for each passphrase once a session: the opened key is kept in memory, as an agent would, and never
 * written anywhere. Connections that need the same key at the same time share one question, and questions come one by one.
 */
export class KeyUnlocker<Key> implements Unlocker<Key> {
  readonly #opened = new Map<string, Key>();
  readonly #asking = new Map<string, Promise<Key>>();
  readonly #declined = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly ask: AskPassphrase) {}

  unlock(path: string, open: (passphrase: string) => Key | undefined): Promise<Key> {
    const opened = this.#opened.get(path);
    if (opened !== undefined) return Promise.resolve(opened);
    if (this.#declined.has(path)) return Promise.reject(new SshError('key-locked', { path, reason: 'declined' }));
    const asked = this.#asking.get(path);
    if (asked !== undefined) return asked;
    const asking = this.#queue.then(() => this.#question(path, open)).finally(() => this.#asking.delete(path));
    this.#asking.set(path, asking);
    this.#queue = asking.catch(() => undefined);
    return asking;
  }

  /** The same keys, but a question is put only while `mayAsk` says that a person waits for what it is for. */
  asking(mayAsk: () => boolean): Unlocker<Key> {
    return {
      unlock: (path, open) => (mayAsk() || this.#opened.has(path) ? this.unlock(path, open) : Promise.reject(new SshError('key-locked', { path, reason: 'unasked' }))),
    };
  }

  /** Lets keys be asked for again that a person declined to unlock: call it when they start something anew themselves. */
  askAgain(): void {
    this.#declined.clear();
  }

  /** Forgets every opened key. */
  forget(): void {
    this.#opened.clear();
    this.#declined.clear();
  }

  async #question(path: string, open: (passphrase: string) => Key | undefined): Promise<Key> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const passphrase = await this.ask(path, attempt);
      if (passphrase === undefined) {
        this.#declined.add(path);
        throw new SshError('key-locked', { path, reason: 'declined' });
      }
      const key = passphrase === '' ? undefined : open(passphrase);
      if (key !== undefined) {
        this.#opened.set(path, key);
        return key;
      }
    }
    throw new SshError('key-locked', { path, reason: 'wrong' });
  }
}
