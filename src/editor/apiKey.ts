import type { ExtensionContext } from 'vscode';
import { l10n } from 'vscode';
import { Emitter } from '../base/emitter';
import { isKnownOrigin, mayUseEnvironmentKey, originOf, secretNameFor } from '../runpod/keyOrigin';
import { besideRemoteWindow, settings } from './settings';
import { notice } from './prompts/notice';

const APPROVED = 'runpod.approvedOrigins';
const SIGNED_OUT = 'runpod.signedOutOrigins';
const NAMES = 'runpod.accounts';
const ACTIVE = 'runpod.activeAccount';
const ENVIRONMENT = 'RUNPOD_API_KEY';

/** Where the key in use comes from. */
export type KeySource = 'secret' | 'environment';

/** Per API origin. */
type ByOrigin<T> = Readonly<Record<string, T>>;

/**
 * The API keys for the configured API: one, or several by name (accounts, teams), of which each window uses one. A key is kept in the editor's secret storage per API origin and never sent to
 * another; the environment's key goes only where `mayUseEnvironmentKey` lets it, or to an origin approved by name.
 */
export class ApiKeys {
  #changed = new Emitter<void>();
  readonly onDidChange = this.#changed.event;

  constructor(private readonly context: Pick<ExtensionContext, 'secrets' | 'globalState' | 'workspaceState' | 'subscriptions'>) {
    context.subscriptions.push(
      this.#changed,
      context.secrets.onDidChange((e) => {
        if (e.key === this.#secretName(this.active)) this.#changed.fire();
      }),
    );
  }

  get origin(): string {
    return originOf(settings.restUrl());
  }

  /** The origin and, where there are several keys, the name of the one in use: what a pod of one account must not be looked for with. */
  get account(): string {
    return this.active === undefined ? this.origin : `${this.origin}#${this.active}`;
  }

  /** Name of the key that this window uses; undefined for the one without a name. */
  get active(): string | undefined {
    const { origin } = this;
    const { workspaceState, globalState } = this.context;
    // A window keeps to its account; a new one begins with the one that was chosen last. Empty stands for the unnamed key.
    const name = workspaceState.get<ByOrigin<string>>(ACTIVE)?.[origin] ?? globalState.get<ByOrigin<string>>(ACTIVE)?.[origin];
    return name !== undefined && this.names.includes(name) ? name : undefined;
  }

  /** Names of the keys kept for this API, besides the one without a name. */
  get names(): readonly string[] {
    return this.context.globalState.get<ByOrigin<readonly string[]>>(NAMES)?.[this.origin] ?? [];
  }

  /** Whether there is a key without a name. */
  async hasUnnamed(): Promise<boolean> {
    return (await this.context.secrets.get(this.#secretName(undefined))) !== undefined;
  }

  /** Uses this key in this window, and in windows opened from now on. */
  async use(name: string | undefined): Promise<void> {
    await this.#activate(name);
    this.#changed.fire();
  }

  /** Forgets a key that has a name. */
  async forget(name: string): Promise<void> {
    const was = this.active === name;
    await this.#setNames(this.names.filter((n) => n !== name));
    await this.context.secrets.delete(this.#secretName(name));
    if (was) this.#changed.fire();
  }

  /** @param expected the origin it is wanted for: should the setting name another by now, there is none */
  async current(expected?: string): Promise<{ key: string; source: KeySource } | undefined> {
    const origin = this.origin;
    if (expected !== undefined && expected !== origin) return undefined;
    const name = this.active;
    const stored = await this.context.secrets.get(this.#secretName(name));
    if (stored) return { key: stored, source: 'secret' };
    // A window that uses a named account never falls back to another's key.
    if (name !== undefined) return undefined;
    const fromEnvironment = process.env[ENVIRONMENT]?.trim();
    if (!fromEnvironment || this.#list(SIGNED_OUT).includes(origin)) return undefined;
    return mayUseEnvironmentKey(origin, this.#list(APPROVED), this.#ownMachine) ? { key: fromEnvironment, source: 'environment' } : undefined;
  }

  get environmentKeyPresent(): boolean {
    return Boolean(process.env[ENVIRONMENT]?.trim());
  }

  /**
   * The origin that a key is about to be given to. One that is not RunPod's own, nor this machine, is asked about once, by name:
   * its address is a setting, and in a remote window a setting may be the remote's.
   * @throws CancelledError
   */
  async destination(): Promise<string> {
    const origin = this.origin;
    if (isKnownOrigin(origin, this.#list(APPROVED), this.#ownMachine)) return origin;
    const send = l10n.t('Send the Key to {0}', origin);
    const question = l10n.t('The setting runpod.api.restUrl points to {0}, which is not RunPod. Send an API key there?', origin);
    await notice.confirm(question, l10n.t('Whoever runs that address can use the key to create and delete pods at your cost.'), send);
    await this.context.globalState.update(APPROVED, [...this.#list(APPROVED), origin]);
    return origin;
  }

  /**
   * @param name what to keep it as, beside the others; in place of the one in use when absent
   * @param origin where it has been checked: should the setting have changed since, it is not kept for another
   */
  async store(key: string, name: string | undefined = this.active, origin: string = this.origin): Promise<void> {
    if (origin !== this.origin) throw new Error(l10n.t('The key was not kept: runpod.api.restUrl has changed from {0} to {1} meanwhile.', origin, this.origin));
    await this.context.secrets.store(this.#secretName(name), key);
    if (name !== undefined && !this.names.includes(name)) await this.#setNames([...this.names, name]);
    if (name !== this.active) await this.#activate(name);
    await this.#forgetSignOut();
    this.#changed.fire();
  }

  async useEnvironmentKey(): Promise<void> {
    await this.#activate(undefined);
    await this.#forgetSignOut();
    this.#changed.fire();
  }

  /** Forgets the stored key; an environment key is left alone from now on, until it is chosen again. */
  async signOut(): Promise<void> {
    const name = this.active;
    if (name !== undefined) return this.forget(name);
    const origin = this.origin;
    await this.context.globalState.update(SIGNED_OUT, [...new Set([...this.#list(SIGNED_OUT), origin])]);
    await this.context.secrets.delete(secretNameFor(origin));
    this.#changed.fire();
  }

  get approvedOrigins(): readonly string[] {
    return this.#list(APPROVED);
  }

  get #ownMachine(): boolean {
    return !besideRemoteWindow();
  }

  #secretName(name: string | undefined): string {
    return name === undefined ? secretNameFor(this.origin) : `${secretNameFor(this.origin)}#${name}`;
  }

  async #activate(name: string | undefined): Promise<void> {
    for (const state of [this.context.workspaceState, this.context.globalState])
      await state.update(ACTIVE, { ...state.get<ByOrigin<string>>(ACTIVE), [this.origin]: name ?? '' });
  }

  async #setNames(names: readonly string[]): Promise<void> {
    await this.context.globalState.update(NAMES, { ...this.context.globalState.get<ByOrigin<readonly string[]>>(NAMES), [this.origin]: names });
  }

  async #forgetSignOut(): Promise<void> {
    await this.context.globalState.update(SIGNED_OUT, this.#list(SIGNED_OUT).filter((o) => o !== this.origin));
  }

  #list(name: string): readonly string[] {
    return this.context.globalState.get<string[]>(name) ?? [];
  }
}

/** For people, the account in use where there are several; undefined where there is nothing to tell apart. */
export const accountName = ({ active, names }: Pick<ApiKeys, 'active' | 'names'>): string | undefined => (names.length === 0 ? undefined : (active ?? l10n.t('key without a name')));
