import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { l10n, ProgressLocation, workspace, type Disposable } from 'vscode';
import { addressOf, defaultPublicPortWaitMs } from '../../pods/address';
import { MACHINE_PREFIX } from '../../pods/machine';
import type { Pod } from '../../runpod/types';
import { ConfigFiles } from '../../ssh/configFiles';
import { editUserConfig, hasInclude, includeLine, ReadOnlyConfigError, withInclude, withoutInclude } from '../../ssh/configInclude';
import type { ConfigHost } from '../../ssh/configText';
import { pinFile } from '../../ssh/pinFile';
import { PinStore } from '../../ssh/pins';
import type { Parts } from '../parts';
import { AliasKeeper } from './keeper';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

/** That the person has let us add our line to their SSH configuration. */
const CONSENT = 'runpod.sshConfig';

/** Pods by name for OpenSSH: one line in the person's configuration, agreed to once, and what it includes. */
export class PodAliases implements Disposable {
  readonly files: ConfigFiles;
  readonly #keeper: AliasKeeper;

  constructor(private readonly parts: Parts) {
    const { context, store, log, identities } = parts;
    this.files = new ConfigFiles(join(homedir(), '.ssh', 'runpod-workspaces'), createHash('sha256').update(context.globalStorageUri.toString()).digest('hex').slice(0, 8));
    const pins = pinFile(join(context.globalStorageUri.fsPath, 'ssh', 'host-keys.json'));
    this.#keeper = new AliasKeeper({
      store,
      sessions: parts.sessions,
      files: this.files,
      enabled: () => this.#enabled,
      log,
      keyFiles: (pod) => identities.filesFor(pod.env['PUBLIC_KEY'] ?? ''),
      reach: {
        ...parts.reach,
        identities: () => identities.findQuietly(),
        pins: new PinStore({ read: () => pins.read(), write: async () => undefined, exclusive: (work) => work() }, log),
      },
    });
    this.#keeper.start();
  }

  dispose(): void {
    this.#keeper.dispose();
  }

  /**
   * Asks once for our line, and writes what it includes.
   * @param confirmed the caller has asked already
   * @throws CancelledError when the person would rather not
   */
  async enable(confirmed: boolean): Promise<void> {
    const missing = await this.#withoutOurLine();
    if (this.#enabled && missing.length === 0) return;
    if (missing.length > 0 && !confirmed) {
      const add = l10n.t('Add the Line');
      await notice.confirm(
        l10n.t('Add one line to {0}?', missing.map(({ file }) => file).join(l10n.t(' and '))),
        l10n.t('{0}\n\nIt goes first and names a file that this extension keeps up to date: an alias runpod-<name> for each pod, with its current address, your key and its checked host key. Nothing else in your file is touched.', missing[0]?.line ?? ''),
        add,
        'information',
      );
    }
    for (const { file, line } of missing)
      await editUserConfig(file, (text) => withInclude(text, line)).catch((error: unknown) => {
        throw error instanceof ReadOnlyConfigError ? new ReadOnlyConfigError(file, line, { cause: error }) : error;
      });
    await this.parts.context.globalState.update(CONSENT, true);
    this.#keeper.update();
    await this.#keeper.settled();
  }

  /** Takes everything back. */
  async remove(): Promise<void> {
    await this.parts.context.globalState.update(CONSENT, false);
    await this.#keeper.settled();
    for (const file of userConfigs()) await editUserConfig(file, (text) => withoutInclude(text, includeLine(file, this.files.config)));
    await this.files.remove();
  }

  /**
   * The alias of a pod whose host key has been checked, usable now; asks for what that takes.
   * @throws PodUnavailableError, also where there is no direct address; CancelledError
   */
  async ready(pod: Pod, confirmed: boolean): Promise<ConfigHost> {
    if (pod.id.startsWith(MACHINE_PREFIX)) throw new Error(l10n.t('{0} was connected to by hand, so it has no alias; ssh and git reach it by its own address.', pod.name));
    // What cannot be reached directly is said before anybody is asked anything.
    addressOf(pod, { now: this.parts.now(), publicPortWaitMs: defaultPublicPortWaitMs });
    await this.enable(confirmed);
    return withProgress({ location: ProgressLocation.Notification, title: l10n.t('Checking the host key of {0}', pod.name), cancellable: true }, (_progress, token) => {
      const cancel = new AbortController();
      token.onCancellationRequested(() => cancel.abort());
      return this.#keeper.ensure(pod.id, cancel.signal);
    });
  }

  get #enabled(): boolean {
    return this.parts.context.globalState.get<boolean>(CONSENT) === true;
  }

  async #withoutOurLine(): Promise<{ readonly file: string; readonly line: string }[]> {
    const missing: { file: string; line: string }[] = [];
    for (const file of userConfigs()) {
      const line = includeLine(file, this.files.config);
      if (!hasInclude((await pinFile(file).read()) ?? '', line)) missing.push({ file, line });
    }
    return missing;
  }
}

/** The configurations that are read: OpenSSH's own, and another one that the person told Remote-SSH to use (a folder has no say). */
function userConfigs(): string[] {
  const told = workspace.getConfiguration('remote.SSH').inspect<string | null>('configFile')?.globalValue ?? '';
  const other = told.replace(/^~(?=[/\\]|$)/, homedir());
  return [...new Set([join(homedir(), '.ssh', 'config'), ...(other === '' ? [] : [other])])];
}
