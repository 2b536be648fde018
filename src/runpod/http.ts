import type { Dispatcher } from 'undici';
import type { Readable } from 'node:stream';
import { messageOf } from '../base/errors';

/** One HTTP request, sent once: no redirect is followed and nothing is repeated here. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Record<string, string>;
  readonly body?: string;
  /** Milliseconds for the whole of it, body included (for a stream: until its headers). */
  readonly timeoutMs: number;
  /** Any of them ends the request. */
  readonly signals: readonly AbortSignal[];
  /** Once a write is under way it is waited for: who leaves then would not know whether it happened. */
  readonly write: boolean;
  /** Bytes of an answer that are taken at most. */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpStream {
  readonly headers: HttpAnswer['headers'];
  readonly body: Readable;
  /** Closes the connection at once. */
  close(): void;
}

export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  constructor(
    readonly kind: 'network' | 'timeout' | 'cancelled' | 'too-big',
    /** False when it is certain that not a byte of the request reached the server. */
    readonly sent: boolean,
    cause: unknown,
  ) {
    super(messageOf(cause), { cause });
  }
}

/** One header's value, the first where there are several. */
export function header(headers: HttpAnswer['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** A header that is a list: several of one name are one list. */
export function listHeader(headers: HttpAnswer['headers'], name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

/** Keeps the time and the signals of one request, and knows whether it has begun to be sent. */
class Watch {
  sent = false;
  #ended: 'timeout' | 'cancelled' | undefined;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  readonly #leave = (): void => {
    if (!(this.request.write && this.sent)) this.#end('cancelled');
  };

  constructor(private readonly request: HttpRequest) {
    this.#timer = setTimeout(() => this.#end('timeout'), Math.max(0, request.timeoutMs));
    for (const signal of request.signals) {
      if (signal.aborted) this.#leave();
      else signal.addEventListener('abort', this.#leave, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Settles at the end of time even where undici does not: it ignores an abort while it is still connecting. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => reject(new Error(this.#ended));
      if (this.signal.aborted) end();
      this.signal.addEventListener('abort', end, { once: true });
      promise.then(resolve, reject).finally(() => this.signal.removeEventListener('abort', end));
    });
  }

  failure(cause: unknown): HttpFailure {
    if (cause instanceof HttpFailure) return cause;
    if (this.#ended === 'timeout') return new HttpFailure('timeout', this.sent, new Error(`No complete answer within ${Math.ceil(this.request.timeoutMs / 1000)} s`));
    if (this.#ended === 'cancelled') return new HttpFailure('cancelled', this.sent, cause);
    return new HttpFailure(codeOf(cause) === 'UND_ERR_CONNECT_TIMEOUT' ? 'timeout' : 'network', this.sent, cause);
  }

  stopClock(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  release(): void {
    this.stopClock();
    for (const signal of this.request.signals) signal.removeEventListener('abort', this.#leave);
  }

  abort(): void {
    this.#end('cancelled');
  }

  #end(how: 'timeout' | 'cancelled'): void {
    this.#ended ??= how;
    this.#controller.abort();
  }
}

/** The `code` of an error of Node or undici. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

async function start(dispatcher: Dispatcher, request: HttpRequest, watch: Watch): Promise<Dispatcher.ResponseData> {
  const noticing = dispatcher.compose((dispatch) => (options, handler) => {
    // Called when the connection stands and the request is about to be written to it. The handler is this request's own.
    const onStart = handler.onRequestStart?.bind(handler);
    handler.onRequestStart = (controller, context: unknown) => {
      if (!watch.signal.aborted) watch.sent = true;
      onStart?.(controller, context);
    };
    return dispatch(options, handler);
  });
  return noticing.request({
    origin: request.url.origin,
    path: request.url.pathname + request.url.search,
    method: request.method,
    headers: request.headers,
    body: request.body ?? null,
    signal: watch.signal,
  });
}

async function readAll(body: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the body, and with it the connection.
    if (size > maxBytes) throw new HttpFailure('too-big', true, new Error(`The answer is larger than ${maxBytes} bytes`));
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws HttpFailure */
export async function exchange(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpAnswer> {
  const watch = new Watch(request);
  try {
    const { statusCode, headers, body } = await watch.race(start(dispatcher, request, watch));
    body.on('error', () => undefined);
    return { status: statusCode, headers, text: await watch.race(readAll(body, request.maxBytes)) };
  } catch (error) {
    throw watch.failure(error);
  } finally {
    watch.release();
  }
}

/**
 * Opens a stream that lasts until it is closed, or the answer as a whole when it is not a 200.
 * @throws HttpFailure
 */
export async function openStream(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpStream | HttpAnswer> {
  const watch = new Watch(request);
  try {
    const { statusCode, headers, body } = await watch.race(start(dispatcher, request, watch));
    body.on('error', () => undefined);
    if (statusCode !== 200 || !/^text\/event-stream\b/i.test(header(headers, 'content-type') ?? '')) {
      const text = await watch.race(readAll(body, request.maxBytes));
      watch.release();
      return { status: statusCode, headers, text };
    }
    watch.stopClock();
    body.once('close', () => watch.release());
    return {
      headers,
      body,
      close: () => {
        watch.abort();
        watch.release();
        body.destroy();
      },
    };
  } catch (error) {
    watch.release();
    throw watch.failure(error);
  }
}
