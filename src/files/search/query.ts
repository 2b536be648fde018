/** What to look for, and where. Globs are those of the editor's own search; see `globs.ts`. */
export interface SearchQuery {
  /** One line of text, or a regular expression of JavaScript's. */
  readonly text: string;
  readonly regex?: boolean;
  readonly caseSensitive?: boolean;
  readonly word?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Also what `.gitignore` files exclude. */
  readonly ignored?: boolean;
}

/** A line that matches. */
export interface LineMatch {
  /** Relative to the folder searched. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** Without its end; of a very long one the beginning. */
  readonly text: string;
  /** Where in `text`, from and up to; empty where only the pod's tool could tell, or the match lies further on. */
  readonly ranges: readonly (readonly [number, number])[];
}

export interface SearchSummary {
  readonly engine: Engine;
  /** Matching lines. */
  readonly lines: number;
  readonly matches: number;
  readonly files: number;
  /** There is more than was told. */
  readonly limited: boolean;
}

/** `grep` is GNU's; `busybox` stands for any grep that knows POSIX options only. */
export type Engine = 'rg' | 'grep' | 'busybox';

export type SearchErrorCode =
  /** `detail` says what is wrong with the expression. */
  | 'bad-pattern'
  | 'not-found'
  | 'no-grep'
  /** The pod's tool refused; `detail` is in its words. */
  | 'refused';

export class SearchError extends Error {
  override readonly name = 'SearchError';
  constructor(
    readonly code: SearchErrorCode,
    readonly detail = '',
  ) {
    super(detail === '' ? code : `${code}: ${detail}`);
  }
}
