import { isLoopback } from './keyOrigin';

/** What the editor's settings and the environment say about proxies. */
export interface ProxySettings {
  /** `http.proxy`; goes before the variables. */
  readonly url?: string;
  /** `http.proxyStrictSSL`: whether certificates are checked. Also holds without a proxy. */
  readonly strictSsl: boolean;
  /** `http.systemCertificates`: whether those that this computer trusts count too; they do unless told. */
  readonly systemCertificates?: boolean;
  /** `http.noProxy`. */
  readonly noProxy?: readonly string[];
  /** `http.proxyAuthorization`: the whole `Proxy-Authorization` header. */
  readonly authorization?: string;
  /** `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read from here, in either case. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

function variable(env: ProxySettings['env'], name: string): string | undefined {
  const value = env[name.toLowerCase()] ?? env[name.toUpperCase()];
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

/** Whether one entry of a no-proxy list names this target: `*`, `host`, `.host`, `*.host`, each with or without port. */
function excludes(entry: string, target: URL): boolean {
  const match = /^(.*?)(?::(\d+))?$/.exec(entry.trim().toLowerCase());
  let host = match?.[1] ?? '';
  const port = match?.[2];
  if (host === '*') return true;
  // An IPv6 address holds colons itself, so its last group is no port unless it is in brackets.
  if (entry.includes('::') && !entry.includes(']')) host = `[${entry.trim().toLowerCase()}]`;
  else if (port !== undefined && port !== (target.port || (target.protocol === 'https:' ? '443' : '80'))) return false;
  host = host.replace(/^\*?\./, '');
  if (host === '') return false;
  const name = target.hostname.toLowerCase();
  return name === host || name.endsWith(`.${host}`);
}

/**
 * The proxy through which a target is reached, or `undefined` for none. This machine is never reached through one.
 * @throws TypeError when the proxy's address cannot be read or its kind is not supported.
 */
export function proxyFor(target: URL, settings: ProxySettings): URL | undefined {
  if (isLoopback(target.hostname)) return undefined;
  const { env } = settings;
  const set = settings.url?.trim();
  const url = set !== undefined && set !== '' ? set : (variable(env, 'HTTPS_PROXY') ?? variable(env, 'HTTP_PROXY') ?? variable(env, 'ALL_PROXY'));
  if (url === undefined) return undefined;
  const never = [...(settings.noProxy ?? []), ...(variable(env, 'NO_PROXY')?.split(/[\s,]+/) ?? [])];
  if (never.some((entry) => excludes(entry, target))) return undefined;
  const proxy = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`);
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') throw new TypeError(`Proxies of the kind ${proxy.protocol.replace(':', '')} are not supported`);
  return proxy;
}
