import { createParser } from 'eventsource-parser';
import type { EventSourceMessage } from 'eventsource-parser';
import { isCancelled, messageOf } from '../base/errors';
import type { Logger } from '../base/log';
import { backoff, sleep } from '../base/time';
import type { RunPodErrorCode } from './errors';
import { RunPodError } from './errors';
import type { HttpStream } from './http';
import { parseJson } from './problem';
import { isFields, time } from './read';
import type { ServerClock } from './serverClock';
import type { Transport } from './transport';
import type { LogLine, LogSource } from './types';

export interface LogOptions {
  /** Both when left out. */
  readonly source?: LogSource;
  /** How many past lines come first: 0 to 5000, RunPod's default is 100. Not used with `since` or `lastEventId`. */
  readonly tail?: number;
  /** Past lines from this time on, by the API's clock. */
  readonly since?: Date;
  /** The `id` of a line: go on after it. */
  readonly lastEventId?: string;
  /** Ends the loop quietly and closes the connection at once. */
  readonly signal?: AbortSignal;
}

interface Following {
  readonly transport: Transport;
  readonly clock: ServerClock;
  readonly log: Logger;
  readonly path: string;
  readonly options: LogOptions;
}

/** What ends a log for good: the pod is gone, or the key may not read it. All else is a cut that may heal. */
const passing: readonly RunPodErrorCode[] = ['server', 'network', 'timeout', 'rate-limited', 'not-json', 'edge-blocked'];

/** Characters of one line at most; a longer one is dropped rather than kept in memory. */
const maxLine = 16 * 1024 * 1024;
/** How many delivered lines are remembered by id, to tell repetitions after a cut. */
const remembered = 20_000;

/**
 * A log as an endless sequence that survives cuts: after one it goes on behind the last line that was handed out, and
 * lines that the server repeats are left out. Nothing is opened before the first line is asked for.
 */
export function followLogs(following: Following): AsyncIterable<LogLine> {
  return {
    [Symbol.asyncIterator]() {
      const leave = new AbortController();
      const { signal } = following.options;
      const onAbort = (): void => leave.abort();
      const unlink = (): void => signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted) leave.abort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      const lines = follow(following, leave.signal, unlink);
      return {
        next: () => lines.next(),
        // A generator that waits for a line does not hear `return` until it has one, so it is told by the signal.
        return: async () => {
          leave.abort();
          unlink();
          await lines.return(undefined);
          return { done: true, value: undefined };
        },
      };
    },
  };
}

async function* follow(following: Following, left: AbortSignal, done: () => void): AsyncGenerator<LogLine, undefined> {
  const { transport, log, path } = following;
  const { attempts, backoffBaseMs, logGiveUpMs } = transport.timings;
  const position = new Position(following.options);
  position.quietMs = transport.timings.logQuietMs;
  let failures = 0;
  let everOpen = false;
  let lastOpen = performance.now();
  try {
    while (!left.aborted) {
      let linesBefore = position.lines;
      try {
        const stream = await transport.stream(path, position.query(), position.headers(), left);
        position.opened(following.clock);
        everOpen = true;
        const openedAt = performance.now();
        try {
          yield* readLines(stream, position, following, left);
        } finally {
          stream.close();
          lastOpen = performance.now();
          // A server that opens and closes at once is to be asked ever more slowly.
          if (position.lines > linesBefore || lastOpen - openedAt > 10_000) failures = 0;
          position.quietMs = position.lines > linesBefore ? transport.timings.logQuietMs : Math.min(position.quietMs * 2, transport.timings.logSilenceMs);
          linesBefore = position.lines;
        }
        log.debug(`GET ${path}: the log stream ended, resuming`);
      } catch (error) {
        if (left.aborted || isCancelled(error)) return undefined;
        if (error instanceof RunPodError && !passing.includes(error.code)) throw error;
        const hopeless = everOpen ? performance.now() - lastOpen > logGiveUpMs : failures + 1 >= attempts;
        if (hopeless) throw error;
        log.debug(`GET ${path}: the log stream was cut (${messageOf(error)}), resuming`);
      }
      await sleep(backoff(failures++, backoffBaseMs, 30_000), left).catch(() => undefined);
    }
    return undefined;
  } finally {
    done();
  }
}

/** Where in the log the reader stands, and how to ask for what comes next. */
class Position {
  lines = 0;
  /** So long without a line, and the stream is opened anew; the longer, the longer nothing has come. */
  quietMs = 0;
  #lastId: string | undefined;
  #lastAt: Date | undefined;
  #liveSince: Date | undefined;
  #delivered = new Map<string, number>();
  #repeated = new Map<string, number>();

  constructor(private readonly options: LogOptions) {
    this.#lastId = options.lastEventId;
  }

