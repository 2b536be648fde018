/** A place in a file that a line of output names. Lines and columns count from 1. */
export interface Place {
  /** Where the mention stands in the line. */
  readonly start: number;
  readonly length: number;
  readonly path: string;
  readonly line: number;
  readonly column: number | undefined;
}

const PATH = String.raw`(?:file:\/\/)?(?:[A-Za-z0-9_@.+~-]*\/)*[A-Za-z0-9_@+~-][A-Za-z0-9_@.+~ -]*?\.[A-Za-z][A-Za-z0-9]{0,9}`;
const FORMS: readonly RegExp[] = [
  // Python: `File "/workspace/train.py", line 12`; names in angle brackets are no files.
  /File "(?<path>[^"<>]+)", line (?<line>\d+)/g,
  // IPython and notebooks: `File /workspace/train.py:12`; nvcc and tsc: `kernel.cu(12)`, `a.ts(3,5)`.
  new RegExp(String.raw`(?<path>${PATH})\((?<line>\d+)(?:,(?<column>\d+))?\)`, 'g'),
  // Compilers, Node, Rust, pytest: `src/main.rs:3:5`, `test_a.py:12`.
  new RegExp(String.raw`(?<path>${PATH}):(?<line>\d+)(?::(?<column>\d+))?`, 'g'),
];

/** The places that a line of plain text names. */
export function placesIn(text: string): Place[] {
  const found: Place[] = [];
  // What a compiler prints has no such lines; a program's data may.
  if (text.length > 2_000) return found;
  for (const form of FORMS)
    for (const match of text.matchAll(form)) {
      const { path = '', line = '', column } = match.groups ?? {};
      const place: Place = { start: match.index, length: match[0].length, path: path.replace(/^file:\/\//, '').trim(), line: Number(line), column: column === undefined ? undefined : Number(column) };
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
