import { quote } from '../../base/shell';
import { assign, script } from '../shell';
import type { PathFilter } from './globs';
import type { Pattern } from './pattern';
import type { SearchQuery } from './query';

/** Matching lines of one file that are looked at; then the tool goes on to the next. */
export const linesPerFile = 2_000;
/** Bytes of a line, its path included, that cross the link. A line of a data set may have megabytes. */
export const bytesPerLine = 4_096;

/** What the script found out by itself, as its last words on standard error. */
export const Exit = { NotFound: 171, NoGrep: 173 } as const;

/**
 * The script that searches `folder`: ripgrep where the pod has it, else grep. The first line of its output names the tool, each
 * further one is `./path NUL line:text` (without the NUL where only BusyBox is at hand). A pipe hides the tool's exit code, so
 * that comes last on standard error.
 */
export function searchScript(folder: string, query: SearchQuery, pattern: Pattern, filter: PathFilter): string {
  const lines = [
    assign('d', folder),
    'end() { echo "exit $1" >&2; exit 0; }',
    `cd "$d" 2>/dev/null || end ${Exit.NotFound}`,
    // Without stdbuf the cut would keep the first results back until it has a few thousand bytes.
    `if command -v stdbuf >/dev/null 2>&1; then trim() { stdbuf -oL cut -b -${bytesPerLine}; }; else trim() { cat; }; fi`,
    `if command -v rg >/dev/null 2>&1${pattern.needsPerl ? ' && rg --pcre2-version >/dev/null 2>&1' : ''}; then`,
    'echo rg',
    `rg ${rgOptions(query, pattern, filter)} ./`,
    'end $?',
    'fi',
    `command -v grep >/dev/null 2>&1 || end ${Exit.NoGrep}`,
    'case $(grep --version 2>/dev/null) in *GNU*)',
    'echo grep',
    ...gnu(query, pattern, filter),
    ';; esac',
    'echo busybox',
    `find . ${findTests(filter)} -type f ${names(filter)} -exec grep ${flags(query, pattern)} -sHn ${query.regex === true ? '-E' : '-F'} -e ${quote(query.regex === true ? pattern.posix : query.text)} /dev/null {} +`,
    'end $?',
  ];
  return script(lines.join('\n'));
}

const flags = (query: SearchQuery, pattern: Pattern): string => [query.caseSensitive === true ? '' : '-i', pattern.word ? '-w' : '', `-m ${linesPerFile}`].filter(Boolean).join(' ');

function rgOptions(query: SearchQuery, pattern: Pattern, filter: PathFilter): string {
  const fixed = query.regex !== true;
  return [
    '--no-config --color never --no-heading --with-filename --line-number --null --line-buffered --no-messages --hidden --no-require-git --no-ignore-global',
    `--max-columns ${bytesPerLine} --max-columns-preview`,
    query.caseSensitive === true ? '--case-sensitive' : '--ignore-case',
    flags({ ...query, caseSensitive: true }, pattern),
    query.ignored === true ? '--no-ignore' : '',
    fixed ? '--fixed-strings' : pattern.needsPerl ? '--pcre2' : '',
    // A folder that is named means what lies in it.
    ...filter.include.flatMap((glob) => [`--glob ${quote(glob)}`, `--glob ${quote(`${glob.includes('/') ? '' : '**/'}${glob}/**`)}`]),
    ...filter.exclude.map((glob) => `--glob ${quote(`!${glob}`)}`),
    `-e ${quote(pattern.perl)}`,
  ]
    .filter(Boolean)
    .join(' ');
}

function gnu(query: SearchQuery, pattern: Pattern, filter: PathFilter): string[] {
  // Bytes are enough, and much faster, unless letters beyond ASCII are looked for.
  const locale = pattern.unicode ? 'C.UTF-8' : 'C';
  const options = [
    '-rnIHZs --line-buffered -D skip',
    flags(query, pattern),
    ...filter.excludedFolders.map((name) => `--exclude-dir=${quote(name)}`),
    ...filter.excludedFiles.map((name) => `--exclude=${quote(name)}`),
    ...filter.includedNames.map((name) => `--include=${quote(name)}`),
  ].join(' ');
  const expression =
    query.regex === true
      ? [`if echo x | grep -P x >/dev/null 2>&1; then set -- -P -e ${quote(pattern.perl)}; else set -- -E -e ${quote(pattern.posix)}; fi`]
      : [`set -- -F -e ${quote(query.text)}`];
  return [...expression, ...(query.ignored === true ? [] : ignoredFolders), `{ LC_ALL=${locale} grep ${options} "$@" . ; c=$?; echo "exit $c" >&2; } | trim`, 'exit 0'];
}

/**
 * Lets grep leave out the folders that the top `.gitignore` plainly names, so that it does not read through an environment or a
 * cache. All else those files say is applied to the results.
 */
const ignoredFolders = [
  'if [ -f .gitignore ] && ! grep -q "^!" .gitignore 2>/dev/null; then',
  "cr=$(printf '\\r')",
  'while IFS= read -r l || [ -n "$l" ]; do',
  'l=${l%"$cr"}; l=${l%/}',
  "case $l in ''|'#'*|*/*|*\\\\*|*' ') continue ;; esac",
  'set -- "$@" "--exclude-dir=$l"',
  'done < .gitignore',
  'fi',
];

function findTests(filter: PathFilter): string {
  const pruned = filter.excludedFolders.map((name) => `-name ${quote(name)}`).join(' -o ');
  return pruned === '' ? '' : `-type d \\( ${pruned} \\) -prune -o`;
}

function names(filter: PathFilter): string {
  const wanted = filter.includedNames.map((name) => `-name ${quote(name)}`).join(' -o ');
  return wanted === '' ? '' : `\\( ${wanted} \\)`;
}
