import type { Disposable } from '../base/disposable';
import type { Logger } from '../base/log';
import { AccountApi } from './account';
import { Dispatchers } from './dispatchers';
import type { RunPodError } from './errors';
import { DEFAULT_GRAPHQL_URL, isLoopback, mayShareKey, originOf } from './keyOrigin';
import { PodsApi } from './pods';
import type { ProxySettings } from './proxy';
import type { RateWindow } from './rateLimit';
import { BillingApi, CatalogApi, NetworkVolumesApi, TemplatesApi } from './resources';
import { ServerClock } from './serverClock';
import { SpotApi } from './spot';
import { SshKeysApi } from './sshKeys';
import { defaultTimings, type Timings } from './timings';
import { Transport, type ReadOptions } from './transport';
import type { Account } from './types';

export interface RunPodClientOptions {
  /** For example `https://api.runpod.io/v2`. */
  readonly restUrl: string;
  readonly graphqlUrl?: string;
  /** Asked before each call. The key must be the one bound to the origin of `restUrl`. */
  readonly key: () => Promise<string | undefined>;
  /** Origins to which the person has allowed the key by name; counts for `graphqlUrl`. */
  readonly approvedOrigins?: readonly string[];
  /** The network in front of RunPod refuses some libraries' defaults, so it is always our own. */
  readonly userAgent: string;
  readonly proxy?: ProxySettings | (() => ProxySettings);
  /** What this computer trusts, Node's own certificates included; replaced in tests. */
  readonly systemCertificates?: (() => readonly string[]) | undefined;
  readonly log: Logger;
  readonly timings?: Partial<Timings>;
}

/**
 * RunPod's API v2. Every call ends, within its deadline and the wait for the rate limit, in an answer, a `RunPodError`
 * or a `CancelledError`. Creating a client does no I/O.
 */
export class RunPodClient implements Disposable {
  readonly pods: PodsApi;
  readonly catalog: CatalogApi;
  readonly templates: TemplatesApi;
  readonly sshKeys: SshKeysApi;
  readonly networkVolumes: NetworkVolumesApi;
  readonly billing: BillingApi;
  /** Over GraphQL, while that lasts. */
  readonly spot: SpotApi;
  /** The API's time, as its answers tell it. */
  readonly serverClock = new ServerClock();
  readonly #rest: Transport;
  readonly #graphql: Transport;
  readonly #dispatchers: Dispatchers;
  readonly #account: AccountApi;

  constructor(options: RunPodClientOptions) {
    const { restUrl, graphqlUrl = DEFAULT_GRAPHQL_URL, key, userAgent, log, proxy, approvedOrigins = [] } = options;
    const settings = typeof proxy === 'function' ? proxy : (): ProxySettings => proxy ?? { strictSsl: true, env: {} };
    this.#dispatchers = new Dispatchers(settings, options.systemCertificates);
    const timings = { ...defaultTimings, ...options.timings };
    const shared = { key, userAgent, log, timings, dispatchers: this.#dispatchers };
    this.#rest = new Transport({ ...shared, baseUrl: restUrl, clock: this.serverClock });
    const graphql = splitPath(graphqlUrl);
    this.#graphql = new Transport({
      ...shared,
      // What is optional in every use is not worth a warning at every poll; the account's own line comes once.
      log: { trace: (line) => log.trace(line), debug: (line) => log.debug(line), info: (line) => log.info(line), warn: (line) => log.debug(line), error: (line) => log.error(line) },
      baseUrl: graphql.base,
      clock: new ServerClock(),
      guard: (origin) => {
        if (!mayShareKey(originOf(restUrl), origin, approvedOrigins)) throw new TypeError(`The key belongs to ${originOf(restUrl)} and is not sent to ${origin}`);
      },
    });
    this.pods = new PodsApi(this.#rest, this.serverClock, log, URL.canParse(restUrl) && isLoopback(new URL(restUrl).hostname));
    this.catalog = new CatalogApi(this.#rest, log);
    this.templates = new TemplatesApi(this.#rest, log);
    this.sshKeys = new SshKeysApi(this.#rest);
    this.networkVolumes = new NetworkVolumesApi(this.#rest, log);
    this.billing = new BillingApi(this.#rest, log);
    this.spot = new SpotApi(this.#graphql, graphql.path);
    this.#account = new AccountApi(this.#graphql, graphql.path, log);
  }

  /** Balance and burn of the account; `undefined` when they cannot be read, for which `accountProblem` has the reason. */
  account(options: ReadOptions = {}): Promise<Account | undefined> {
    return this.#account.read(options);
  }

  get accountProblem(): RunPodError | undefined {
    return this.#account.problem;
  }

  /** What RunPod last told about the request quota; empty as long as it told nothing. */
  get rateLimit(): readonly RateWindow[] {
    return this.#rest.rateLimit.windows;
  }

  /** Ends reads and streams; a write that is under way is let finish. */
  dispose(): void {
    this.#rest.dispose();
    this.#graphql.dispose();
    this.#dispatchers.dispose();
  }
}

/** What cannot be parsed, or holds a password, is left whole for the call to refuse. */
function splitPath(url: string): { readonly base: string; readonly path: string } {
  if (!URL.canParse(url) || new URL(url).username !== '' || new URL(url).password !== '') return { base: url, path: '' };
  const { origin, pathname, search } = new URL(url);
  return { base: origin, path: pathname + search };
}
