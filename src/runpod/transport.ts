import type { Dispatcher } from 'undici';
import type { Disposable } from '../base/disposable';
import { CancelledError, isCancelled, messageOf } from '../base/errors';
import type { Logger } from '../base/log';
import { plainWords, redact } from '../base/log';
import { backoff, sleep, withDeadline } from '../base/time';
import { Coalescer } from './coalesce';
import type { Dispatchers } from './dispatchers';
import type { RunPodErrorCode } from './errors';
import { RunPodError } from './errors';
import type { HttpAnswer, HttpRequest, HttpStream } from './http';
import { codeOf, exchange, header, HttpFailure, openStream } from './http';
import { originOf } from './keyOrigin';
import { errorOf, parseJson, requestIdOf } from './problem';
import { RateLimit } from './rateLimit';
import type { ServerClock } from './serverClock';

/** Waits and bounds, in milliseconds unless named otherwise. */
export interface Timings {
  /** One call with all its tries, each answer's body included; waits for the rate limit come on top. */
  readonly callMs: number;
  /** A create may take longer, and a create without an answer is the worst of all answers. */
  readonly createMs: number;
  /** Tries of a call that may be repeated. */
  readonly attempts: number;
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** A longer wait for the rate limit is an error at once. One window of a minute fits in. */
  readonly maxRateWaitMs: number;
  /** Bytes. */
  readonly maxAnswerBytes: number;
  /** A log stream without a byte (keepalives count) is taken for dead after this. */
  readonly logSilenceMs: number;
  /** A log stream that cannot be had again for this long ends with the error. */
  readonly logGiveUpMs: number;
}

export const defaultTimings: Timings = {
  callMs: 30_000,
  createMs: 60_000,
  attempts: 3,
  backoffBaseMs: 500,
  backoffCapMs: 4_000,
  maxRateWaitMs: 65_000,
  maxAnswerBytes: 32 * 1024 * 1024,
  logSilenceMs: 120_000,
  logGiveUpMs: 300_000,
};

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Nobody waits for this: where the rate limit is used up it fails at once instead of waiting. */
  readonly background?: boolean | undefined;
  /** One try: whoever asks comes back by itself, and a window that nobody works in costs little even while the API fails. */
  readonly once?: boolean | undefined;
}

export interface WriteOptions {
  /** Ends the call as long as nothing has been sent, so that `CancelledError` always means: it did not happen. */
  readonly signal?: AbortSignal | undefined;
}

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

interface Call {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly write: boolean;
  readonly body?: unknown;
  readonly signals: readonly AbortSignal[];
  readonly background: boolean;
  readonly once?: boolean | undefined;
  readonly timeoutMs: number;
  readonly headers?: Record<string, string>;
}

export interface TransportOptions {
  /** The API's address; paths are appended to it. */
  readonly baseUrl: string;
  readonly key: () => Promise<string | undefined>;
  /** Throws when the key must not go to this address. */
  readonly guard?: (origin: string) => void;
  readonly userAgent: string;
  readonly dispatchers: Dispatchers;
  readonly clock: ServerClock;
  readonly log: Logger;
  readonly timings: Timings;
}

/** JSON over HTTP with RunPod's manners: key, errors, deadlines, tries, rate limit. One for each API (REST, GraphQL). */
export class Transport implements Disposable {
  readonly rateLimit = new RateLimit();
  #coalescer = new Coalescer();
  #life = new AbortController();
  /** Counts the beginnings and ends of writes: who reads after a write must not be given an answer begun before it. */
  #generation = 0;
  /** What must not be shown, should an answer repeat it. */
  #lastKey: string | undefined;

  constructor(private readonly options: TransportOptions) {}

  get timings(): Timings {
    return this.options.timings;
  }

