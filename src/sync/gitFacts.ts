import { execFile } from 'node:child_process';
import { lstat, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

const DEADLINE_MS = 5_000;

/** What git says, or undefined where there is no git, or it says nothing. Runs no program that the folder names. */
function git(folder: string, ...words: readonly string[]): Promise<string | undefined> {
  return new Promise((done) => {
    execFile('git', ['-C', folder, '-c', 'core.fsmonitor=false', ...words], { timeout: DEADLINE_MS, maxBuffer: 1 << 28, windowsHide: true }, (error, stdout) => done(error === null ? stdout : undefined));
  });
}

/**
 * The ignore files that apply in a folder and lie outside it, outermost first: the person's own (`core.excludesFile`), the
 * repository's list where its top is elsewhere, and the `.gitignore` files between. None outside a repository.
 */
export async function ignoreFilesAbove(root: string): Promise<{ below: string; text: string }[]> {
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

/** Where a repository keeps what its work trees share; `.git` is a file in a work tree of its own and in a submodule. */
async function commonFolder(top: string): Promise<string> {
  const path = join(top, '.git');
  const pointer = /^gitdir: (.+)$/m.exec(await readFile(path, 'utf8').catch(() => ''))?.[1];
  if (pointer === undefined) return path;
  const own = resolve(top, pointer.trim());
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
