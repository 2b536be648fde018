import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ParsedKey } from 'ssh2';
import { l10n, type ExtensionContext } from 'vscode';
import type { Logger } from '../base/log';
import { ensureOwnKey, findIdentities, KeyUnlocker, publicBlobs, type Identity } from '../ssh/keys';
import { settings } from './settings';
import { ask } from './prompts/ask';

/** The SSH keys of this person: the extension's own first, then theirs, read where they lie. */
export class SshIdentities {
  /** Of this machine and this editor, never of a workspace: the key does not travel with a folder. */
  readonly ownKeyDir: string;
  readonly #unlocker = new KeyUnlocker<ParsedKey>(askPassphrase);

  constructor(
    context: ExtensionContext,
    private readonly log: Logger,
  ) {
    this.ownKeyDir = join(context.globalStorageUri.fsPath, 'ssh');
  }

  async ownPublicKey(): Promise<string> {
    return (await ensureOwnKey(this.ownKeyDir)).publicKeyLine;
  }

  async ownPrivateKeyPath(): Promise<string> {
    return (await ensureOwnKey(this.ownKeyDir)).privateKeyPath;
  }

  /**
   * Every key that could open a pod, in the order of places; our own is made when it is not there yet.
   * @param first path of a key that was named for just this machine: it goes before all others
   * @param mayAsk whether a passphrase may be asked for when a key is used
   */
  async find(first?: string, mayAsk: () => boolean = () => true): Promise<Identity[]> {
    await ensureOwnKey(this.ownKeyDir);
    const found = await findIdentities({
      ownKeyDir: this.ownKeyDir,
      homeDir: homedir(),
      env: process.env,
      extraPaths: [...(first === undefined ? [] : [first]), ...settings.identityFiles()],
      unlocker: this.#unlocker.asking(mayAsk),
      log: this.log,
    });
    return first === undefined ? found : [...found.filter((i) => i.path === first), ...found.filter((i) => i.path !== first)];
  }

  /** A person has begun something anew: whoever would not tell a passphrase before may be asked again. */
  askAgain(): void {
    this.#unlocker.askAgain();
  }

  /** Keys that can be used without asking anybody anything. */
  async findQuietly(): Promise<Identity[]> {
    await ensureOwnKey(this.ownKeyDir);
    return findIdentities({ ownKeyDir: this.ownKeyDir, homeDir: homedir(), env: {}, agents: false, extraPaths: settings.identityFiles(), log: this.log });
  }

  /**
   * The key files among ours that a pod takes, for programs that read files.
   * @param authorizedKeys the pod's `PUBLIC_KEY`; where none of ours is named in it, our own key is worth a try.
   */
  async filesFor(authorizedKeys: string): Promise<{ readonly files: readonly string[]; readonly certain: boolean }> {
    const expected = new Set(publicBlobs(authorizedKeys));
    const files = (await this.findQuietly()).flatMap(({ path, publicBlob }) => (path !== undefined && expected.has(publicBlob.toString('base64')) ? [path] : []));
    return files.length > 0 ? { files, certain: true } : { files: [await this.ownPrivateKeyPath()], certain: false };
  }
}

async function askPassphrase(path: string, attempt: number): Promise<string | undefined> {
  return ask.text({
    title: l10n.t('SSH Key'),
    prompt: attempt > 1 ? l10n.t('That was not the passphrase of {0}. Once more:', path) : l10n.t('Passphrase of {0}', path),
    password: true,
    ignoreFocusOut: true,
  });
}
