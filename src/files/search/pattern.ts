import { SearchError, type SearchQuery } from './query';

/** A query in the languages of those who work on it. */
export interface Pattern {
  /** Finds all matches in one line. Decides what is shown and what is replaced. */
  readonly js: RegExp;
  /** For `rg` and `grep -P`; a fixed string unless `query.regex`. */
  readonly perl: string;
  /** For a grep that knows no Perl: finds at least every line that `js` does. */
  readonly posix: string;
  /** Uses what only a backtracking engine has. */
  readonly needsPerl: boolean;
  /** Whether a tool's own notion of a word may be used to find the lines. */
  readonly word: boolean;
  /** Whether letters beyond ASCII matter, so that a tool must read lines as UTF-8. */
  readonly unicode: boolean;
}

const isWord = (char: string | undefined): boolean => char !== undefined && /\w/.test(char);

/** @throws SearchError bad-pattern */
export function compile(query: Pick<SearchQuery, 'text' | 'regex' | 'caseSensitive' | 'word'>): Pattern {
  const { text, regex = false, caseSensitive = false, word = false } = query;
  if (text === '') throw new SearchError('bad-pattern', 'nothing to search for');
  if (/[\n\r\0]/.test(text)) throw new SearchError('bad-pattern', 'a search is within one line');
  const inner = regex ? `(?:${text})` : text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  let js: RegExp;
  try {
    js = new RegExp(word ? `(?<!\\w)${inner}(?!\\w)` : inner, caseSensitive ? 'g' : 'gi');
  } catch (error) {
    throw new SearchError('bad-pattern', error instanceof Error ? error.message.replace(/^Invalid regular expression: \/.*\/\w*: /s, '') : '');
  }
  return {
    js,
    perl: regex ? toPerl(text) : text,
    posix: regex ? toPosix(text) : text,
    needsPerl: regex && /\(\?(?:[=!]|<[=!])|\\[1-9]|\\k</.test(text),
    word: word && (regex || (isWord(text[0]) && isWord(text.at(-1)))),
    unicode: /[^\0-\x7f]/.test(text) || /\\u|\\x[89a-f]/i.test(text),
  };
}

/** Up to how many matches of one line are told. */
const maxRanges = 200;

/** Where `text` matches, from and up to. Empty matches are left out: there is nothing to show or replace. */
export function rangesIn(js: RegExp, text: string): [number, number][] {
  const out: [number, number][] = [];
  for (const match of text.matchAll(js)) {
    if (match[0] !== '') out.push([match.index, match.index + match[0].length]);
    if (out.length >= maxRanges) break;
  }
  return out;
}

/** JavaScript's escapes that others write differently. */
const toPerl = (source: string): string =>
  source.replace(/\\(u\{([0-9a-f]+)\}|u([0-9a-f]{4})|.)|\(\?<(?![=!])/gis, (whole, escape: string | undefined, braced: string | undefined, four: string | undefined) => {
    if (escape === undefined) return '(?P<';
    const code = braced ?? four;
    if (code !== undefined) return `\\x{${code}}`;
    return escape === '/' ? '/' : whole;
  });

const classes: Record<string, string> = { d: '0-9', s: '[:space:]', w: '[:alnum:]_' };

/** An extended expression of POSIX that matches wherever the JavaScript one does; what it cannot say becomes "anything". */
function toPosix(source: string): string {
  let out = '';
  for (let i = 0; i < source.length; i++) {
    const char = source[i] ?? '';
    const next = source[i + 1] ?? '';
    if (char === '[') {
      const end = endOfClass(source, i);
      out += classOf(source.slice(i + 1, end));
      i = end;
    } else if (char === '\\') {
      i++;
      const set = classes[next.toLowerCase()];
      if (set !== undefined) out += next === next.toLowerCase() ? `[${set}]` : `[^${set}]`;
      else if (next === 't') out += '\t';
      else if (/[bB]/.test(next)) out += '';
      else if (/[\w]/.test(next)) return '.*';
      else out += `\\${next}`;
    } else if (char === '(' && next === '?') {
      const group = /^\(\?(?::|<\w+>)/.exec(source.slice(i));
      if (group === null) return '.*';
      out += '(';
      i += group[0].length - 1;
    } else if (char === '?' && /[*+?}]/.test(source[i - 1] ?? '') && source[i - 2] !== '\\') {
      // A lazy quantifier matches in the same lines as a greedy one.
    } else out += char;
  }
  return out;
}

function endOfClass(source: string, start: number): number {
  for (let i = start + 1; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === ']') return i;
  }
  return source.length;
}

function classOf(inner: string): string {
  const negated = inner.startsWith('^');
  let members = '';
  let bracket = '';
  let dash = '';
  const body = negated ? inner.slice(1) : inner;
  for (let i = 0; i < body.length; i++) {
    const char = body[i] ?? '';
    if (char === '\\') {
      const next = body[++i] ?? '';
      const set = classes[next];
      if (set !== undefined) members += set;
      else if (/[DSW]/.test(next)) return '.';
      else if (next === 't') members += '\t';
      else if (/\w/.test(next)) return '.';
      else if (next === ']') bracket = ']';
      else if (next === '-') dash = '-';
      else members += next;
    } else members += char;
  }
  // In a POSIX bracket expression `]` stands first and `-` last, or they mean something.
  return `[${negated ? '^' : ''}${bracket}${members}${dash}]`;
}
