import type { Dispatcher } from 'undici';
import type { Disposable } from '../base/disposable';
import { CancelledError, messageOf } from '../base/errors';
import type { Logger } from '../base/log';
import { plainWords, redact } from '../base/log';
import { withDeadline } from '../base/time';
import { callError, queryString, type Call, type Query, type ReadOptions, type WriteOptions } from './call';
import { Coalescer } from './coalesce';
import type { Dispatchers } from './dispatchers';
import { RunPodError } from './errors';
import type { HttpAnswer, HttpRequest, HttpStream } from './http';
import { exchange, openStream } from './http';
import { originOf } from './keyOrigin';
import { failureOf, refusalOf, valueOf } from './outcome';
import { requestIdOf } from './problem';
import { RateLimit } from './rateLimit';
import { sleepUntilAny, waitBeforeRetry } from './retry';
import type { ServerClock } from './serverClock';
import type { Timings } from './timings';

export type { Query, ReadOptions, WriteOptions } from './call';

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
    throw callError('not-json', call, { status: opened.status, detail: 'The answer is no event stream' });
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
        return valueOf(await this.#once(call, left, { accept: 'application/json' }, exchange), call);
      } catch (thrown) {
        if (!(thrown instanceof RunPodError)) throw thrown;
        error = thrown;
      }
      if (error.code !== 'rate-limited') left -= performance.now() - started;
      const wait = !call.once && attempt < this.timings.attempts ? waitBeforeRetry(error, call, attempt, left, this.timings) : undefined;
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
      throw callError('rate-limited', call, { detail: 'The request quota is used up', retryAfterMs: Math.ceil(permit.retryAfterMs) });
    }
    const started = performance.now();
    let key: string | undefined;
    try {
      key = await this.#key(call, timeoutMs);
      this.#lastKey = key;
      let sentAt = Date.now();
      const requestNow = (): HttpRequest => ({
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
      const answer = await this.options.dispatchers.through(url, call.write, (dispatcher) => {
        sentAt = Date.now();
        return send(dispatcher, requestNow());
      });
      this.#heard(answer, call, sentAt, performance.now() - started);
      const refusal = 'status' in answer ? refusalOf(answer, call, key, this.options.baseUrl) : undefined;
      if (refusal?.code === 'rate-limited' && refusal.retryAfterMs !== undefined) this.rateLimit.block(refusal.retryAfterMs);
      if (refusal !== undefined) throw refusal;
      return answer;
    } catch (error) {
      throw failureOf(error, call, key);
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
      throw callError('wrong-origin', call, { detail: messageOf(cause), cause });
    }
  }

  async #key(call: Call, timeoutMs: number): Promise<string> {
    const read = this.options.key().catch((cause: unknown) => {
      throw callError('no-key', call, { detail: messageOf(cause), cause });
    });
    const key = (await withDeadline(read, timeoutMs, 'Reading the API key'))?.trim();
    if (key === undefined || key === '') throw callError('no-key', call, {});
    if (!/^[\x21-\x7e]+$/.test(key)) throw callError('unauthorized', call, { detail: 'The key has characters in it that no RunPod key has' });
    return key;
  }

}
