import { commands, Disposable, l10n, window } from 'vscode';
import { isCancelled } from '../../base/errors';
import { readWordsFrom } from '../../files/ignore/ignoreFiles';
import { splitGlobs } from '../../files/search/globs';
import { compile } from '../../files/search/pattern';
import type { SearchQuery } from '../../files/search/query';
import { searchFolder } from '../../files/search/search';
import { choices, command, showError } from '../commands/command';
import { explain } from '../errorWords';
import { CONTEXT, VIEW_SEARCH } from '../ids';
import type { Parts } from '../parts';
import { type Asked, askQuery, nothingAsked } from './question';
import { registerProposed } from './proposed';
import { replaceAll, type Replaced } from './replace';
import { type FileResult, type Result, SearchResults } from './results';
import { excludedGlobs, type Scope, scopeOf, whichFolder } from './scope';
import { SearchView } from './view';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';
import { withProgress } from '../progress';

const KEY = 'runpod.lastSearch';

/** What **Search on Pod** gives back. */
export interface SearchOutcome {
  readonly matches: number;
  readonly files: number;
  /** There is more than was found. */
  readonly limited: boolean;
  readonly replaced?: number;
}

export function registerSearch(parts: Parts): Disposable {
  return new Searches(parts);
}

class Searches implements Disposable {
  readonly #view: SearchView;
  readonly #subscriptions: Disposable;
  #count = 0;

