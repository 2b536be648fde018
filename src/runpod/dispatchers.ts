import type * as Undici from 'undici';
import type { Dispatcher, Pool } from 'undici';
import type { Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { ProxySettings } from './proxy';
import { proxyFor } from './proxy';
import { isUntrusted, systemCertificates } from './systemTrust';

/** A connection is not waited for longer than this, in milliseconds. */
const connectMs = 10_000;

/** The one place that loads undici: at the first call, because activation must not pay for it. */
const loadUndici = (): Promise<typeof Undici> => import('undici');

/**
 * Connections to the API, direct or through the proxy that the settings name at the time of the call.
 *
 * Writes get a connection of their own each: a kept-alive one may be closed by the server in the very moment it is used
 * again, and then nobody knows whether the write happened.
 */
export class Dispatchers implements Disposable {
  #known = new Map<string, Dispatcher>();
  #disposed = false;
  /** What counts besides Node's own certificates, once those were not enough. */
  #trusted: readonly string[] | undefined;

  /** @param fromSystem what this computer trusts, Node's own included; replaced in tests */
  constructor(
    private readonly settings: () => ProxySettings,
    private readonly fromSystem: () => readonly string[] = systemCertificates,
  ) {}

  /**
   * Sends something on its way. Where nobody whom Node knows vouches for the other end, once more with those whom this computer
   * trusts, as the editor's own requests have it; nothing has been sent by then.
   * @throws TypeError when the proxy's address cannot be read, and what `send` throws
   */
  async through<T>(target: URL, write: boolean, send: (dispatcher: Dispatcher) => Promise<T>): Promise<T> {
    try {
      return await send(await this.#for(target, write));
    } catch (error) {
      if (this.#trusted !== undefined || !isUntrusted(error) || this.settings().systemCertificates === false) throw error;
      this.#trusted = this.fromSystem();
      if (this.#trusted.length === 0) throw error;
      return send(await this.#for(target, write));
    }
  }

  async #for(target: URL, write: boolean): Promise<Dispatcher> {
    const settings = this.settings();
    const proxy = proxyFor(target, settings);
    const undici = await loadUndici();
    const trusted = settings.systemCertificates === false ? [] : (this.#trusted ?? []);
    const key = JSON.stringify([proxy?.href, settings.authorization, settings.strictSsl, trusted.length, write]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = create(undici, proxy, settings, write, trusted);
    if (this.#disposed) void made.close();
    else this.#known.set(key, made);
    return made;
  }

  /** Running requests may end; new ones are not taken. */
  dispose(): void {
    this.#disposed = true;
    for (const dispatcher of this.#known.values()) void dispatcher.close();
    this.#known.clear();
  }
}

function create(undici: typeof Undici, proxy: URL | undefined, settings: ProxySettings, write: boolean, trusted: readonly string[]): Dispatcher {
  const tls = { rejectUnauthorized: settings.strictSsl, timeout: connectMs, ...(trusted.length === 0 ? {} : { ca: [...trusted] }) };
  // Deadlines are kept per call, over the whole of it; undici's own would only cut them short.
  const common = { headersTimeout: 0, bodyTimeout: 0, pipelining: write ? 0 : 1, keepAliveMaxTimeout: 30_000 };
  if (proxy === undefined) return new undici.Agent({ ...common, connect: tls });
  const token = settings.authorization ?? basicAuth(proxy);
  const bare = new URL(proxy);
  bare.username = '';
  bare.password = '';
  return new undici.ProxyAgent({
    ...common,
    uri: bare.href,
    ...(token === undefined ? {} : { token }),
    requestTls: tls,
    proxyTls: tls,
    clientFactory: (origin, options) => tunnels(new undici.Pool(origin, { ...options, headersTimeout: connectMs })),
  });
}

const basicAuth = (proxy: URL): string | undefined =>
  proxy.username === '' ? undefined : `Basic ${Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString('base64')}`;

type OpenTunnel = (options: Omit<Dispatcher.ConnectOptions, 'origin'>) => Promise<Dispatcher.ConnectData>;

/** A proxy that hangs up on CONNECT gives an error which undici takes for a passing one and retries for ever; it is not. */
function tunnels(pool: Pool): Pool {
  const connect: OpenTunnel = pool.connect.bind(pool);
  const reporting: OpenTunnel = (options) =>
    connect(options).catch((cause: unknown) => {
      throw new Error(`The proxy did not open a tunnel: ${messageOf(cause)}`, { cause });
    });
  return Object.assign(pool, { connect: reporting });
}
