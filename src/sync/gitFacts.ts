import { execFile } from 'node:child_process';
import { lstat, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { RepositoryFacts } from './localTree';

const DEADLINE_MS = 5_000;

/** What git says, or undefined where there is no git, or it says nothing. Runs no program that the folder names. */
function git(folder: string, ...words: readonly string[]): Promise<string | undefined> {
  return new Promise((done) => {
    execFile('git', ['-C', folder, '-c', 'core.fsmonitor=false', ...words], { timeout: DEADLINE_MS, maxBuffer: 1 << 28, windowsHide: true }, (error, stdout) => done(error === null ? stdout : undefined));
  });
}

/** What git knows of a folder on this computer and of the repositories inside it. Asked once for each. */
export function repositories(root: string): (folder: string) => Promise<RepositoryFacts | undefined> {
  const known = new Map<string, Promise<RepositoryFacts | undefined>>();
  const ask = async (folder: string): Promise<RepositoryFacts | undefined> => {
    const path = folder === '' ? root : join(root, ...folder.split('/'));
    // Inside, only a repository of its own has more to say than the one around it.
    if (folder !== '' && !(await isRepository(path))) return undefined;
    let tracked: Promise<ReadonlySet<string>> | undefined;
    return { above: await ignoreFilesAbove(path), tracked: () => (tracked ??= index(path)) };
  };
  return (folder) => {
    const asked = known.get(folder) ?? ask(folder);
    known.set(folder, asked);
    return asked;
  };
}

/** A `.git` alone makes none. */
async function isRepository(top: string): Promise<boolean> {
  return lstat(join(await ownFolder(top), 'HEAD')).then(() => true, () => false);
}

async function index(folder: string): Promise<ReadonlySet<string>> {
  return new Set(((await git(folder, 'ls-files', '-z')) ?? '').split('\0').filter((name) => name !== ''));
}

/**
 * The ignore files that apply in a folder and lie outside it, outermost first: the person's own (`core.excludesFile`), the
 * repository's list where its top is elsewhere, and the `.gitignore` files between. None outside a repository.
 */
async function ignoreFilesAbove(root: string): Promise<{ below: string; text: string }[]> {
  const folders: string[] = [];
  let top = root;
  for (; !(await lstat(join(top, '.git')).then(() => true, () => false)); top = dirname(top)) {
    if (top !== root) folders.unshift(top);
    if (dirname(top) === top) return [];
  }
  if (top !== root) folders.unshift(top);
  const exclude = join(await commonFolder(top), 'info', 'exclude');
  const sources = [
    { folder: top, file: await personalList(top) },
    // The walk reads it itself where it lies in the folder.
    ...(exclude === join(root, '.git', 'info', 'exclude') ? [] : [{ folder: top, file: exclude }]),
    ...folders.map((folder) => ({ folder, file: join(folder, '.gitignore') })),
  ];
  const found: { below: string; text: string }[] = [];
  for (const { folder, file } of sources) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) found.push({ below: relative(folder, root).split(/[\\/]/).join('/'), text });
  }
  return found;
}

/** Where a repository keeps its own state; `.git` is a file in a work tree of its own and in a submodule. */
async function ownFolder(top: string): Promise<string> {
  const path = join(top, '.git');
  const pointer = /^gitdir: (.+)$/m.exec(await readFile(path, 'utf8').catch(() => ''))?.[1];
  return pointer === undefined ? path : resolve(top, pointer.trim());
}

/** Where a repository keeps what its work trees share. */
async function commonFolder(top: string): Promise<string> {
  const own = await ownFolder(top);
  const common = await readFile(join(own, 'commondir'), 'utf8').catch(() => undefined);
  return common === undefined ? own : resolve(own, common.trim());
}

/** The person's own ignore file: as git is told, else where git looks unless told. */
async function personalList(top: string): Promise<string> {
  const told = (await git(top, 'config', '--type=path', '--get', 'core.excludesFile'))?.replace(/\n$/, '');
  if (told !== undefined && told !== '') return isAbsolute(told) ? told : join(top, told);
  const config = process.env['XDG_CONFIG_HOME'];
  return join(config === undefined || config === '' ? join(homedir(), '.config') : config, 'git', 'ignore');
}

/** The files that git has as executable, for a system whose files cannot say so themselves. Relative to `root`. */
export async function executables(root: string): Promise<ReadonlySet<string>> {
  const said = await git(root, 'ls-files', '--stage', '-z');
  return new Set((said ?? '').split('\0').flatMap((line) => /^100755 [0-9a-f]+ 0\t([^]*)$/.exec(line)?.[1] ?? []));
}
