/**
 * Why files could not be sent. Nothing was changed on the pod under a file's real name, except with `half-placed`.
 *
 * - `missing-tool`: the pod's image lacks a program (`detail` names it).
 * - `blocked`: the pod has something else under that name: a folder for a file or the other way round (`paths`).
 * - `changed`: a file shrank or went while it was read (`paths`).
 * - `changed-there`: the pod has something else by now than it had when it was listed.
 * - `lost`: the connection went.
 * - `half-placed`: everything had arrived, and putting it in place failed after some files; each one is whole.
 * - `failed`: the pod said no (`detail` in its own words: disk full, no permission).
 */
export type UploadErrorCode = 'missing-tool' | 'blocked' | 'changed' | 'changed-there' | 'lost' | 'half-placed' | 'failed';

export class UploadError extends Error {
  override readonly name = 'UploadError';
  readonly paths: readonly string[];
  readonly detail: string;
  constructor(
    readonly code: UploadErrorCode,
    params: { readonly paths?: readonly string[]; readonly detail?: string } = {},
  ) {
    super(`Upload ${code}: ${[...(params.paths ?? []), params.detail ?? ''].filter(Boolean).join(', ')}`);
    this.paths = params.paths ?? [];
    this.detail = params.detail ?? '';
  }
}
