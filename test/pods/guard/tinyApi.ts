import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface TinyPod {
  readonly id: string;
  status: string;
  startedAt: string;
  cost: number;
  locked: boolean;
  env: Record<string, string>;
}

export interface TinyCall {
  readonly method: string;
  readonly path: string;
  readonly userAgent: string;
  readonly authorization: string;
  readonly body: string;
  /** Seconds since 1970 by the API's clock. */
  readonly at: number;
}

/** What the API does to a call instead of answering it. */
export type Trouble = 'reset' | 'hang' | 'page' | 'moved' | number;

/** RunPod's API as a guard sees it: its own pod, two actions and the GraphQL remnant, with a clock of its own. */
export class TinyApi {
  readonly calls: TinyCall[] = [];
  /** Actions that were carried out: `stop 1760000000`. */
  readonly done: { readonly action: string; readonly at: number }[] = [];
  pod: TinyPod;
  /** Answers 401 and 403 to these actions. */
  refused: Record<string, 401 | 403> = {};
  graphql: 'on' | 'refused' | 'off' = 'on';
  /** Asked for each call. */
  trouble: (call: TinyCall) => Trouble | undefined = () => undefined;
  /** The work is done and the answer is lost. */
  loseAnswer: (call: TinyCall) => boolean = () => false;
  /** What the `Date` header says instead of the time. */
  date: (() => string | undefined) | undefined;
  headers: Record<string, string> = {};
  /** Indents its JSON. */
  pretty = false;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #sockets = new Set<Socket>();
  #from = performance.now();
  #base = Date.UTC(2026, 9, 1, 12, 0, 0);
  #speed: number;

  private constructor(speed: number, id: string) {
    this.#speed = speed;
    this.pod = { id, status: 'RUNNING', startedAt: new Date(this.#base).toISOString(), cost: 0.69, locked: false, env: {} };
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** @param speed of its clock against ours */
  static async open(speed = 1, id = 'guarded01'): Promise<TinyApi> {
    const api = new TinyApi(speed, id);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#base + (performance.now() - this.#from) * this.#speed;
  }

  /** The clock jumps by so many seconds. */
  jump(seconds: number): void {
    this.#base += seconds * 1000;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v2`;
  }

  get graphqlUrl(): string {
    return this.url.replace(/v2$/, 'graphql');
  }

  /** The pod is started anew. */
  startAgain(): void {
    this.pod = { ...this.pod, status: 'RUNNING', startedAt: new Date(this.now).toISOString() };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const call: TinyCall = {
      method: request.method ?? '',
      path: request.url ?? '',
      userAgent: request.headers['user-agent'] ?? '',
      authorization: request.headers.authorization ?? '',
      body: Buffer.concat(chunks).toString(),
      at: this.now / 1000,
    };
    this.calls.push(call);
    const trouble = this.trouble(call);
    if (trouble === 'reset') return void request.socket.destroy();
    if (trouble === 'hang') return;
    if (trouble === 'page') return void response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<html><body>Sign in to this network {"id":"${this.pod.id}","status":"EXITED"}</body></html>`);
    if (trouble === 'moved') return void response.writeHead(302, { Location: `${this.url}/elsewhere` }).end();
    if (typeof trouble === 'number') return this.#send(response, trouble, { status: trouble });
    const [status, body] = this.#answer(call);
    if (this.loseAnswer(call)) return void request.socket.destroy();
    this.#send(response, status, body);
  }

  #answer(call: TinyCall): [number, unknown] {
    if (call.authorization !== 'Bearer pod-key') return [401, { title: 'Unauthorized', status: 401, detail: 'invalid API key' }];
    if (call.path === '/graphql') {
      if (this.graphql === 'off') return [410, { status: 410 }];
      if (this.graphql === 'refused') return [200, { errors: [{ message: 'Not authorized' }], data: null }];
      const { query } = JSON.parse(call.body) as { query: string };
      this.#act(/podStop\(input: \{podId: "guarded\d+"\}\)/.test(query) ? 'stop' : 'terminate');
      return [200, { data: { podStop: { id: this.pod.id } } }];
    }
    if (call.path === `/v2/pods/${this.pod.id}` && call.method === 'GET') {
      if (this.pod.status === 'TERMINATED') return [404, { title: 'Not found', status: 404, detail: '' }];
      const { id, status, startedAt, cost, locked, env } = this.pod;
      return [200, { name: 'a "quoted\\" name', id, env, gpu: { id: 'NVIDIA A40', count: 1, status: 'x' }, status, cost, locked, ports: ['22/tcp'], runtime: null, startedAt, createdAt: startedAt }];
    }
    if (call.path === `/v2/pods/${this.pod.id}/action`) {
      const { action } = JSON.parse(call.body) as { action: string };
      const refused = this.refused[action];
      if (refused !== undefined) return [refused, { title: 'No', status: refused, detail: 'not authorized' }];
      if (action === 'start' || this.pod.status !== 'RUNNING' || (this.pod.locked && action === 'stop')) return [409, { title: 'Conflict', status: 409, detail: 'action is not valid' }];
      this.#act(action);
      return action === 'terminate' ? [204, undefined] : [200, { id: this.pod.id, status: this.pod.status }];
    }
    return [404, { title: 'Not found', status: 404, detail: '' }];
  }

  #act(action: string): void {
    this.pod.status = action === 'stop' ? 'EXITED' : 'TERMINATED';
    this.done.push({ action, at: this.now / 1000 });
  }

  #send(response: ServerResponse, status: number, body: unknown): void {
    const date = this.date?.() ?? new Date(this.now).toUTCString();
    response.writeHead(status, { ...this.headers, Date: date, 'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body, null, this.pretty ? 2 : undefined));
  }
}
