import { GitError } from './errors';
import type { Git } from './program';

/** A repository of this computer, as far as a remote needs to know it. */
export interface RepositoryHere {
  /** Where its files begin. */
  readonly top: string;
  /** Where in it the folder lies that was asked about; empty for the top itself. */
  readonly below: string;
  /** What is checked out; absent where that is no branch. */
  readonly branch: string | undefined;
  /** Absent before the first commit. */
  readonly commit: string | undefined;
  /** Its history is cut off, so that the first commits are not here. */
  readonly shallow: boolean;
  readonly objectFormat: string;
  /** Who commits here, as every commit says. */
  readonly author: { readonly name?: string | undefined; readonly email?: string | undefined };
}

/** @throws GitError no-git-here, no-repository */
export async function repositoryHere(git: Git): Promise<RepositoryHere> {
  const { code, stdout, stderr } = await git.ask(['rev-parse', '--show-toplevel']);
  const top = stdout.replace(/\r?\n$/, '');
  if (code !== 0 || top === '') throw new GitError('no-repository', { folder: git.folder, detail: stderr.trim() });
  const at = git.in(top);
  const [below = '', branch, commit, shallow, objectFormat, name, email] = await Promise.all([
    git.tell('rev-parse', '--show-prefix'),
    at.tell('symbolic-ref', '-q', '--short', 'HEAD'),
    at.tell('rev-parse', '-q', '--verify', 'HEAD'),
    at.tell('rev-parse', '--is-shallow-repository'),
    // Not known to a git that has one format only.
    at.tell('rev-parse', '--show-object-format'),
    at.tell('config', 'user.name'),
    at.tell('config', 'user.email'),
  ]);
  return { top, below, branch, commit, shallow: shallow === 'true', objectFormat: objectFormat === 'sha256' ? 'sha256' : 'sha1', author: { name, email } };
}

/** Whether another repository is one with this: its commit is here, or its history begins with the same commits. */
export async function sharesHistory(git: Git, there: { readonly commit?: string | undefined; readonly roots: readonly string[] }): Promise<boolean> {
  for (const id of [there.commit, ...there.roots]) if (id === undefined || (await git.ask(['cat-file', '-e', `${id}^{commit}`])).code === 0) return true;
  return false;
}
