import { placesIn } from './places';
import { withoutControls } from './plainText';

/** Something that is wrong at a place. Lines and columns count from 1. */
export interface Problem {
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly path: string;
  readonly line: number;
  readonly column: number | undefined;
  /** The way there, outermost first: the frames of a traceback without the last. */
  readonly frames: readonly { readonly path: string; readonly line: number; readonly name: string }[];
}

const FRAME = /^\s*File "(?<path>[^"<>]+)", line (?<line>\d+)(?:, in (?<name>.*))?$/;
const EXCEPTION = /^(?<name>[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit|Stop\w*|[A-Z]\w*))(?::\s?(?<text>.*))?$/;
const COMPILER = /^(?<path>[^\s:()][^:()]*?\.[A-Za-z]\w*|(?:[^\s:()]+\/)?(?:Makefile|Dockerfile))[:(](?<line>\d+)(?:[:,](?<column>\d+))?\)?\s*:\s*(?:fatal )?(?<severity>error|warning|note)(?:\s*[#A-Z]*[\d-]*D?)?\s*:\s*(?<text>.+)$/i;
const RUST = /^(?<severity>error|warning)(?:\[\w+\])?: (?<text>.+)$/;
const RUST_PLACE = /^\s*--> (?<path>.+?):(?<line>\d+):(?<column>\d+)$/;
/** Where a traceback is deeper, its beginning is let go. */
const MOST_FRAMES = 200;
const LONGEST_LINE = 4_000;

/**
 * Reads a program's output as it comes and tells what is wrong where: Python's tracebacks, and what compilers say (gcc,
 * clang, nvcc, tsc, rustc).
 * @param ours whether a path belongs to what is run; of a traceback's frames the last of ours is the place, else the last
 */
export class ProblemReader {
  #rest = '';
  #frames: { path: string; line: number; name: string }[] = [];
  #inTrace = false;
  #rust: { severity: 'error' | 'warning'; text: string } | undefined;

  constructor(
    private readonly ours: (path: string) => boolean,
    private readonly found: (problem: Problem) => void,
  ) {}

  read(chunk: string): void {
    const lines = (this.#rest + chunk).split(/\r?\n/);
    // Progress bars go on in one line without an end.
    this.#rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    for (const line of lines) if (line.length <= LONGEST_LINE) this.#line(withoutControls(line).trimEnd());
  }

  #line(line: string): void {
    // Distributed launchers put the rank before each line.
    const text = line.replace(/^\[?(?:rank|default)\d+\]?:\s?/, '');
    if (/^\s*(?:\w+ \w+ )?Traceback \(most recent call last\):$/.test(text)) {
      this.#inTrace = true;
      this.#frames = [];
      return;
    }
    const frame = FRAME.exec(text)?.groups;
    if (frame) {
      // A syntax error comes with a frame and without a traceback.
      this.#inTrace = true;
      this.#frames.push({ path: frame['path'] ?? '', line: Number(frame['line']), name: frame['name'] ?? '' });
      if (this.#frames.length > MOST_FRAMES) this.#frames.shift();
      return;
    }
    if (this.#inTrace) return this.#inTraceback(text);
    this.#compiler(text);
  }

  #inTraceback(text: string): void {
    const exception = EXCEPTION.exec(text)?.groups;
    if (exception) {
      const at = this.#frames.findLastIndex(({ path }) => this.ours(path));
      const place = this.#frames[at === -1 ? this.#frames.length - 1 : at];
      if (place !== undefined)
        this.found({ severity: 'error', message: exception['text'] ? `${exception['name']}: ${exception['text']}` : (exception['name'] ?? ''), path: place.path, line: place.line, column: undefined, frames: this.#frames.filter((one) => one !== place) });
      this.#inTrace = false;
      this.#frames = [];
    } else if (text !== '' && !/^\s/.test(text)) this.#inTrace = false;
  }

  #compiler(text: string): void {
    const said = COMPILER.exec(text)?.groups;
    if (said) {
      const severity = said['severity']?.toLowerCase();
      const [place] = placesIn(text);
      return this.found({
        severity: severity === 'warning' ? 'warning' : severity === 'note' ? 'info' : 'error',
        message: said['text'] ?? '',
        path: place?.path ?? said['path'] ?? '',
        line: Number(said['line']),
        column: said['column'] === undefined ? undefined : Number(said['column']),
        frames: [],
      });
    }
    const rust = RUST.exec(text)?.groups;
    if (rust) return void (this.#rust = { severity: rust['severity'] === 'warning' ? 'warning' : 'error', text: rust['text'] ?? '' });
    const place = this.#rust === undefined ? undefined : RUST_PLACE.exec(text)?.groups;
    if (place && this.#rust) this.found({ severity: this.#rust.severity, message: this.#rust.text, path: place['path'] ?? '', line: Number(place['line']), column: Number(place['column']), frames: [] });
    this.#rust = undefined;
  }
}