  constructor(private readonly parts: Parts) {
    this.#view = new SearchView((results) => this.#tell(results));
    const { log } = parts;
    this.#subscriptions = Disposable.from(
      this.#view,
      command('runpod.searchOnPod', log, (target, given) => this.#search(target, given)),
      command('runpod.cancelSearch', log, () => this.#view.results?.abort.abort()),
      command('runpod.repeatSearch', log, () => this.#repeat()),
      command('runpod.clearSearch', log, () => this.#show(undefined)),
      command('runpod.dismissSearchResult', log, (row) => this.#dismiss(row)),
      // A title icon hands over the row that has the focus, as the row's own icon does: that is another command.
      command('runpod.replaceOnPod', log, (_, given) => this.#replace(undefined, choices(given))),
      command('runpod.replaceHere', log, (row, given) => this.#replace(isResult(row) ? row : undefined, choices(given))),
      command('runpod.applyReplacements', log, () => this.#apply()),
      command('runpod.discardReplacements', log, () => this.#view.results?.propose(undefined)),
      registerProposed(() => this.#view.results),
    );
  }

  dispose(): void {
    this.#view.results?.abort.abort();
    this.#subscriptions.dispose();
  }

  async #search(target: unknown, given: unknown): Promise<SearchOutcome> {
    const asked = queryIn(given);
    const scope = await scopeOf(this.parts, isResult(target) ? this.#view.results?.scope.uri : target, whichFolder());
    const query = asked ?? (await this.#ask(scope));
    if (query === undefined) return { matches: 0, files: 0, limited: false };
    const outcome = await this.#run(scope, query);
    const replacement = choices(given)?.['replace'];
    if (asked === undefined || typeof replacement !== 'string' || this.#view.results === undefined) return outcome;
    const { replaced } = await replaceAll(this.#view.results, this.#view.results.files, replacement);
    return { ...outcome, replaced };
  }

  async #ask(scope: Scope): Promise<SearchQuery | undefined> {
    const state = this.parts.context.workspaceState;
    const editor = window.activeTextEditor;
    const selected = editor !== undefined && editor.selection.isSingleLine ? editor.document.getText(editor.selection) : '';
    const last = { ...nothingAsked, ...state.get<Asked>(KEY) };
    const asked = await askQuery(scope.label, selected === '' ? last : { ...last, text: selected, regex: false });
    if (asked === undefined) return undefined;
    await state.update(KEY, asked);
    const { include, exclude, ...rest } = asked;
    return { ...rest, include: splitGlobs(include), exclude: splitGlobs(exclude) };
  }

  /** One search at a time: a new one ends the one before. */
  async #run(scope: Scope, query: SearchQuery): Promise<SearchOutcome> {
    compile(query);
    const results = new SearchResults(++this.#count, scope, query);
    this.#show(results);
    await commands.executeCommand(`${VIEW_SEARCH}.focus`);
    const exclude = query.ignored === true ? (query.exclude ?? []) : [...excludedGlobs(scope), ...(query.exclude ?? [])];
    return withProgress({ location: { viewId: VIEW_SEARCH } }, async () => {
      try {
        const summary = await searchFolder(this.parts.sessions.get(scope.podId), readWordsFrom(this.parts.files(scope.podId)), scope.folder, { ...query, exclude }, {
          signal: results.abort.signal,
          onMatches: (matches) => results.add(matches),
        });
        this.parts.log.debug(`Search with ${summary.engine}: ${summary.lines} lines in ${summary.files} files`);
        results.end(summary);
        return { matches: summary.matches, files: summary.files, limited: summary.limited };
      } catch (error) {
        results.end(undefined, isCancelled(error) ? '' : explain(error).message);
        throw error;
      }
    });
  }

  async #repeat(): Promise<SearchOutcome | undefined> {
    const last = this.#view.results;
    return last === undefined ? undefined : this.#run(last.scope, last.query);
  }

  /** Shows what would be replaced; with a replacement handed over, replaces at once. */
  async #replace(only: Result | undefined, given: Readonly<Record<string, unknown>> | undefined): Promise<Replaced | undefined> {
    const results = this.#view.results;
    if (results === undefined) return undefined;
    const replacement = given?.['replacement'];
    if (typeof replacement === 'string') return this.#replaceNow(results, chosenOf(results, only), replacement);
    const asked = await askReplacement(results.query);
    if (asked !== undefined && this.#view.results === results) results.propose(asked, only);
    return undefined;
  }

  async #apply(): Promise<Replaced | undefined> {
    const results = this.#view.results;
    if (results?.replacement === undefined) return undefined;
    return this.#replaceNow(results, results.checked, results.replacement);
  }

  async #replaceNow(results: SearchResults, chosen: readonly FileResult[], replacement: string): Promise<Replaced> {
    const done = await replaceAll(results, chosen, replacement);
    const skipped = done.skipped > 0 ? ` ${l10n.t('Lines that were left alone because they have changed, are too long, or stand in a file of another encoding: {0}.', done.skipped)}` : '';
    notice.brief(l10n.t('Replaced: {0}, files: {1}.', done.replaced, done.files) + skipped, 8_000);
    results.propose(undefined);
    if (done.replaced > 0) this.#repeat().catch(showError);
    return done;
  }

  #dismiss(row: unknown): void {
    if (isResult(row)) this.#view.results?.dismiss(row);
  }

  #show(results: SearchResults | undefined): void {
    this.#view.results?.abort.abort();
    this.#view.show(results);
  }

  readonly #told = new Map<string, boolean>();

  #tell(results: SearchResults | undefined): void {
    const tell = (key: string, value: boolean): void => {
      if (this.#told.get(key) === value) return;
      this.#told.set(key, value);
      void commands.executeCommand('setContext', key, value);
    };
    tell(CONTEXT.searchShown, results !== undefined);
    tell(CONTEXT.searchRunning, results?.running === true);
    tell(CONTEXT.searchReplacing, results?.replacement !== undefined);
    tell(CONTEXT.searchReplaceable, results?.running === false && results.files.length > 0 && results.scope.uri.scheme === 'runpod');
  }
}

/** A complete query among the choices of a call. */
function queryIn(given: unknown): SearchQuery | undefined {
  const all = choices(given);
  if (all === undefined || typeof all['query'] !== 'string') return undefined;
  const flag = (key: string): boolean => all[key] === true;
  const globs = (key: string): string[] => {
    const value = all[key];
    return typeof value === 'string' ? splitGlobs(value) : Array.isArray(value) ? value.filter((glob): glob is string => typeof glob === 'string') : [];
  };
  return { text: all['query'], regex: flag('regex'), caseSensitive: flag('caseSensitive'), word: flag('word'), ignored: flag('ignored'), include: globs('include'), exclude: globs('exclude') };
}

function askReplacement(query: SearchQuery): Thenable<string | undefined> {
  return ask.text({
    title: l10n.t('Replace “{0}”', query.text),
    placeHolder: l10n.t('Replacement'),
    prompt: query.regex === true ? l10n.t('$1, $& and \\n have their usual meaning. Every change is shown before it is made.') : l10n.t('Every change is shown before it is made.'),
  });
}

const isResult = (row: unknown): row is Result => typeof row === 'object' && row !== null && 'kind' in row && (row.kind === 'file' || row.kind === 'line');

/** All files, those of one row, or the one line of a row. */
function chosenOf(results: SearchResults, row: Result | undefined): readonly FileResult[] {
  if (row === undefined) return results.files;
  return row.kind === 'file' ? [row] : [{ ...row.file, lines: [row] }];
}
