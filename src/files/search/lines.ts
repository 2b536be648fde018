import { decodeName } from '../names';
import { bytesPerLine } from './command';
import type { Engine } from './query';

export interface FoundLine {
  /** Relative to the folder searched. */
  readonly path: string;
  readonly line: number;
  readonly text: string;
  /** The line is longer; only its beginning came. */
  readonly cut: boolean;
}

const newline = 0x0a;
/** What is kept of a line that no tool on the pod could shorten. */
const maxKept = 64 * 1024;
const engines: readonly string[] = ['rg', 'grep', 'busybox'] satisfies Engine[];

/** Cuts the output of the search script into lines and reads them. */
export class LineReader {
  #rest: Buffer[] = [];
  #restBytes = 0;
  engine: Engine | undefined;

  /** The lines that are whole now. */
  push(chunk: Buffer): FoundLine[] {
    const out: FoundLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end));
      const raw = Buffer.concat(this.#rest);
      start = end + 1;
      if (this.#isMidName(raw)) {
        this.#keep(Buffer.from('\n'));
        continue;
      }
      const line = this.#take(raw);
      if (line !== undefined) out.push(line);
      this.#rest = [];
      this.#restBytes = 0;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return out;
  }

  /** A name may hold a newline; the NUL behind it is what ends it. */
  #isMidName(raw: Buffer): boolean {
    return (this.engine === 'rg' || this.engine === 'grep') && this.#restBytes < maxKept && !raw.includes(0);
  }

  #keep(bytes: Buffer): void {
    if (this.#restBytes < maxKept) this.#rest.push(bytes.subarray(0, maxKept - this.#restBytes));
    this.#restBytes += bytes.length;
  }

  #take(raw: Buffer): FoundLine | undefined {
    if (this.engine === undefined) {
      // A login file may have said something before.
      const word = raw.toString('latin1').trim();
      if (engines.includes(word)) this.engine = word as Engine;
      return undefined;
    }
    const parts = this.engine === 'busybox' ? splitPlain(raw) : splitNul(raw);
    if (parts === undefined || parts.text.includes(0)) return undefined;
    const path = decodeName(parts.path).replace(/^\.\//, '');
    let text = parts.text.toString('utf8');
    let cut = raw.length >= bytesPerLine;
    if (cut && this.engine === 'rg') text = text.replace(/ \[\.\.\. (?:\d+ more match(?:es)?|omitted end of long line)\]$/, '');
    if (this.#restBytes > maxKept) cut = true;
    return path === '' ? undefined : { path, line: parts.line, text: text.replace(/\r$/, ''), cut };
  }
}

interface Parts {
  readonly path: Buffer;
  readonly line: number;
  readonly text: Buffer;
}

/** `path NUL 12:text`. */
function splitNul(raw: Buffer): Parts | undefined {
  const nul = raw.indexOf(0);
  if (nul <= 0) return undefined;
  const colon = raw.indexOf(0x3a, nul);
  const line = Number(raw.toString('latin1', nul + 1, colon));
  return colon < 0 || !Number.isSafeInteger(line) ? undefined : { path: raw.subarray(0, nul), line, text: raw.subarray(colon + 1) };
}

/** `path:12:text`; a path that itself holds `:12:` cannot be told from that. */
function splitPlain(raw: Buffer): Parts | undefined {
  const match = /^(.+?):(\d+):/.exec(raw.toString('latin1'));
  const [whole, path, line] = match ?? [];
  return whole === undefined || path === undefined ? undefined : { path: raw.subarray(0, path.length), line: Number(line), text: raw.subarray(whole.length) };
}
