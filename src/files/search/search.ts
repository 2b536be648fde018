import { setMaxListeners } from 'node:events';
import { messageOf } from '../../base/errors';
import { IgnoreFiles, type ReadWords } from '../ignore/ignoreFiles';
import { join } from '../names';
import { stream, type StreamHost } from '../streamed';
import { Exit, linesPerFile, searchScript } from './command';
import { PathFilter } from './globs';
import { type FoundLine, LineReader } from './lines';
import { compile, rangesIn } from './pattern';
import { type LineMatch, SearchError, type SearchQuery, type SearchSummary } from './query';

export interface SearchOptions {
  readonly signal?: AbortSignal;
  /** Matching lines as they are found. */
  readonly onMatches: (matches: readonly LineMatch[]) => void;
  /** More lines than this end the search. */
  readonly maxLines?: number;
  /** Milliseconds for the whole search: a network volume may take its time. */
  readonly deadlineMs?: number;
}

/** Folders of tools that nobody means, and our own. */
export const alwaysExcluded: readonly string[] = ['.git', '.runpod-workspaces'];

/**
 * Searches the text of the files below `folder` on a pod, with what the pod has: ripgrep, else grep. Binary files are left
 * out, and what `.gitignore` files exclude. Ends on the pod too when given up.
 * @param readWords reads ignore files, where the tool itself does not.
 * @throws SearchError; FileError unavailable; CancelledError
 */
export async function searchFolder(host: StreamHost, readWords: ReadWords, folder: string, query: SearchQuery, options: SearchOptions): Promise<SearchSummary> {
  const pattern = compile(query);
  const filter = new PathFilter(query.include ?? [], [...alwaysExcluded, ...(query.exclude ?? [])], folder);
  const ignores = new IgnoreFiles(folder, readWords);
  const maxLines = options.maxLines ?? 10_000;
  const ended = new AbortController();
  const signal = options.signal === undefined ? ended.signal : AbortSignal.any([options.signal, ended.signal]);
  // Every question about an ignore file listens to it.
  setMaxListeners(0, signal);
  const reader = new LineReader();
  const perFile = new Map<string, number>();
  let lines = 0;
  let matches = 0;
  let limited = false;

  const take = (found: readonly FoundLine[]): void => {
    const batch: LineMatch[] = [];
    for (const { path, line, text, cut } of found) {
      if (lines >= maxLines) {
        limited = true;
        ended.abort();
        break;
      }
      const ranges = rangesIn(pattern.js, text);
      // The tools look a little wider than the expression, and only they see the whole of a long line.
      if (ranges.length === 0 && !cut && !(query.regex === true && reader.engine !== 'busybox' && !pattern.word)) continue;
      const inFile = (perFile.get(path) ?? 0) + 1;
      perFile.set(path, inFile);
      if (inFile >= linesPerFile) limited = true;
      lines++;
      matches += Math.max(1, ranges.length);
      batch.push({ path, line, text, ranges });
    }
    if (batch.length > 0) options.onMatches(batch);
  };

  // What the ignore files at and above the folder say comes at the same time as the first results.
  const top = query.ignored === true ? Promise.resolve() : ignores.prepare([join(folder, 'x')], signal);
  top.catch(() => undefined);
  try {
    const { stderr } = await stream(host, searchScript(folder, query, pattern, filter), {
      signal,
      deadlineMs: options.deadlineMs ?? 3_600_000,
      onOutput: (chunk) => {
        const found = reader.push(chunk).filter(({ path }) => reader.engine === 'rg' || filter.wants(path));
        if (found.length === 0) return undefined;
        if (reader.engine === 'rg' || query.ignored === true) return take(found);
        return (async () => {
          const paths = found.map(({ path }) => join(folder, path));
          await Promise.all([top, ignores.prepare(paths, signal)]);
          take(found.filter((_, i) => !ignores.ignored(paths[i] ?? '')));
        })();
      },
    });
    judge(stderr, lines);
  } catch (error) {
    if (!ended.signal.aborted || options.signal?.aborted === true || error instanceof SearchError) throw error;
  }
  return { engine: reader.engine ?? 'grep', lines, matches, files: perFile.size, limited };
}

/** The tool's exit code and complaints: 1 is "nothing found", and files that cannot be read are no reason to fail. */
function judge(stderr: string, lines: number): void {
  const code = Number(/(?:^|\n)exit (\d+)\s*$/.exec(stderr)?.[1] ?? Number.NaN);
  const said = stderr.replace(/(?:^|\n)exit \d+\s*$/, '').trim();
  if (code === Exit.NotFound) throw new SearchError('not-found');
  if (code === Exit.NoGrep) throw new SearchError('no-grep');
  if (Number.isNaN(code)) throw new SearchError('refused', said || messageOf('the search ended early'));
  // Only an expression that the tool cannot read is told with words: unreadable files are silent.
  if (code > 1 && lines === 0 && said !== '') throw new SearchError('refused', said.split('\n')[0] ?? '');
}
