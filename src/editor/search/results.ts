import type { Uri } from 'vscode';
import { Emitter } from '../../base/emitter';
import type { LineMatch, SearchQuery, SearchSummary } from '../../files/search/query';
import { type Scope, uriIn } from './scope';

export interface FileResult {
  readonly kind: 'file';
  readonly path: string;
  readonly uri: Uri;
  readonly lines: LineResult[];
}

export interface LineResult {
  readonly kind: 'line';
  readonly file: FileResult;
  readonly match: LineMatch;
}

export type Result = FileResult | LineResult;

/** What one search has found so far. */
export class SearchResults {
  readonly #files = new Map<string, FileResult>();
  readonly #changed = new Emitter<void>();
  readonly onDidChange = this.#changed.event;
  readonly abort = new AbortController();
  #sorted: readonly FileResult[] | undefined;
  /** Set when it has ended. */
  summary: SearchSummary | undefined;
  /** Why it ended early. */
  problem: string | undefined;
  /** What is to take the place of the matches, while the person looks at that. */
  #replacement: string | undefined;
  readonly #unchecked = new Set<LineMatch>();

  constructor(
    readonly id: number,
    readonly scope: Scope,
    readonly query: SearchQuery,
  ) {}

  get running(): boolean {
    return this.summary === undefined && this.problem === undefined;
  }

  /** By path. */
  get files(): readonly FileResult[] {
    return (this.#sorted ??= [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)));
  }

  get matches(): number {
    let count = 0;
    for (const { lines } of this.#files.values()) for (const { match } of lines) count += Math.max(1, match.ranges.length);
    return count;
  }

  add(matches: readonly LineMatch[]): void {
    for (const match of matches) {
      let file = this.#files.get(match.path);
      if (file === undefined) {
        file = { kind: 'file', path: match.path, uri: uriIn(this.scope, match.path), lines: [] };
        this.#files.set(match.path, file);
        this.#sorted = undefined;
      }
      file.lines.push({ kind: 'line', file, match });
    }
    this.#changed.fire();
  }

  end(summary: SearchSummary | undefined, problem?: string): void {
    this.summary = summary;
    this.problem = problem ?? (summary === undefined ? '' : undefined);
    this.#changed.fire();
  }

  get replacement(): string | undefined {
    return this.#replacement;
  }

  /** Shows what would be replaced: everything, or what is under one row; `undefined` shows the matches again. */
  propose(replacement: string | undefined, only?: Result): void {
    this.#replacement = replacement;
    this.#unchecked.clear();
    if (only !== undefined) for (const file of this.files) for (const line of file.lines) if (line !== only && file !== only) this.#unchecked.add(line.match);
    this.#changed.fire();
  }

  isChecked(result: Result): boolean {
    return result.kind === 'line' ? !this.#unchecked.has(result.match) : result.lines.some((line) => this.isChecked(line));
  }

  check(result: Result, on: boolean): void {
    for (const { match } of result.kind === 'line' ? [result] : result.lines) {
      if (on) this.#unchecked.delete(match);
      else this.#unchecked.add(match);
    }
    this.#changed.fire();
  }

  /** The files with the lines that are to be replaced. */
  get checked(): readonly FileResult[] {
    return this.files.map((file) => ({ ...file, lines: file.lines.filter((line) => this.isChecked(line)) })).filter(({ lines }) => lines.length > 0);
  }

  /** Takes something out of sight, and out of what is replaced. */
  dismiss(result: Result): void {
    const file = result.kind === 'file' ? result : result.file;
    if (result.kind === 'line') file.lines.splice(file.lines.indexOf(result), 1);
    if (result.kind === 'file' || file.lines.length === 0) {
      this.#files.delete(file.path);
      this.#sorted = undefined;
    }
    this.#changed.fire();
  }
}
