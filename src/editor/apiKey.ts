import type { ExtensionContext } from 'vscode';
import { l10n, window } from 'vscode';
import { Emitter } from '../base/emitter';
import { mayUseEnvironmentKey, originOf, secretNameFor } from '../runpod/keyOrigin';
import { settings } from './settings';

const APPROVED = 'runpod.approvedOrigins';
const SIGNED_OUT = 'runpod.signedOutOrigins';
const ENVIRONMENT = 'RUNPOD_API_KEY';

/** Where the key in use comes from. */
export type KeySource = 'secret' | 'environment';

/**
 * The API key for the configured API. It is kept in the editor's secret storage per API origin and never sent to
 * another; the environment's key goes only where `mayUseEnvironmentKey` lets it, or to an origin approved by name.
 */
export class ApiKeys {
  #changed = new Emitter<void>();
  readonly onDidChange = this.#changed.event;

  constructor(private readonly context: Pick<ExtensionContext, 'secrets' | 'globalState' | 'subscriptions'>) {
    context.subscriptions.push(
      this.#changed,
      context.secrets.onDidChange((e) => {
        if (e.key === secretNameFor(this.origin)) this.#changed.fire();
      }),
    );
  }

  get origin(): string {
    return originOf(settings.restUrl());
  }

  async current(): Promise<{ key: string; source: KeySource } | undefined> {
    const origin = this.origin;
    const stored = await this.context.secrets.get(secretNameFor(origin));
    if (stored) return { key: stored, source: 'secret' };
    const fromEnvironment = process.env[ENVIRONMENT]?.trim();
    if (!fromEnvironment || this.#list(SIGNED_OUT).includes(origin)) return undefined;
    return mayUseEnvironmentKey(origin, this.#list(APPROVED)) ? { key: fromEnvironment, source: 'environment' } : undefined;
  }

  /** The environment holds a key that this origin has not been approved for. */
  get environmentKeyWithheld(): boolean {
    return Boolean(process.env[ENVIRONMENT]?.trim()) && !mayUseEnvironmentKey(this.origin, this.#list(APPROVED));
  }

  get environmentKeyPresent(): boolean {
    return Boolean(process.env[ENVIRONMENT]?.trim());
  }

  /** Asks once, by name, whether the environment's key may go to an address that is not RunPod's own. */
  async approveEnvironmentKey(): Promise<boolean> {
    const origin = this.origin;
    const send = l10n.t('Send the Key to {0}', origin);
    const answer = await window.showWarningMessage(
      l10n.t('The setting runpod.api.restUrl points to {0}, which is not RunPod. Send the API key from RUNPOD_API_KEY there?', origin),
      { modal: true, detail: l10n.t('Whoever runs that address can use the key to create and delete pods at your cost.') },
      send,
    );
    if (answer !== send) return false;
    await this.context.globalState.update(APPROVED, [...this.#list(APPROVED), origin]);
    await this.useEnvironmentKey();
    return true;
  }

  async store(key: string): Promise<void> {
    await this.context.secrets.store(secretNameFor(this.origin), key);
    await this.#forgetSignOut();
    this.#changed.fire();
  }

  async useEnvironmentKey(): Promise<void> {
    await this.#forgetSignOut();
    this.#changed.fire();
  }

  /** Forgets the stored key; an environment key is left alone from now on, until it is chosen again. */
  async signOut(): Promise<void> {
    const origin = this.origin;
    await this.context.globalState.update(SIGNED_OUT, [...new Set([...this.#list(SIGNED_OUT), origin])]);
    await this.context.secrets.delete(secretNameFor(origin));
    this.#changed.fire();
  }

  get approvedOrigins(): readonly string[] {
    return this.#list(APPROVED);
  }

  async #forgetSignOut(): Promise<void> {
    await this.context.globalState.update(SIGNED_OUT, this.#list(SIGNED_OUT).filter((o) => o !== this.origin));
  }

  #list(name: string): readonly string[] {
    return this.context.globalState.get<string[]>(name) ?? [];
  }
}
