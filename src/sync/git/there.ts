import { quote } from '../../base/shell';
import type { SyncHost } from '../host';
import { GitError } from './errors';
import type { RepositoryHere } from './here';
import { HOOK_MARK, pushToCheckout } from './hook';

const KINDS = ['missing', 'empty', 'files', 'repository', 'bare'] as const;

/** What lies at a path of a pod, as far as a remote needs to know it. */
export interface PlaceThere {
  /** `files`: a folder with something in it, and no repository. `bare`: a repository without files of its own. */
  readonly kind: (typeof KINDS)[number];
  /** What is checked out. */
  readonly branch?: string | undefined;
  /** Absent before the first commit. */
  readonly commit?: string | undefined;
  /** Its first commits, or none where its history is cut off. */
  readonly roots: readonly string[];
}

/** Finding the first commits reads all of them. */
const LOOK_DEADLINE_MS = 120_000;
/** Histories that were joined have several; each is asked for here. */
const MOST_ROOTS = 50;
const MAKE_DEADLINE_MS = 60_000;
const INSTALLERS = { 'apt-get': 'apt-get update && apt-get install -y git', apk: 'apk add git', dnf: 'dnf install -y git', yum: 'yum install -y git' } as const;

/** Looks, and changes nothing. @throws GitError no-git-there, not-a-folder, there-refuses */
export async function lookThere(host: SyncHost, path: string, signal?: AbortSignal): Promise<PlaceThere> {
  const script = [
    'LC_ALL=C; export LC_ALL',
    `if ! command -v git >/dev/null 2>&1; then for one in ${Object.keys(INSTALLERS).join(' ')}; do if command -v $one >/dev/null 2>&1; then echo "no-git $one"; exit 0; fi; done; echo no-git; exit 0; fi`,
    `place=${quote(path)}`,
    'if [ ! -e "$place" ] && [ ! -L "$place" ]; then echo kind missing; exit 0; fi',
    'if [ ! -d "$place" ]; then echo kind file; exit 0; fi',
    'cd "$place" || exit 1',
    'if [ -e .git ]; then kind=repository; elif [ -f HEAD ] && [ -d objects ] && [ -d refs ]; then kind=bare; elif [ -n "$(ls -A)" ]; then echo kind files; exit 0; else echo kind empty; exit 0; fi',
    // A repository whose making was cut off is none yet, be it in the folder of another; made again it becomes one.
    'if ! said=$(git rev-parse --git-dir 2>&1); then case $said in *"not a git repository"*) echo kind files; exit 0 ;; *) echo "$said" >&2; exit 1 ;; esac; fi',
    'if [ $kind = repository ] && [ -d .git ] && [ "$said" != .git ]; then echo kind files; exit 0; fi',
    'echo "kind $kind"',
    'if branch=$(git symbolic-ref -q --short HEAD); then echo "branch $branch"; fi',
    'if commit=$(git rev-parse -q --verify HEAD); then echo "commit $commit"; else exit 0; fi',
    '[ -f "$(git rev-parse --git-path shallow)" ] || git rev-list --max-parents=0 --all | sed "s/^/root /"',
  ];
  const { code, stdout, stderr } = await host.run(underSh(script), { deadlineMs: LOOK_DEADLINE_MS, ...(signal && { signal }) });
  // What a login's own scripts print comes before, and is none of it.
  const lines = stdout.toString().split('\n');
  const all = (word: string): string[] => lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  const without = lines.find((line) => /^no-git( |$)/.test(line));
  if (without !== undefined) throw new GitError('no-git-there', { detail: Object.entries(INSTALLERS).find(([name]) => without === `no-git ${name}`)?.[1] });
  const said = all('kind').at(-1);
  if (said === 'file') throw new GitError('not-a-folder', { folder: path });
  const kind = KINDS.find((one) => one === said);
  if (code !== 0 || kind === undefined) throw new GitError('there-refuses', { folder: path, detail: stderr.toString().trim() });
  const isId = (id: string): boolean => /^[0-9a-f]{40,64}$/.test(id);
  return { kind, branch: all('branch').at(-1), commit: all('commit').filter(isId).at(-1), roots: all('root').filter(isId).slice(0, MOST_ROOTS) };
}

/**
 * Makes the place one that takes pushes into the branch that is checked out: a repository where there is none yet, beside the
 * files that lie there. No file of the person's is touched, and no setting or hook that somebody has made.
 * @throws GitError there-refuses
 */
export async function makeThere(host: SyncHost, path: string, here: RepositoryHere, signal?: AbortSignal): Promise<void> {
  const { branch = 'main', objectFormat, shallow, author } = here;
  const unless = (name: string, value: string | undefined): string[] => (value === undefined || value === '' ? [] : [`git config ${name} >/dev/null || git config ${name} ${quote(value)}`]);
  const script = [
    'set -e',
    'LC_ALL=C; export LC_ALL',
    `mkdir -p ${quote(path)}`,
    `cd ${quote(path)}`,
    'if [ ! -f .git ] && [ "$(git rev-parse --git-dir 2>/dev/null || :)" != .git ]; then',
    `  git init -q ${objectFormat === 'sha1' ? '' : `--object-format=${objectFormat} `}.`,
    `  git symbolic-ref HEAD ${quote(`refs/heads/${branch}`)}`,
    // Our own folder lies beside a project that is the whole volume.
    '  mkdir -p .git/info && echo /.runpod-workspaces/ >>.git/info/exclude',
    ...unless('user.name', author.name).map((line) => `  ${line}`),
    ...unless('user.email', author.email).map((line) => `  ${line}`),
    'fi',
    'case $(git config receive.denyCurrentBranch || :) in ""|refuse|true) git config receive.denyCurrentBranch updateInstead ;; esac',
    ...(shallow ? ['git config receive.shallowUpdate true'] : []),
    'hook=$(git rev-parse --git-path hooks)/push-to-checkout',
    `if [ -z "$(git config core.hooksPath || :)" ] && { [ ! -e "$hook" ] || grep -q ${quote(HOOK_MARK)} "$hook"; }; then`,
    '  mkdir -p "$(dirname "$hook")"',
    '  cat >"$hook.new"',
    // A link that was cut ends the input too.
    `  if [ "$(wc -c <"$hook.new")" -ne ${Buffer.byteLength(pushToCheckout)} ]; then rm -f "$hook.new"; echo "the hook did not arrive whole" >&2; exit 1; fi`,
    '  chmod 755 "$hook.new" && mv "$hook.new" "$hook"',
    'fi',
  ];
  const { code, stderr } = await host.run(underSh(script), { input: pushToCheckout, deadlineMs: MAKE_DEADLINE_MS, ...(signal && { signal }) });
  if (code !== 0) throw new GitError('there-refuses', { folder: path, detail: stderr.toString().trim() });
}

const underSh = (lines: readonly string[]): string => `exec /bin/sh -c ${quote(lines.join('\n'))}`;
