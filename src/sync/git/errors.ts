/**
 * - `no-git-here`, `no-git-there`: the program is missing; `detail` says how the pod's image installs programs.
 * - `no-repository`: the folder here is in none. `not-a-folder`: a file lies at the place on the pod.
 * - `other-history`: the repository on the pod has no commit in common with the one here.
 * - `bad-name`, `name-taken`: of the remote. `there-refuses`: git on the pod said no.
 * - `not-reached`: git here does not get to the pod; `sshCommand` is what it was told to use instead of `ssh`.
 * - `failed`: git here said no. `timeout`.
 */
export type GitCode = 'no-git-here' | 'no-repository' | 'no-git-there' | 'not-a-folder' | 'other-history' | 'bad-name' | 'name-taken' | 'there-refuses' | 'not-reached' | 'failed' | 'timeout';

export interface GitErrorFacts {
  /** What git, or the pod, said. */
  readonly detail?: string | undefined;
  /** The folder, here or on the pod, that it is about. */
  readonly folder?: string | undefined;
  /** The remote's name. */
  readonly name?: string | undefined;
  readonly podId?: string | undefined;
  readonly sshCommand?: string | undefined;
}

/** What keeps a pod from being a git remote; words are made in the editor. */
export class GitError extends Error {
  override readonly name = 'GitError';
  constructor(
    readonly code: GitCode,
    readonly facts: GitErrorFacts = {},
    options?: ErrorOptions,
  ) {
    super([code, facts.folder ?? facts.name, facts.detail].filter(Boolean).join(': '), options);
  }
}
