import { FileSystemError, l10n } from 'vscode';
import { isCancelled, messageOf } from '../../base/errors';
import { FileError, type FileErrorCode } from '../../files/errors';
import { PodUnavailableError } from '../../pods/contracts';
import { explain } from '../errorWords';

/**
 * The error as the editor knows it: one of its codes, on which it acts (a missing file may be created, a folder is not
 * opened), and words for the person.
 * @param pod its name, or its id when the name is not known.
 */
export function toFileSystemError(error: unknown, pod: string): FileSystemError {
  if (error instanceof FileSystemError) return error;
  const unavailable = unavailableIn(error);
  if (unavailable !== undefined) return FileSystemError.Unavailable(explain(unavailable).message);
  if (isCancelled(error)) return FileSystemError.Unavailable(l10n.t('Cancelled'));
  if (!(error instanceof FileError)) return new FileSystemError(explain(error).message);
  const { path, detail } = error;
  const kinds: Record<FileErrorCode, () => FileSystemError> = {
    'not-found': () => FileSystemError.FileNotFound(l10n.t('{0} does not exist on {1}.', path, pod)),
    exists: () => FileSystemError.FileExists(l10n.t('{0} already exists on {1}.', path, pod)),
    'not-a-directory': () => FileSystemError.FileNotADirectory(l10n.t('{0} on {1} is a file, not a folder.', path, pod)),
    'is-a-directory': () => FileSystemError.FileIsADirectory(l10n.t('{0} on {1} is a folder.', path, pod)),
    'no-permission': () => FileSystemError.NoPermissions(l10n.t('{1} does not let its login user do this with {0}. Its owner and mode decide; look at them with “ls -l” in a terminal.', path, pod)),
    unavailable: () => FileSystemError.Unavailable(l10n.t('The connection to {0} was lost or gave no answer ({1}). Nothing was acknowledged; try again.', pod, detail || messageOf(error.cause ?? error))),
    'no-space': () => /quota/i.test(detail)
      ? new FileSystemError(l10n.t('The quota of the volume on {0} is used up, so there is no room for {1} ({2}). The old content is still there. Delete something, or make the volume bigger in RunPod’s console, then try again.', pod, path, detail))
      : new FileSystemError(l10n.t('{0} has no room for {1}: {2}. The old content is still there. Free some space, then try again.', pod, path, detail || l10n.t('the disk is full'))),
    'not-empty': () => new FileSystemError(l10n.t('{0} on {1} is not empty.', path, pod)),
    'too-large': () => new FileSystemError(l10n.t('{0} is too large to open here ({1}).', path, detail)),
    unsupported: () => new FileSystemError(l10n.t('{1} cannot do this with {0}: {2}.', path, pod, detail)),
    failure: () => new FileSystemError(l10n.t('{1} refused this for {0}, without a reason that helps ({2}).', path, pod, detail)),
  };
  return kinds[error.code]();
}

const tooLarge = 'EntryTooLarge (FileSystemError)';

/**
 * The editor's own error for a file that is too big, which the API has no name for: in the file's place stands that it is very large,
 * with a button to open it all the same, and no dialog comes.
 */
export function tooLargeForEditor(message: string): FileSystemError {
  const error = new FileSystemError(message);
  error.name = tooLarge;
  return error;
}

export const isTooLargeForEditor = (error: unknown): boolean => error instanceof Error && error.name === tooLarge;

/** The reason why the pod cannot be reached, however deep it lies. */
function unavailableIn(error: unknown): PodUnavailableError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof PodUnavailableError) return at;
  return undefined;
}
