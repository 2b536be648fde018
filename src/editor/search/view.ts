import { EventEmitter, l10n, Range, ThemeIcon, TreeItem, TreeItemCollapsibleState, window, type Disposable, type TreeDataProvider, type TreeView } from 'vscode';
import { VIEW_SEARCH } from '../ids';
import type { LineResult, Result, SearchResults } from './results';

/** New results show this often, in milliseconds. */
const drawMs = 100;
/** Files with more lines come folded. */
const unfolded = 10;
/** Characters shown before the first match of a line. */
const lead = 30;

/** The results of the last search: files with counts, below them their lines with what matched. */
export class SearchView implements TreeDataProvider<Result>, Disposable {
  readonly #changed = new EventEmitter<Result | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #view: TreeView<Result>;
  #results: SearchResults | undefined;
  #subscription: Disposable | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly onState: (results: SearchResults | undefined) => void) {
    this.#view = window.createTreeView(VIEW_SEARCH, { treeDataProvider: this, showCollapseAll: true });
  }

  get results(): SearchResults | undefined {
    return this.#results;
  }

  show(results: SearchResults | undefined): void {
    this.#subscription?.dispose();
    this.#results = results;
    this.#subscription = results?.onDidChange(() => this.#drawSoon());
    this.#draw();
  }

  getChildren(element?: Result): Result[] {
    if (element === undefined) return [...(this.#results?.files ?? [])];
    return element.kind === 'file' ? [...element.lines] : [];
  }

  getParent(element: Result): Result | undefined {
    return element.kind === 'line' ? element.file : undefined;
  }

  getTreeItem(element: Result): TreeItem {
    const id = `${this.#results?.id ?? 0}:${element.kind === 'file' ? element.path : `${element.file.path}:${element.match.line}`}`;
    const writable = this.#results?.scope.uri.scheme === 'runpod' ? 'writable ' : '';
    if (element.kind === 'line') {
      const item = new TreeItem(preview(element));
      Object.assign(item, { id, contextValue: `line ${writable}`, description: String(element.match.line) });
      item.tooltip = element.match.text.slice(0, 1000);
      item.accessibilityInformation = { label: l10n.t('{0}, line {1}', element.match.text.trim().slice(0, 200), element.match.line) };
      item.command = { command: 'vscode.open', title: l10n.t('Open'), arguments: [element.file.uri, { selection: rangeOf(element), preserveFocus: true }] };
      return item;
    }
    const folder = element.path.includes('/') ? element.path.slice(0, element.path.lastIndexOf('/')) : '';
    const item = new TreeItem(element.uri, element.lines.length <= unfolded ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed);
    Object.assign(item, { id, contextValue: `file ${writable}`, iconPath: ThemeIcon.File });
    item.description = [folder, String(element.lines.length)].filter(Boolean).join(' · ');
    item.tooltip = element.uri.path;
    item.accessibilityInformation = { label: l10n.t('{0}, lines with matches: {1}', element.path, element.lines.length) };
    return item;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#subscription?.dispose();
    this.#view.dispose();
    this.#changed.dispose();
  }

  #drawSoon(): void {
    this.#timer ??= setTimeout(() => this.#draw(), drawMs);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const message = this.#results === undefined ? undefined : describe(this.#results);
    if (message === undefined) delete this.#view.message;
    else this.#view.message = message;
    this.onState(this.#results);
    this.#changed.fire(undefined);
  }
}

/** “lr” in llama-ft: /workspace. Matches: 42, files: 7. */
function describe(results: SearchResults): string {
  const { query, scope, problem, summary, matches, files } = results;
  const what = l10n.t('“{0}” in {1}', query.text, scope.label);
  const count = matches === 0 ? l10n.t('Nothing found.') : l10n.t('Matches: {0}, files: {1}.', matches.toLocaleString(), files.length.toLocaleString());
  if (results.running) return `${what} · ${matches === 0 ? l10n.t('Searching…') : count}`;
  if (problem !== undefined) return `${what} · ${problem === '' ? l10n.t('Ended early.') : problem} ${matches === 0 ? '' : count}`.trim();
  return `${what} · ${count}${summary?.limited === true ? ` ${l10n.t('There are more; narrow the search to see them.')}` : ''}`;
}

/** The line from shortly before its first match on, with the matches marked. */
function preview({ match: { text, ranges } }: LineResult): { label: string; highlights: [number, number][] } {
  const first = ranges[0]?.[0] ?? 0;
  const indent = text.length - text.trimStart().length;
  const start = first - indent > lead * 2 ? first - lead : Math.min(indent, first);
  const dots = start > indent ? '…' : '';
  const label = `${dots}${text.slice(start, start + 300)}` || ' ';
  const shift = dots.length - start;
  return { label, highlights: ranges.filter(([, to]) => to + shift <= label.length).map(([from, to]) => [from + shift, to + shift]) };
}

function rangeOf({ match: { line, ranges } }: LineResult): Range {
  const [from, to] = ranges[0] ?? [0, 0];
  return new Range(line - 1, from, line - 1, to);
}
