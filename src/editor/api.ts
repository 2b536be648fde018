import type { Disposable } from 'vscode';
import { workspace } from 'vscode';
import type { Logger } from '../base/log';
import type { PodsApi } from '../pods/store';
import type { RunPodClient } from '../runpod/client';
import type { ApiKeys } from './apiKey';
import { originOf } from '../runpod/keyOrigin';
import { settings } from './settings';

/** The client for the configured API: loaded at first need, made anew when its address or proxy changes. */
export class Api implements Disposable {
  #client: Promise<RunPodClient> | undefined;
  #loaded: RunPodClient | undefined;
  readonly #subscriptions: Disposable;

  constructor(
    private readonly keys: ApiKeys,
    private readonly version: string,
    private readonly log: Logger,
    onAddressChanged: () => void,
  ) {
    this.#subscriptions = workspace.onDidChangeConfiguration((e) => {
      if (!e.affectsConfiguration('runpod.api') && !e.affectsConfiguration('http')) return;
      this.#drop();
      if (e.affectsConfiguration('runpod.api')) onAddressChanged();
    });
  }

  client(): Promise<RunPodClient> {
    this.#client ??= this.#make().then((client) => (this.#loaded = client));
    return this.#client;
  }

  /** A client that uses this key instead of the stored one, for checking it before it is kept; it goes to this origin or nowhere. */
  async clientFor(key: string, origin: string): Promise<RunPodClient> {
    return this.#make(async (asked) => (asked === origin ? key : undefined));
  }

  /** What the list of pods needs, or undefined where there is no key. */
  async podsApi(): Promise<PodsApi | undefined> {
    if (!(await this.keys.current())) return undefined;
    const client = await this.client();
    return {
      listPods: (how) => client.pods.list({ background: true, ...how }),
      readAccount: (how) => client.account(how),
    };
  }

  /** Milliseconds to add to this computer's clock to get the API's; 0 until it has answered once. */
  get clockOffsetMs(): number {
    return this.#loaded?.serverClock.offsetMs ?? 0;
  }

  dispose(): void {
    this.#subscriptions.dispose();
    this.#drop();
  }

  /** @param key gives the key for an origin, the one that this client was made for */
  async #make(key = async (origin: string): Promise<string | undefined> => (await this.keys.current(origin))?.key): Promise<RunPodClient> {
    const { RunPodClient } = await import('../runpod/client');
    const restUrl = settings.restUrl();
    return new RunPodClient({
      restUrl,
      graphqlUrl: settings.graphqlUrl(),
      key: async () => key(originOf(restUrl)),
      userAgent: `runpod-workspaces/${this.version} (${process.platform}; ${process.arch})`,
      proxy: settings.proxy,
      approvedOrigins: this.keys.approvedOrigins,
      log: this.log,
    });
  }

  #drop(): void {
    const old = this.#client;
    this.#client = undefined;
    this.#loaded = undefined;
    void old?.then((client) => client.dispose()).catch(() => undefined);
  }
}
