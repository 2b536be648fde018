export type FileErrorCode =
  | 'not-found'
  | 'exists'
  | 'not-a-directory'
  | 'is-a-directory'
  | 'no-permission'
  | 'unavailable'
  | 'no-space'
  | 'not-empty'
  | 'too-large'
  | 'unsupported'
  | 'failure';

/** Why an operation on a pod's file did not happen. `detail` is in the pod's or the protocol's words, for the log. */
export class FileError extends Error {
  override readonly name = 'FileError';
  constructor(
    readonly code: FileErrorCode,
    readonly path: string,
    readonly detail = '',
    options?: { cause?: unknown },
  ) {
    super(`${path}: ${code}${detail === '' ? '' : ` (${detail})`}`, options);
  }
}

export const isFileError = (error: unknown, ...codes: readonly FileErrorCode[]): error is FileError =>
  error instanceof FileError && (codes.length === 0 || codes.includes(error.code));

/** SFTP's own status replies (draft-ietf-secsh-filexfer-02, section 7). */
export const Status = {
  Ok: 0,
  Eof: 1,
  NoSuchFile: 2,
  PermissionDenied: 3,
  Failure: 4,
  BadMessage: 5,
  NoConnection: 6,
  ConnectionLost: 7,
  Unsupported: 8,
} as const;

/** The server answered, and said no. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message === '' ? `SFTP status ${status}` : message);
  }
}

/** The server never answered: the channel closed, went silent past its deadline, or spoke nonsense. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError';
}

export const isStatus = (error: unknown, ...statuses: readonly number[]): error is StatusError =>
  error instanceof StatusError && statuses.includes(error.status);
