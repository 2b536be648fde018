import { Emitter } from '../../src/base/emitter';
import type { PodClock } from './clock';
import type { LogSource } from './machine';

export interface LogLine {
  readonly ts: string;
  readonly source: LogSource;
  readonly line: string;
  /** Place in the pod's log, rising by one a line. */
  readonly counter: number;
}

/** Where in a log to begin. */
export type LogStart =
  | { readonly kind: 'tail'; readonly lines: number }
  | { readonly kind: 'since'; readonly ts: string }
  /** After this frame, itself not included. */
  | { readonly kind: 'after'; readonly ts: string; readonly counter: number | undefined };

const KEPT_LINES = 20_000;

/** What a pod's container and its host have printed, over all of its starts. */
export class PodLog {
  #lines: LogLine[] = [];
  #counter = 0;
  readonly #added = new Emitter<LogLine>();
  readonly onLine = this.#added.event;

  constructor(private readonly clock: PodClock) {}

  /** @param at pod time of the line, for what was printed before the simulator started. */
  write(source: LogSource, line: string, at?: number): void {
    const entry: LogLine = { ts: wholeSeconds(this.clock.iso(at)), source, line, counter: ++this.#counter };
    this.#lines.push(entry);
    if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, this.#lines.length - KEPT_LINES);
    this.#added.fire(entry);
  }

  /** Lines already there, oldest first. */
  read(start: LogStart, source?: LogSource): readonly LogLine[] {
    const lines = source === undefined ? this.#lines : this.#lines.filter((line) => line.source === source);
    switch (start.kind) {
      case 'tail':
        return start.lines === 0 ? [] : lines.slice(-start.lines);
      case 'since': {
        // As the service has been seen to do: what was printed in the very second that is named is not among them.
        const from = Math.floor(Date.parse(start.ts) / 1000);
        return lines.filter((line) => Date.parse(line.ts) / 1000 > from);
      }
      case 'after': {
        const { counter } = start;
        const from = Date.parse(start.ts);
        return lines.filter((line) => (counter === undefined ? Date.parse(line.ts) > from : line.counter > counter));
      }
    }
  }

  clear(): void {
    this.#lines = [];
  }
}

/** How frames are marked: the contract's example counts (`counter`), the service has been seen to give the time alone. */
export type LogIds = 'counter' | 'time';

/** A line as a frame of the event stream. */
export function frame(line: LogLine, ids: LogIds): string {
  const data = JSON.stringify({ ts: line.ts, source: line.source, line: line.line });
  return `id: ${line.ts}${ids === 'time' ? '' : `/${String(line.counter).padStart(12, '0')}`}\ndata: ${data}\n\n`;
}

/** Times of the API have no fractions. */
export const wholeSeconds = (iso: string): string => iso.replace(/\.\d+Z$/, 'Z');

/** Reads a `Last-Event-ID`: `<ts>/<counter>`, or a bare time stamp. `undefined` when it is neither. */
export function parseEventId(id: string): { ts: string; counter: number | undefined } | undefined {
  const match = /^([^/]+)(?:\/(\d+))?$/.exec(id);
  const ts = match?.[1];
  if (ts === undefined || Number.isNaN(Date.parse(ts))) return undefined;
  return { ts, counter: match?.[2] === undefined ? undefined : Number(match[2]) };
}
