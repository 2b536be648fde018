/** A place in a file that a line of output names. Lines and columns count from 1. */
export interface Place {
  /** Where the mention stands in the line. */
  readonly start: number;
  readonly length: number;
  readonly path: string;
  readonly line: number;
  readonly column: number | undefined;
}

/** A path without blanks, which can stand anywhere in a line. */
const WORD = String.raw`(?:file:\/\/)?(?:[\p{L}\p{N}_@.+~%-]*\/)*[\p{L}\p{N}_@+~%-][\p{L}\p{N}_@.+~%-]*?\.[A-Za-z][A-Za-z0-9]{0,9}`;
/** One that may have blanks, and so must be hemmed in by something else. */
const BLANKS = String.raw`[^\s:()'"<>|][^:()'"<>|]*?\.[A-Za-z][A-Za-z0-9]{0,9}`;
const FORMS: readonly RegExp[] = [
  // Python: `File "/workspace/train.py", line 12`; names in angle brackets are no files.
  /File "(?<path>[^"<>]+)", line (?<line>\d+)/g,
  // Node: `at main (/workspace/my app/index.js:10:15)`.
  /(?<=\()(?<path>(?:file:\/\/)?\/[^():'"<>]+):(?<line>\d+)(?::(?<column>\d+))?(?=\))/g,
  // rustc: `--> src/my bin/main.rs:3:5`.
  /(?<=(?:-->|:::)\s+)(?<path>[^:'"<>]+):(?<line>\d+):(?<column>\d+)$/g,
  // A line that begins with an absolute path, or with one of a compiler's: `my src/main.c:3:10: error: …`, `my src/a.ts(3,5): error …`.
  new RegExp(String.raw`(?<=^\s*)(?<path>\/${BLANKS}):(?<line>\d+)(?::(?<column>\d+))?`, 'g'),
  new RegExp(String.raw`(?<=^\s*)(?<path>${BLANKS}):(?<line>\d+)(?::(?<column>\d+))?(?=(?::| -)\s+(?:fatal )?(?:error|warning|note|remark)\b)`, 'gi'),
  new RegExp(String.raw`(?<=^\s*)(?<path>${BLANKS})\((?<line>\d+)(?:,(?<column>\d+))?\)(?=\s*:\s+(?:fatal )?(?:error|warning|note|remark)\b)`, 'gi'),
  // gcc and clang: `In file included from my src/a.h:2:`.
  new RegExp(String.raw`(?<=^(?:In file included|\s+) ?from )(?<path>${BLANKS}):(?<line>\d+)(?::(?<column>\d+))?(?=[,:]$)`, 'g'),
  // pytest: `my tests/test_a.py:12: AssertionError`.
  new RegExp(String.raw`(?<=^\s*)(?<path>${BLANKS}):(?<line>\d+)(?=: \w*(?:Error|Exception|Warning|Failed)\b)`, 'g'),
  // IPython and notebooks: `File /workspace/train.py:12`; nvcc and tsc: `kernel.cu(12)`, `a.ts(3,5)`.
  new RegExp(String.raw`(?<path>${WORD})\((?<line>\d+)(?:,(?<column>\d+))?\)`, 'gu'),
  // Compilers, Node, Rust, pytest: `src/main.rs:3:5`, `test_a.py:12`; tsc in colour: `src/a.ts:3:5 - error`.
  new RegExp(String.raw`(?<path>${WORD}):(?<line>\d+)(?::(?<column>\d+))?`, 'gu'),
];

/** A path as a program names it: an address of a file has its blanks as `%20`. */
function pathOf(said: string): string {
  if (!said.startsWith('file://')) return said.trim();
  const path = said.slice('file://'.length);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The places that a line of plain text names. */
export function placesIn(text: string): Place[] {
  const found: Place[] = [];
  // What a compiler prints has no such lines; a program's data may.
  if (text.length > 2_000) return found;
  for (const form of FORMS)
    for (const match of text.matchAll(form)) {
      const { path = '', line = '', column } = match.groups ?? {};
      const place: Place = { start: match.index, length: match[0].length, path: pathOf(path), line: Number(line), column: column === undefined ? undefined : Number(column) };
      const taken = found.some((other) => place.start < other.start + other.length && other.start < place.start + place.length);
      if (!taken && place.line > 0 && !/^[a-z]+:$/.test(path)) found.push(place);
    }
  return found.sort((a, b) => a.start - b.start);
}

/** A path that a program in `cwd` names, as an absolute one. */
export function resolvePath(path: string, cwd: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}
