import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ParsedKey } from 'ssh2';
import { l10n, window, type ExtensionContext } from 'vscode';
import type { Logger } from '../base/log';
import { ensureOwnKey, findIdentities, KeyUnlocker, type Identity } from '../ssh/keys';
import { settings } from './settings';

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

  /** Every key that could open a pod, in the order of places; our own is made when it is not there yet. */
  async find(): Promise<Identity[]> {
    await ensureOwnKey(this.ownKeyDir);
    return findIdentities({
      ownKeyDir: this.ownKeyDir,
      homeDir: homedir(),
      env: process.env,
      extraPaths: settings.identityFiles(),
      unlocker: this.#unlocker,
      log: this.log,
    });
  }
}

async function askPassphrase(path: string, attempt: number): Promise<string | undefined> {
  return window.showInputBox({
    title: l10n.t('SSH Key'),
    prompt: attempt > 1 ? l10n.t('That was not the passphrase of {0}. Once more:', path) : l10n.t('Passphrase of {0}', path),
    password: true,
    ignoreFocusOut: true,
  });
}