  /** Reads JSON. The same read asked for several times at once is sent once. */
  get(path: string, query: Query = {}, options: ReadOptions = {}): Promise<unknown> {
    const full = path + queryString(query);
    const key = `${this.#generation} ${String(options.background)} ${String(options.once)} ${full}`;
    return this.#coalescer.run(key, options.signal, (signal) =>
      this.#json({ method: 'GET', path: full, write: false, signals: [signal, this.#life.signal], background: options.background ?? false, once: options.once, timeoutMs: this.timings.callMs }),
    );
  }

  /** A POST that changes nothing (a GraphQL query), repeated like any read. */
  query(path: string, body: unknown, options: ReadOptions & { timeoutMs?: number } = {}): Promise<unknown> {
    const { background = false, once = false, timeoutMs = this.timings.callMs } = options;
    return this.#coalescer.run(`${String(background)} ${String(once)} ${path} ${JSON.stringify(body)}`, options.signal, (signal) =>
      this.#json({ method: 'POST', path, body, write: false, signals: [signal, this.#life.signal], background, once, timeoutMs }),
    );
  }

  /**
   * Changes something; resolves with the JSON of the answer, or `undefined` when it has no body. Repeated only where it
   * is certain that nothing happened: the request never left, or was refused by the rate limit.
   */
  async write(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, options: WriteOptions & { timeoutMs?: number } = {}): Promise<unknown> {
    const { signal, timeoutMs = this.timings.callMs } = options;
    this.#generation++;
    try {
      return await this.#json({ method, path, body, write: true, signals: signal === undefined ? [this.#life.signal] : [signal, this.#life.signal], background: false, timeoutMs });
    } finally {
      this.#generation++;
    }
  }

  /** Opens an event stream; `headers` go with it. One try: its user decides what to do about a cut. */
  async stream(path: string, query: Query, headers: Record<string, string>, signal: AbortSignal): Promise<HttpStream> {
    const call: Call = { method: 'GET', path: path + queryString(query), write: false, headers, signals: [signal, this.#life.signal], background: false, timeoutMs: this.timings.callMs };
    const opened = await this.#once(call, call.timeoutMs, { accept: 'text/event-stream', 'cache-control': 'no-cache' }, openStream);
    if ('body' in opened) return opened;
    throw this.#error('not-json', call, { status: opened.status, detail: 'The answer is no event stream' });
  }

  /** Words of an answer as they may be shown and logged. */
  wordsOf(words: string): string {
    return plainWords(redact(words, [this.#lastKey]));
  }

  dispose(): void {
    this.#life.abort();
  }

  async #json(call: Call): Promise<unknown> {
    let left = call.timeoutMs;
    for (let attempt = 1; ; attempt++) {
      const started = performance.now();
      let error: RunPodError;
      try {
        return this.#value(await this.#once(call, left, { accept: 'application/json' }, exchange), call);
      } catch (thrown) {
        if (!(thrown instanceof RunPodError)) throw thrown;
        error = thrown;
      }
      if (error.code !== 'rate-limited') left -= performance.now() - started;
      const wait = !call.once && attempt < this.timings.attempts ? this.#waitBeforeRetry(error, call, attempt, left) : undefined;
      if (wait === undefined) {
        this.options.log.warn(`${error.message} (${error.code}${error.requestId === undefined ? '' : `, request ${error.requestId}`}${error.maybeDone ? ', may have happened' : ''})`);
        throw error;
      }
      this.options.log.debug(`${error.message}: trying again in ${Math.round(wait)} ms`);
      for (const signal of call.signals) if (signal.aborted) throw new CancelledError();
      await sleepUntilAny(wait, call.signals);
      if (error.code !== 'rate-limited') left -= wait;
    }
  }

  /** Milliseconds until the next try, or `undefined` when there must be none. */
  #waitBeforeRetry(error: RunPodError, call: Call, attempt: number, left: number): number | undefined {
    const { backoffBaseMs, backoffCapMs, maxRateWaitMs } = this.timings;
    const jittered = backoff(attempt - 1, backoffBaseMs, backoffCapMs);
    if (error.code === 'rate-limited') {
      // The gate keeps the wait that RunPod named. An error without a status is the gate's own refusal.
      if (call.background || error.status === undefined || (error.retryAfterMs ?? 0) > maxRateWaitMs) return undefined;
      return error.retryAfterMs === undefined ? jittered : 0;
    }
    const passing = error.code === 'server' || error.code === 'timeout' || (error.code === 'network' && !isCertificateError(error.cause)) || (error.code === 'not-json' && error.cause instanceof TruncatedJson);
    if (!passing || (call.write && (error.maybeDone || error.status !== undefined))) return undefined;
    const wait = Math.max(jittered, error.retryAfterMs ?? 0);
    return wait < left ? wait : undefined;
  }

  /** One try: the gate of the rate limit, the key, the request. Errors come out as `RunPodError` or `CancelledError`. */
  async #once<T extends HttpAnswer | HttpStream>(
    call: Call,
    timeoutMs: number,
    headers: Record<string, string>,
    send: (dispatcher: Dispatcher, request: HttpRequest) => Promise<T | HttpAnswer>,
  ): Promise<T | HttpAnswer> {
    const url = this.#url(call);
    const permit = await this.rateLimit.take(call.background ? 0 : this.timings.maxRateWaitMs, call.signals);
    if (permit.kind === 'refused') {
      throw this.#error('rate-limited', call, { detail: 'The request quota is used up', retryAfterMs: Math.ceil(permit.retryAfterMs) });
    }
    const started = performance.now();
    let key: string | undefined;
    try {
      key = await this.#key(call, timeoutMs);
      this.#lastKey = key;
      const dispatcher = await this.options.dispatchers.for(url, call.write);
      const sentAt = Date.now();
      const answer = await send(dispatcher, {
        url,
        method: call.method,
        headers: {
          ...headers,
          ...call.headers,
          authorization: `Bearer ${key}`,
          'user-agent': this.options.userAgent,
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        timeoutMs: timeoutMs - (performance.now() - started),
        signals: call.signals,
        write: call.write,
        maxBytes: this.timings.maxAnswerBytes,
      });
      this.#heard(answer, call, sentAt, performance.now() - started);
      const refusal = 'status' in answer ? this.#refusal(answer, call, key) : undefined;
      if (refusal !== undefined) throw refusal;
      return answer;
    } catch (error) {
      throw this.#failure(error, call, key);
    } finally {
      permit.release();
    }
  }

  #heard(answer: HttpAnswer | HttpStream, call: Call, sentAt: number, tookMs: number): void {
    const { headers } = answer;
    this.rateLimit.observe(headers);
    this.options.clock.observe(headers, sentAt, Date.now());
    const status = 'status' in answer ? answer.status : 200;
    this.options.log.debug(`${call.method} ${call.path}: ${status} in ${Math.round(tookMs)} ms${requestIdOf(headers) === undefined ? '' : ` (request ${requestIdOf(headers)})`}`);
  }

  #url(call: Call): URL {
    try {
      const origin = originOf(this.options.baseUrl);
      this.options.guard?.(origin);
      const url = new URL(this.options.baseUrl.replace(/\/+$/, '') + call.path);
      if (url.origin !== origin) throw new TypeError('The address leaves the API');
      return url;
    } catch (cause) {
      throw this.#error('wrong-origin', call, { detail: messageOf(cause), cause });
    }
  }

  async #key(call: Call, timeoutMs: number): Promise<string> {
    const read = this.options.key().catch((cause: unknown) => {
      throw this.#error('no-key', call, { detail: messageOf(cause), cause });
    });
    const key = (await withDeadline(read, timeoutMs, 'Reading the API key'))?.trim();
    if (key === undefined || key === '') throw this.#error('no-key', call, {});
    if (!/^[\x21-\x7e]+$/.test(key)) throw this.#error('unauthorized', call, { detail: 'The key has characters in it that no RunPod key has' });
    return key;
  }

  #value(answer: HttpAnswer, call: Call): unknown {
    if (answer.status === 204 || (call.write && answer.text.trim() === '')) return undefined;
    const json = parseJson(answer.text);
    if (json.ok) return json.value;
    const cut = /\bjson\b/i.test(header(answer.headers, 'content-type') ?? '');
    throw this.#error('not-json', call, {
      status: answer.status,
      detail: cut ? 'The answer is cut off or no JSON' : 'The answer is no JSON',
      cause: cut ? new TruncatedJson() : undefined,
      requestId: requestIdOf(answer.headers),
      maybeDone: call.write,
    });
  }

  #refusal(answer: HttpAnswer, call: Call, key: string): RunPodError | undefined {
    const location = header(answer.headers, 'location');
    if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
      // Following would show the key to whoever the answer names; RunPod's API does not redirect.
      return this.#error('wrong-origin', call, { status: answer.status, detail: `Redirected to ${safeOrigin(location, this.options.baseUrl)}`, maybeDone: call.write });
    }
    const error = errorOf(answer, { ...call, secrets: [key] });
    if (error?.code === 'rate-limited' && error.retryAfterMs !== undefined) this.rateLimit.block(error.retryAfterMs);
    return error;
  }

  #failure(thrown: unknown, call: Call, key: string | undefined): unknown {
    if (thrown instanceof RunPodError) return thrown;
    const detail = plainWords(redact(messageOf(thrown), [key]));
    if (!(thrown instanceof HttpFailure)) return isCancelled(thrown) ? new CancelledError() : this.#error(thrown instanceof Error && thrown.name === 'DeadlineError' ? 'timeout' : 'network', call, { detail, cause: thrown });
    const maybeDone = call.write && thrown.sent;
    switch (thrown.kind) {
      case 'cancelled':
        return new CancelledError();
      case 'timeout':
        return this.#error('timeout', call, { detail, maybeDone, cause: thrown.cause });
      case 'too-big':
        return this.#error('unreadable', call, { detail, maybeDone });
      case 'network':
        return this.#error('network', call, { detail: detail === '' ? (codeOf(thrown.cause) ?? 'connection failed') : detail, maybeDone, cause: thrown.cause });
    }
  }

  #error(code: RunPodErrorCode, call: Call, more: Partial<Omit<ConstructorParameters<typeof RunPodError>[1], 'method' | 'path'>>): RunPodError {
    return new RunPodError(code, { method: call.method, path: call.path, ...more });
  }
}

/** An answer that calls itself JSON and is not: the connection was cut in a way that HTTP does not show. */
class TruncatedJson extends Error {}

const isCertificateError = (cause: unknown): boolean => /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/.test(`${codeOf(cause) ?? ''} ${codeOf((cause as { cause?: unknown } | undefined)?.cause) ?? ''}`);

function queryString(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  // Lists are comma-joined, as the API's parameters say (style form, not exploded), and the comma between is a bare one.
  const text = params.toString().replaceAll('%2C', ',');
  return text === '' ? '' : `?${text}`;
}

function safeOrigin(location: string, base: string): string {
  try {
    return new URL(location, base).origin;
  } catch {
    return 'an address that cannot be read';
  }
}

async function sleepUntilAny(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const controller = new AbortController();
  const leave = (): void => controller.abort();
  for (const signal of signals) signal.addEventListener('abort', leave, { once: true });
  try {
    await sleep(ms, controller.signal);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', leave);
  }
}
