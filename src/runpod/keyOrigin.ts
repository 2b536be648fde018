/**
 * Where a key may go. A key is stored per API origin and never sent to another, because the address of the API is a
 * setting, and a setting can be changed by someone who should not see the key.
 */

export const DEFAULT_REST_URL = 'https://api.runpod.io/v2';
export const DEFAULT_GRAPHQL_URL = 'https://api.runpod.io/graphql';
export const DEFAULT_ORIGIN = 'https://api.runpod.io';

/** The hosts under which RunPod itself serves one and the same REST API. */
const runpodOrigins = [DEFAULT_ORIGIN, 'https://v2-rest.runpod.io'];
export const isRunPod = (origin: string): boolean => runpodOrigins.includes(origin);

/** Whether a host name, as `URL.hostname` gives it, can only mean this machine. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.toLowerCase();
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

const isLoopbackOrigin = (origin: string): boolean => isLoopback(new URL(origin).hostname);

/**
 * The origin a key for this address is bound to, for example `https://api.runpod.io`.
 * @throws TypeError when it is no http(s) address, carries a user or password, or is plain HTTP to another machine.
 */
export function originOf(url: string): string {
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') throw new TypeError(`Not an http(s) address: ${parsed.protocol}`);
  if (parsed.username !== '' || parsed.password !== '') throw new TypeError('An API address carries no user or password');
  if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname)) throw new TypeError(`Not HTTPS, so no key goes there: ${parsed.origin}`);
  return parsed.origin;
}

/** Under which name the key for an origin is stored in the editor's secrets. */
export const secretNameFor = (origin: string): string => `runpod.apiKey:${origin}`;

/**
 * Whether `RUNPOD_API_KEY` of the environment, which names no origin, may be sent to this one.
 * @param ownMachine false where the settings lie on another machine than the one that connects: what listens on this
 *   machine may then be a port forwarded from that one
 */
export function mayUseEnvironmentKey(origin: string, approved: readonly string[], ownMachine = true): boolean {
  return origin === DEFAULT_ORIGIN || (ownMachine && isLoopbackOrigin(origin)) || approved.includes(origin);
}

/** Whether a person may give a key to this origin without having been told its name first. */
export const isKnownOrigin = (origin: string, approved: readonly string[], ownMachine = true): boolean =>
  isRunPod(origin) || mayUseEnvironmentKey(origin, approved, ownMachine);

/**
 * Whether the key of a REST origin may also be sent to a GraphQL origin: the same one, RunPod's own pair, both on this
 * machine (a simulator), or approved by name. A key of the real service does not go to this machine unasked.
 */
export function mayShareKey(restOrigin: string, graphqlOrigin: string, approved: readonly string[] = []): boolean {
  if (restOrigin === graphqlOrigin || approved.includes(graphqlOrigin)) return true;
  if (isRunPod(restOrigin) && graphqlOrigin === DEFAULT_ORIGIN) return true;
  return isLoopbackOrigin(restOrigin) && isLoopbackOrigin(graphqlOrigin);
}
