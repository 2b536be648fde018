import type { IncomingHttpHeaders } from 'node:http';
import { Contract } from './contract';
import type { Lifecycle } from './lifecycle';
import type { ProxyAddress } from './podView';
import { Problem, badRequest, forbidden, notFound } from './problem';
import { RateLimiter } from './ratelimit';
import type { Reply } from './reply';
import type { ContractVersion } from './settings';
import type { Permission, World } from './world';

/** Whose key a request carries. */
export type Principal = { readonly kind: 'account'; readonly permission: Permission } | { readonly kind: 'pod'; readonly podId: string };

export interface Service {
  readonly world: World;
  readonly lifecycle: Lifecycle;
  readonly proxy: () => ProxyAddress;
}

export interface Call extends Service {
  readonly params: Readonly<Record<string, string>>;
  /** Parameters that the contract names, as values of their types. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly rawQuery: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly principal: Principal;
  readonly template: string;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As the contract writes it, for example `/v2/pods/{id}`. */
  readonly template: string;
  /** A pod's own key may call it for its own pod. */
  readonly podKey?: true;
  /** Only from this state of the contract on. */
  readonly since?: ContractVersion;
  readonly handle: (call: Call) => Reply | Promise<Reply>;
}

export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: () => Promise<Buffer>;
}

/** The size above which a body, or one made larger by its template, is refused (`2026-10`). */
export const LARGEST_BODY = 102_400;

/** REST v2: who may, how often, which route, is the request to the letter, and what the route answers. */
export class RestApi {
  readonly #contracts = new Map<ContractVersion, Contract>();
  readonly limiter: RateLimiter;
  /** Answers that broke the contract, newest last. Faults that ask for such answers show here too. */
  readonly violations: string[] = [];
  /** Method, path template and status of all answers so far. */
  readonly answered = new Set<string>();

  constructor(
    private readonly service: Service,
    private readonly routes: readonly Route[],
  ) {
    this.limiter = new RateLimiter(() => service.world.settings.quotas);
  }

  get contract(): Contract {
    const { contract } = this.service.world.settings;
    const known = this.#contracts.get(contract) ?? new Contract(contract);
    this.#contracts.set(contract, known);
    return known;
  }

  async answer(request: Request): Promise<Reply> {
    let limits: Record<string, string> = {};
    let template: string | undefined;
    try {
      const principal = this.authenticate(request.headers.authorization);
      limits = this.limiter.take(principal.kind === 'account' ? 'account' : principal.podId);
      const found = this.#find(request);
      template = found.route.template;
      const reply = await this.#run(found, request, principal);
      return this.#judged(request.method, template, withHeaders(reply, limits));
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(500, `the simulator failed: ${String(error)}`);
      if (problem.status === 500) this.violations.push(`${request.method} ${request.url.pathname}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return this.#judged(request.method, template, withHeaders(problemReply(problem), limits));
    }
  }

  /** @throws Problem 401 */
  authenticate(authorization: string | undefined): Principal {
    if (authorization === undefined) throw new Problem(401, 'missing bearer token');
    const key = /^Bearer (\S+)$/i.exec(authorization)?.[1];
    if (key === undefined) throw new Problem(401, 'malformed authorization header');
    const principal = this.principalOf(key);
    if (principal === undefined) throw new Problem(401, 'invalid API key');
    return principal;
  }

  principalOf(key: string): Principal | undefined {
    const { account, pods } = this.service.world;
    const permission = account.keys.get(key);
    if (permission !== undefined) return { kind: 'account', permission };
    const pod = [...pods.values()].find((p) => p.key === key);
    return pod === undefined ? undefined : { kind: 'pod', podId: pod.id };
  }

  #find(request: Request): { route: Route; params: Record<string, string> } {
    const october = this.service.world.settings.contract === '2026-10';
    const known = this.routes.filter((route) => route.since === undefined || october);
    const matches = known.flatMap((route) => {
      const params = match(route.template, request.url.pathname);
      return params === undefined ? [] : [{ route, params }];
    });
    // `/registries/delegations` is a list of its own, not the registry with that id.
    const exact = matches.filter(({ route }) => !route.template.includes('{'));
    const candidates = exact.length > 0 ? exact : matches;
    const found = candidates.find(({ route }) => route.method === request.method);
    if (found !== undefined) return found;
    const first = candidates[0];
    if (first === undefined) throw notFound();
    const allow = [...new Set([...this.contract.methods(first.route.template), ...candidates.map(({ route }) => route.method)])];
    throw new Problem(405, 'The requested method is not allowed for this path.', undefined, { Allow: allow.join(', ') });
  }

  async #run(found: { route: Route; params: Record<string, string> }, request: Request, principal: Principal): Promise<Reply> {
    const { route, params } = found;
    this.#authorize(route, params, principal);
    const body = this.contract.takesBody(route.method, route.template) ? await this.#readBody(request) : undefined;
    if (body !== undefined) this.contract.checkBody(route.method, route.template, body);
    const query = this.contract.readQuery(route.method, route.template, request.url.searchParams);
    return route.handle({
      ...this.service,
      params,
      query,
      rawQuery: request.url.searchParams,
      headers: request.headers,
      body,
      principal,
      template: route.template,
    });
  }

  #authorize(route: Route, params: Record<string, string>, principal: Principal): void {
    if (principal.kind === 'pod') {
      if (route.podKey !== true || params['id'] !== principal.podId) throw forbidden();
    } else if (principal.permission === 'read' && route.method !== 'GET') throw forbidden();
  }

  async #readBody(request: Request): Promise<unknown> {
    const bytes = await request.body();
    if (this.service.world.settings.contract === '2026-10' && bytes.length > LARGEST_BODY)
      throw new Problem(413, `request body exceeds ${LARGEST_BODY} bytes`);
    if (bytes.length === 0) throw badRequest('request body is required');
    try {
      return JSON.parse(bytes.toString('utf8')) as unknown;
    } catch {
      throw badRequest('request body is not valid JSON');
    }
  }

  #judged(method: string, template: string | undefined, reply: Reply): Reply {
    const type = reply.headers?.['Content-Type']?.split(';')[0] ?? (reply.json === undefined ? undefined : 'application/json');
    const violations = [
      ...this.contract.judgeAnswer(method, template, reply.status, type, reply.json),
      ...(template === undefined ? [] : this.contract.judgeHeaders(method, template, reply.status, reply.headers ?? {})),
    ];
    this.answered.add(`${method} ${template ?? '?'} ${reply.status}`);
    for (const violation of violations) this.violations.push(`${method} ${template ?? '?'} ${reply.status}: ${violation}`);
    return reply;
  }
}

export const problemReply = (problem: Problem): Reply => ({
  status: problem.status,
  headers: { 'Content-Type': 'application/problem+json', ...problem.headers },
  json: problem.body,
});

const withHeaders = (reply: Reply, headers: Readonly<Record<string, string>>): Reply => ({ ...reply, headers: { ...headers, ...reply.headers } });

/** The path parameters, or `undefined` when the path is not of this template. */
function match(template: string, path: string): Record<string, string> | undefined {
  const want = template.split('/');
  const got = path.split('/');
  if (want.length !== got.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    const text = got[i] ?? '';
    if (part.startsWith('{')) {
      if (text === '') return undefined;
      params[part.slice(1, -1)] = decoded(text);
    } else if (part !== text) return undefined;
  }
  return params;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
