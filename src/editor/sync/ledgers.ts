import { createHash } from 'node:crypto';
import { Uri, workspace, type ExtensionContext } from 'vscode';
import type { Ledger } from '../../sync/ledger';

/** What was sent from each local folder, remembered with the window's workspace. */
export class Ledgers {
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(private readonly context: Pick<ExtensionContext, 'storageUri' | 'globalStorageUri'>) {}

  /** Works with the ledger of a folder and a place, one after the other. What was learned is kept, also when the work fails. */
  async use<T>(folder: Uri, target: string, work: (ledger: Ledger) => Promise<T>): Promise<T> {
    const key = this.#file(folder, target).toString();
    const before = this.#turns.get(key);
    const turn = (async () => {
      await before?.catch(() => undefined);
      const ledger = await this.load(folder, target);
      try {
        return await work(ledger);
      } finally {
        await this.save(folder, target, ledger);
      }
    })();
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  async load(folder: Uri, target: string): Promise<Ledger> {
    const { Ledger } = await import('../../sync/ledger');
    try {
      return new Ledger(JSON.parse(new TextDecoder().decode(await workspace.fs.readFile(this.#file(folder, target)))));
    } catch {
      // None yet, or not readable: then everything on the pod counts as somebody else's, and is compared.
      return new Ledger();
    }
  }

  async save(folder: Uri, target: string, ledger: Ledger): Promise<void> {
    await workspace.fs.writeFile(this.#file(folder, target), new TextEncoder().encode(JSON.stringify(ledger)));
  }

  #file(folder: Uri, target: string): Uri {
    const name = createHash('sha256').update(`${folder.toString()}\n${target}`).digest('hex').slice(0, 32);
    return Uri.joinPath(this.context.storageUri ?? this.context.globalStorageUri, 'sent', `${name}.json`);
  }
}
