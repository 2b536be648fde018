import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from '../../src/base/log';
import { RunPodClient } from '../../src/runpod/client';
import type { RunPodClientOptions } from '../../src/runpod/client';
import { RunPodError } from '../../src/runpod/errors';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

type Answer = (seen: Seen, response: ServerResponse, index: number) => void | Promise<void>;

/** A real HTTP server on this machine that answers as the test says, for the faults that no simulator shows. */
export class ScriptedServer {
  readonly seen: Seen[] = [];
  #sockets = new Set<Socket>();

  private constructor(
    readonly server: Server,
    public answer: Answer,
  ) {}

  static async start(answer: Answer, create: (listener: RequestListener) => Server = createServer): Promise<ScriptedServer> {
    const listener: RequestListener = (request, response) => void scripted.#handle(request, response);
    const server = create(listener);
    const scripted = new ScriptedServer(server, answer);
    server.on('connection', (socket: Socket) => {
      scripted.#sockets.add(socket);
      socket.on('close', () => scripted.#sockets.delete(socket)).on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get restUrl(): string {
    return `${this.origin}/v2`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  count(method: string): number {
    return this.seen.filter((one) => one.method === method).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? '/', 'http://server');
    const seen: Seen = {
      method: request.method ?? '',
      url: request.url ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
    this.seen.push(seen);
    await this.answer(seen, response, this.seen.length - 1);
  }
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers });
  response.end(JSON.stringify(body));
}

export const problem = (response: ServerResponse, status: number, detail: string, headers: Record<string, string> = {}, more: object = {}): void =>
  json(response, status, { title: `Title ${status}`, status, detail, ...more }, headers);

export const html = (response: ServerResponse, status: number, page: string): void => {
  response.writeHead(status, { 'content-type': 'text/html' });
  response.end(page);
};

export const secretKey = 'rpa_TESTKEY0123456789';

/** Collects what is logged. */
export class RecordingLog implements Logger {
  readonly lines: string[] = [];
  trace = (line: string): void => void this.lines.push(line);
  debug = this.trace;
  info = this.trace;
  warn = this.trace;
  error = this.trace;
}

export function clientFor(restUrl: string, more: Partial<RunPodClientOptions> = {}): RunPodClient {
  return new RunPodClient({
    restUrl,
    graphqlUrl: `${new URL(restUrl).origin}/graphql`,
    key: () => Promise.resolve(secretKey),
    userAgent: 'runpod-workspaces-test/1.0',
    log: new RecordingLog(),
    ...more,
    timings: { callMs: 5_000, createMs: 5_000, backoffBaseMs: 5, backoffCapMs: 20, ...more.timings },
  });
}

export async function failure(promise: Promise<unknown>): Promise<RunPodError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RunPodError) return error;
    throw error;
  }
  throw new Error('It was expected to fail');
}

export const pod = (id: string, more: object = {}): Record<string, unknown> => ({
  id,
  name: `name-${id}`,
  status: 'RUNNING',
  actions: ['stop', 'restart', 'terminate'],
  image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
  args: '',
  disk: 50,
  mounts: { persistent: { size: 20, path: '/workspace' } },
  ports: ['22/tcp'],
  env: {},
  registry: null,
  template: null,
  gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
  cloud: 'SECURE',
  dataCenterId: 'US-KS-2',
  cudaVersion: '12.8',
  ssh: { proxy: null, direct: null },
  cost: 0.44,
  locked: false,
  globalNetworking: { enabled: false },
  runtime: null,
  createdAt: '2026-06-01T12:00:00Z',
  startedAt: null,
  ...more,
});
