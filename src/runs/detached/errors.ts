/**
 * - `missing-tool`: the pod lacks a program without which nothing can be detached; `detail` names it.
 * - `no-space`, `not-started`: the pod's own words are in `detail`.
 * - `running`: only what has ended can be deleted.
 * - `unknown`: there is no such run on the pod (any more).
 */
export type RunErrorCode = 'missing-tool' | 'no-space' | 'not-started' | 'running' | 'unknown';

export class RunError extends Error {
  override readonly name = 'RunError';
  constructor(
    readonly code: RunErrorCode,
    readonly detail: string,
  ) {
    super(`${code}: ${detail}`);
  }
}
