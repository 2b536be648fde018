import { quote } from '../../base/shell';
import { IgnoreFiles, type FolderWords, type ReadWords } from '../ignore/ignoreFiles';
import { decodeName, dirname, join } from '../names';
import type { PodFiles } from '../pod/podFiles';
import { PathFilter } from '../search/globs';
import { SearchError } from '../search/query';
import { alwaysExcluded } from '../search/search';
import { assign, script } from '../shell';
import { stream, type StreamHost } from '../streamed';

export interface ListOptions {
  /** Globs of what is left out, besides what `.gitignore` files say. */
  readonly exclude: readonly string[];
  readonly signal?: AbortSignal;
  /** Paths as they come, relative to the folder. Ignored files may be among them until the end. */
  readonly onPaths?: (paths: readonly string[]) => void;
  /** More files than this end the listing. */
  readonly maxFiles?: number;
  readonly deadlineMs?: number;
}

export interface Listed {
  /** Relative to the folder. Without links: what they lead to is listed where it lies. */
  readonly paths: readonly string[];
  readonly limited: boolean;
}

/** Paths judged without a pause, so that typing is not held up. */
const slice = 5_000;

/** All files below a folder, in one command: by ripgrep where the pod has it, else find. `.gitignore` files are respected. */
export async function listFiles(host: StreamHost, files: PodFiles, readWords: ReadWords, folder: string, options: ListOptions): Promise<Listed> {
  const filter = new PathFilter([], [...alwaysExcluded, ...options.exclude], folder);
  const maxFiles = options.maxFiles ?? 500_000;
  const ended = new AbortController();
  const signal = options.signal === undefined ? ended.signal : AbortSignal.any([options.signal, ended.signal]);
  const names = new NameReader();
  const paths: string[] = [];
  let tool: string | undefined;
  let limited = false;
  let stderr = '';
  try {
    ({ stderr } = await stream(host, listScript(folder, filter), {
      signal,
      deadlineMs: options.deadlineMs ?? 1_800_000,
      onOutput: (chunk) => {
        const found = names.push(chunk).map((name) => name.replace(/^\.\//, ''));
        if (tool === undefined && found.length > 0) tool = found.shift()?.split('\n').at(-1);
        for (const path of found) paths.push(path);
        options.onPaths?.(found.filter((path) => !isMarker(path)));
        if (paths.length < maxFiles) return;
        limited = true;
        ended.abort();
      },
    }));
  } catch (error) {
    if (!limited || options.signal?.aborted === true) throw error;
  }
  if (/(?:^|\n)exit 171\s*$/.test(stderr)) throw new SearchError('not-found');
  if (tool === undefined) throw new SearchError('refused', stderr.trim().split('\n')[0] ?? '');
  return { paths: tool === 'rg' ? paths : await withoutIgnored(paths, folder, files, readWords, filter, options.signal), limited };
}

/** The names end with NUL; the first "name" is the tool's. A `.git` among them tells where a repository begins. */
function listScript(folder: string, filter: PathFilter): string {
  const pruned = filter.excludedFolders.map((name) => `-name ${quote(name)}`).join(' -o ');
  return script(
    [
      assign('d', folder),
      'cd "$d" 2>/dev/null || { echo "exit 171" >&2; exit 0; }',
      'if command -v rg >/dev/null 2>&1; then',
      "printf 'rg\\0'",
      `rg --no-config --files --hidden --no-require-git --no-ignore-global --no-messages --null ${filter.exclude.map((glob) => `--glob ${quote(`!${glob}`)}`).join(' ')}`,
      'exit 0; fi',
      "printf 'find\\0'",
      `find . -type d \\( \\( -name .git -prune -print0 \\) -o \\( ${pruned} \\) -prune \\) -o -type f -print0 2>/dev/null`,
      'exit 0',
    ].join('\n'),
  );
}

const isMarker = (path: string): boolean => path === '.git' || path.endsWith('/.git');
const isIgnoreFile = (path: string): boolean => path === '.gitignore' || path.endsWith('/.gitignore');

async function withoutIgnored(paths: readonly string[], folder: string, files: PodFiles, readWords: ReadWords, filter: PathFilter, signal: AbortSignal | undefined): Promise<string[]> {
  const said = new Map<string, FolderWords>();
  for (const path of paths) if (isMarker(path)) said.set(dirname(join(folder, path)), { repository: true });
  const texts = paths.filter(isIgnoreFile).map((path) => dirname(join(folder, path)));
  await Promise.all(
    texts.map(async (at) => {
      const read = await Promise.allSettled([files.readFile(join(at, '.gitignore'), { maxBytes: 1024 * 1024, ...(signal && { signal }) })]);
      const text = read[0].status === 'fulfilled' ? Buffer.from(read[0].value).toString() : undefined;
      said.set(at, { repository: said.get(at)?.repository ?? false, ...(text !== undefined && { text }) });
    }),
  );
  const ignores = new IgnoreFiles(folder, readWords);
  for (const [at, words] of said) ignores.put(at, words);
  await ignores.prepare([join(folder, 'x')], signal);
  const out: string[] = [];
  for (let i = 0; i < paths.length; i += slice) {
    for (const path of paths.slice(i, i + slice)) if (!isMarker(path) && filter.wants(path) && !ignores.ignored(join(folder, path))) out.push(path);
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
  return out;
}

/** Cuts bytes at NULs and decodes the names, many at once where they are plain. */
class NameReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  push(chunk: Buffer): string[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = bytes.lastIndexOf(0);
    if (end < 0) {
      this.#rest = bytes;
      return [];
    }
    this.#rest = bytes.subarray(end + 1);
    const whole = bytes.subarray(0, end);
    try {
      const text = this.#strict.decode(whole);
      if (!/[\uef80-\uefff]/.test(text)) return text.split('\0');
    } catch {
      // A name that is not UTF-8: one by one.
    }
    const out: string[] = [];
    for (let start = 0; start <= whole.length; ) {
      const nul = whole.indexOf(0, start);
      const to = nul < 0 ? whole.length : nul;
      out.push(decodeName(whole.subarray(start, to)));
      start = to + 1;
    }
    return out;
  }
}
