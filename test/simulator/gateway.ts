import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { sleep } from '../../src/base/time';
import type { ControlApi } from './control';
import type { Effect } from './faults';
import type { GraphqlApi } from './graphql/api';
import { Problem } from './problem';
import type { Reply } from './reply';
import { problemReply, type RestApi } from './rest';
import type { World } from './world';

/** A request that came in, for tests that count. */
export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly userAgent: string | undefined;
  readonly status: number | undefined;
  readonly at: number;
}

const KEPT_REQUESTS = 2000;
const MOST_BODY_BYTES = 32 * 1024 * 1024;

/** The door: faults, Cloudflare, and which API a path belongs to. Listens on loopback alone. */
export class Gateway {
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;

  constructor(
    private readonly world: World,
    private readonly rest: RestApi,
    private readonly graphql: GraphqlApi,
    private readonly control: ControlApi,
  ) {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    // Pods' guards and long log streams hold their connections; they end with the simulator.
    this.#server.requestTimeout = 0;
  }

  /** @returns the port it listens on. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return address.port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const method = request.method ?? 'GET';
    let read: Promise<Buffer> | undefined;
    const body = (): Promise<Buffer> => (read ??= readAll(request));
    if (url.pathname.startsWith('/_simulator')) return send(response, await this.control.answer({ method, url, body }), {});

    const userAgent = request.headers['user-agent'];
    const seen = { method, path: url.pathname + url.search, userAgent, status: undefined as number | undefined, at: Date.now() };
    this.requests.push(seen);
    if (this.requests.length > KEPT_REQUESTS) this.requests.shift();

    const { settings, faults } = this.world;
    if (settings.latencyMs > 0) await sleep(settings.latencyMs);
    // A body that nobody read would come back as the next request's head.
    request.on('error', () => undefined);
    const before = faults.strike(method, url.pathname, 'before');
    if (before?.kind === 'delay') await sleep(before.ms);
    else if (before !== undefined) return void (seen.status = await this.#spoil(before, request, response));
    if (refusedClient(userAgent, settings.userAgents)) return void (seen.status = await this.#spoil({ kind: 'cloudflare' }, request, response));

    const reply = await this.#answer(method, url, request, body);
    const after = faults.strike(method, url.pathname, 'after');
    if (after?.kind === 'delay') await sleep(after.ms);
    else if (after !== undefined) return void (seen.status = await this.#spoil(after, request, response));
    seen.status = reply.status;
    if (read === undefined) request.resume();
    send(response, reply, { 'x-request-id': randomUUID(), Date: new Date(this.world.clock.now()).toUTCString() });
  }

  async #answer(method: string, url: URL, request: IncomingMessage, body: () => Promise<Buffer>): Promise<Reply> {
    if (url.pathname === '/graphql') {
      if (method === 'POST') return this.graphql.answer({ url, headers: request.headers, body });
      return { status: 405, headers: { Allow: 'POST' }, text: 'Method Not Allowed' };
    }
    if (url.pathname.startsWith('/v1/') || url.pathname === '/v1')
      return problemReply(new Problem(410, 'REST v1 was retired on 2026-11-15. Use https://api.runpod.io/v2.'));
    return this.rest.answer({ method, url, headers: request.headers, body });
  }

  /** Answers with a fault. @returns the status that went out, if any. */
  async #spoil(effect: Exclude<Effect, { kind: 'delay' }>, request: IncomingMessage, response: ServerResponse): Promise<number | undefined> {
    request.resume();
    switch (effect.kind) {
      case 'hang':
        return undefined;
      case 'reset':
        request.socket.destroy();
        return undefined;
      case 'status': {
        const problem = new Problem(effect.status, effect.detail ?? detailOf(effect.status), undefined, {
          ...(effect.status === 429 || effect.retryAfter !== undefined ? { 'Retry-After': String(effect.retryAfter ?? 1) } : {}),
        });
        send(response, problemReply(problem), { 'x-request-id': randomUUID() });
        return effect.status;
      }
      case 'html':
        send(response, { status: effect.status ?? 502, headers: { 'Content-Type': 'text/html' }, text: htmlPage(effect.status ?? 502) }, {});
        return effect.status ?? 502;
      case 'truncated':
        send(response, { status: 200, headers: { 'Content-Type': 'application/json' }, text: '{"pods":[{"id":"' }, {});
        return 200;
      case 'cloudflare':
        send(response, { status: 403, headers: { 'Content-Type': 'text/html; charset=UTF-8', Server: 'cloudflare' }, text: CLOUDFLARE }, {});
        return 403;
    }
  }
}

const CLOUDFLARE = '<!doctype html>\n<html><head><title>Access denied</title></head><body><h1>Access denied</h1><p>error code: 1010</p></body></html>\n';
const htmlPage = (status: number): string => `<html>\r\n<head><title>${status} Bad Gateway</title></head>\r\n<body><center><h1>${status}</h1></center></body>\r\n</html>\r\n`;
const detailOf = (status: number): string => (status === 429 ? 'rate limit exceeded for the minute window' : status >= 500 ? 'upstream failure' : 'request could not be processed');

function refusedClient(userAgent: string | undefined, rule: 'any' | 'missing' | 'strict'): boolean {
  if (rule === 'any') return false;
  if (userAgent === undefined || userAgent === '' || userAgent.startsWith('Python-urllib/')) return true;
  return rule === 'strict' && /^(node|undici|Go-http-client\/.*|node-fetch.*|axios\/.*)$/.test(userAgent);
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES) throw new Problem(413, 'request body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, reply: Reply, extra: Readonly<Record<string, string>>): void {
  const headers: Record<string, string> = { ...extra, ...reply.headers };
  if (reply.json !== undefined) headers['Content-Type'] ??= 'application/json';
  response.writeHead(reply.status, headers);
  if (reply.stream !== undefined) return reply.stream(response);
  if (reply.json !== undefined) response.end(JSON.stringify(reply.json));
  else response.end(reply.text);
}
