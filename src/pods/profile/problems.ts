/** What is wrong at one place of a profile. Words are the editor's. */
export type ProfileProblemCode =
  /** Not JSON with comments. */
  | 'syntax'
  | 'unknown-field'
  | 'wrong-type'
  /** Not one of `permitted`. */
  | 'not-permitted'
  /** Not written as `permitted` shows. */
  | 'bad-format'
  /** Below or above `limit`. */
  | 'too-small'
  | 'too-big'
  | 'empty'
  /** Cannot stand beside the field in `other`. */
  | 'excludes'
  /** One of `permitted` must be there. */
  | 'missing'
  /** Nothing in the catalog (or the account) is called so; `permitted` has what is. */
  | 'unknown-gpu'
  | 'unknown-cpu'
  | 'unknown-data-center'
  | 'unknown-volume'
  | 'unknown-template'
  /** The memory in `cpu3c-2-4` is not what that size has; `permitted` has the right name. */
  | 'cpu-memory'
  /** The volume lies elsewhere than `dataCenterIds` allow. */
  | 'volume-elsewhere';

export type ProfilePath = readonly (string | number)[];

export interface ProfileProblem {
  readonly code: ProfileProblemCode;
  readonly path: ProfilePath;
  /** Where it stands in the text, in UTF-16 units. */
  readonly offset: number;
  readonly length: number;
  /** What may stand there. */
  readonly permitted?: readonly string[];
  readonly limit?: number;
  readonly other?: string;
  /** What stands there, or the parser's own word. */
  readonly detail?: string;
}

/** A problem before its place in the text is known. */
export type PlacelessProblem = Omit<ProfileProblem, 'offset' | 'length'> & { readonly atKey?: boolean };

/** A file or profile that cannot be used, with every reason. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
  constructor(readonly problems: readonly ProfileProblem[]) {
    super(`The profile cannot be used: ${problems.map((p) => `${p.path.join('.')} ${p.code}`).join('; ')}`);
  }
}
