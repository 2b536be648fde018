import { EventEmitter, l10n, Range, ThemeIcon, TreeItem, TreeItemCheckboxState, TreeItemCollapsibleState, window, type Disposable, type TreeDataProvider, type TreeView } from 'vscode';
import { compile, rangesIn } from '../../files/search/pattern';
import { replacementFor } from '../../files/search/replacement';
import { SCHEME, VIEW_SEARCH } from '../ids';
import { proposedUri } from './proposed';
import type { LineResult, Result, SearchResults } from './results';

/** New results show this often, in milliseconds. */
const drawMs = 100;
/** Files with more lines come folded. */
const unfolded = 10;
/** Characters shown before the first match of a line. */
const lead = 40;

/** The results of the last search: files with counts, below them their lines with what matched. */
export class SearchView implements TreeDataProvider<Result>, Disposable {
  readonly #changed = new EventEmitter<Result | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #view: TreeView<Result>;
  #results: SearchResults | undefined;
  #subscription: Disposable | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly onState: (results: SearchResults | undefined) => void) {
    this.#view = window.createTreeView(VIEW_SEARCH, { treeDataProvider: this, showCollapseAll: true, manageCheckboxStateManually: true });
    this.#view.onDidChangeCheckboxState(({ items }) => {
      for (const [result, state] of items) this.#results?.check(result, state === TreeItemCheckboxState.Checked);
    });
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
    const replacement = this.#results?.replacement;
    const writable = this.#results?.scope.uri.scheme === SCHEME && replacement === undefined ? 'writable ' : '';
    const checkboxState = replacement === undefined ? undefined : this.#results?.isChecked(element) === true ? TreeItemCheckboxState.Checked : TreeItemCheckboxState.Unchecked;
    if (element.kind === 'line') {
      const shown = replacement === undefined || this.#results === undefined ? element.match : replaced(this.#results, element, replacement);
      const item = new TreeItem(preview(shown));
      Object.assign(item, { id, contextValue: `line ${writable}`, description: String(element.match.line) });
      item.tooltip = element.match.text.slice(0, 1000);
      item.accessibilityInformation = { label: l10n.t('{0}, line {1}', element.match.text.trim().slice(0, 200), element.match.line) };
      if (checkboxState !== undefined) {
        item.checkboxState = checkboxState;
        item.tooltip = `− ${element.match.text.slice(0, 500)}\n+ ${shown.text.slice(0, 500)}`;
        item.command = {
          command: 'vscode.diff',
          title: l10n.t('Compare'),
          arguments: [element.file.uri, proposedUri(element.file.uri, this.#results?.id ?? 0), l10n.t('{0} (what would be replaced)', element.file.path), { selection: rangeOf(element), preserveFocus: true }],
        };
      } else item.command = { command: 'vscode.open', title: l10n.t('Open'), arguments: [element.file.uri, { selection: rangeOf(element), preserveFocus: true }] };
      return item;
    }
    const folder = element.path.includes('/') ? element.path.slice(0, element.path.lastIndexOf('/')) : '';
    const item = new TreeItem(element.uri, element.lines.length <= unfolded ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed);
    Object.assign(item, { id, contextValue: `file ${writable}`, iconPath: ThemeIcon.File });
    if (checkboxState !== undefined) item.checkboxState = checkboxState;
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
    // The rows first: the editor gathers what a view tells for 200 ms after the first thing told, its words included.
    this.#changed.fire(undefined);
    const message = this.#results === undefined ? undefined : describe(this.#results);
    if (message === undefined) delete this.#view.message;
    else this.#view.message = message;
    this.onState(this.#results);
  }
}

/** “lr” in llama-ft: /workspace. Matches: 42, files: 7. */
function describe(results: SearchResults): string {
  const { query, scope, problem, summary, matches, files } = results;
  const what = l10n.t('“{0}” in {1}', query.text, scope.label);
  const count = matches === 0 ? l10n.t('Nothing found.') : l10n.t('Matches: {0}, files: {1}.', matches.toLocaleString(), files.length.toLocaleString());
  if (results.replacement !== undefined) {
    const checked = results.checked.reduce((sum, { lines }) => sum + lines.length, 0);
    return l10n.t('Replace “{0}” by “{1}” in {2} · Lines: {3}, files: {4}. Nothing is changed before you apply.', query.text, results.replacement, scope.label, checked, results.checked.length);
  }
  if (results.running) return `${what} · ${matches === 0 ? l10n.t('Searching…') : count}`;
  if (problem !== undefined) return `${what} · ${problem === '' ? l10n.t('Ended early.') : problem} ${matches === 0 ? '' : count}`.trim();
  return `${what} · ${count}${summary?.limited === true ? ` ${l10n.t('There are more; narrow the search to see them.')}` : ''}`;
}

/** The line from shortly before its first match on, with the matches marked. */
function preview({ text, ranges }: { readonly text: string; readonly ranges: LineResult['match']['ranges'] }): { label: string; highlights: [number, number][] } {
  const first = ranges[0]?.[0] ?? 0;
  const indent = text.length - text.trimStart().length;
  const start = first - indent > lead * 2 ? first - lead : Math.min(indent, first);
  const dots = start > indent ? '…' : '';
  const label = `${dots}${text.slice(start, start + 500)}` || ' ';
  const shift = dots.length - start;
  return { label, highlights: ranges.filter(([, to]) => to + shift <= label.length).map(([from, to]) => [from + shift, to + shift]) };
}

/** The line as it would be, with what is new marked. */
function replaced(results: SearchResults, { match }: LineResult, replacement: string): { text: string; ranges: [number, number][] } {
  const { js } = compile(results.query);
  const ranges: [number, number][] = [];
  let text = '';
  let from = 0;
  for (const [start, end] of rangesIn(js, match.text)) {
    const inserted = replacementFor(results.query, match.text, start, replacement) ?? match.text.slice(start, end);
    text += match.text.slice(from, start);
    ranges.push([text.length, text.length + inserted.length]);
    text += inserted;
    from = end;
  }
  return { text: (text + match.text.slice(from)).replaceAll('\n', '↵'), ranges };
}

function rangeOf({ match: { line, ranges } }: LineResult): Range {
  const [from, to] = ranges[0] ?? [0, 0];
  return new Range(line - 1, from, line - 1, to);
}