  query(): Record<string, string | number | undefined> {
    const { source, tail, since } = this.options;
    if (this.#lastId !== undefined) return { source, ...(this.#resumesById ? {} : { since: this.#lastAt && cursorBefore(this.#lastAt) }) };
    // Lines written between the first connection and the second would be lost to someone who asked for live lines only.
    const from = since ?? this.#liveSince;
    return from === undefined ? { source, tail } : { source, since: cursorBefore(from) };
  }

  headers(): Record<string, string> {
    return this.#lastId !== undefined && this.#resumesById ? { 'last-event-id': this.#lastId } : {};
  }

  /** Many lines may share a bare time, and the API goes on after all of them: so such a line is asked for again. */
  get #resumesById(): boolean {
    return this.#lastId !== undefined && headerSafe(this.#lastId) && (this.#lastId.includes('/') || this.#lastAt === undefined);
  }

  opened(clock: ServerClock): void {
    if (this.options.tail === 0) this.#liveSince ??= clock.now();
    this.#repeated = new Map(this.#delivered);
  }

  /** False for a line that was handed out before the cut and comes again, or is of the second before the one asked for. */
  take({ id, at, line }: LogLine): boolean {
    const { since } = this.options;
    if (since !== undefined && at.getTime() < wholeSecond(since)) return false;
    // `<time>/<counter>` is one line's own; a bare time may be shared by several.
    const mark = id.includes('/') ? id : `${id}\0${line}`;
    const again = this.#repeated.get(mark) ?? 0;
    if (again > 0) {
      this.#repeated.set(mark, again - 1);
      return false;
    }
    this.lines++;
    this.#lastId = id;
    this.#lastAt = at;
    this.#delivered.set(mark, (this.#delivered.get(mark) ?? 0) + 1);
    if (this.#delivered.size > remembered) {
      const oldest = this.#delivered.keys().next();
      if (!oldest.done) this.#delivered.delete(oldest.value);
    }
    return true;
  }
}

const wholeSecond = (at: Date): number => Math.floor(at.getTime() / 1000) * 1000;

/** A `since` that leaves nothing out: the API has been seen to begin after the whole second that it is given. */
const cursorBefore = (at: Date): string => new Date(wholeSecond(at) - 1000).toISOString();

const headerSafe = (id: string): boolean => /^[\x20-\x7e]+$/.test(id);

/**
 * Yields the new lines of one connection; returns when the server ends it or when no line has come for long, for an open
 * stream has been seen to keep itself alive and to withhold what a new one gives at once. Throws when it breaks or falls silent.
 */
async function* readLines(stream: HttpStream, position: Position, { transport, clock, log, path }: Following, left: AbortSignal): AsyncGenerator<LogLine, void> {
  const { logSilenceMs } = transport.timings;
  const { quietMs } = position;
  let events: EventSourceMessage[] = [];
  const parser = createParser({
    maxBufferSize: maxLine,
    onEvent: (event) => events.push(event),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') log.warn(`GET ${path}: a line of more than ${maxLine} characters was left out`);
    },
  });
  const decoder = new TextDecoder();
  const chunks = (stream.body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let quiet = 0;
  for (;;) {
    // The clock runs only while we wait for the server, not while the reader is busy with a line.
    const silence = setTimeout(() => stream.body.destroy(new Error(`Nothing for ${logSilenceMs / 1000} s`)), logSilenceMs);
    const waited = performance.now();
    const chunk = await chunks.next().finally(() => clearTimeout(silence));
    if (chunk.done) return;
    feed(parser, decoder.decode(chunk.value, { stream: true }));
    const batch = events;
    events = [];
    quiet = batch.length > 0 ? 0 : quiet + performance.now() - waited;
    if (quiet >= quietMs) return;
    for (const event of batch) {
      const line = readLine(event, clock);
      if (left.aborted) return;
      if (line !== undefined && position.take(line)) yield line;
    }
  }
}

function feed(parser: ReturnType<typeof createParser>, chunk: string): void {
  try {
    parser.feed(chunk);
  } catch {
    // Thrown by a parser whose buffer overflowed; the rest of that line is no event and is passed over.
    parser.reset();
  }
}

function readLine(event: EventSourceMessage, clock: ServerClock): LogLine | undefined {
  const json = parseJson(event.data);
  if (!json.ok || !isFields(json.value)) {
    // Words that are not in the envelope are words all the same.
    const at = clock.now();
    return { id: event.id ?? at.toISOString(), at, source: 'system', line: event.data };
  }
  const { ts, source, line } = json.value;
  if (typeof line !== 'string') return undefined;
  const at = time.safeParse(ts).data ?? clock.now();
  return {
    id: event.id !== undefined && event.id !== '' ? event.id : typeof ts === 'string' ? ts : at.toISOString(),
    at,
    source: source === 'system' ? 'system' : 'container',
    line: line.replace(/\r?\n$/, ''),
  };
}
