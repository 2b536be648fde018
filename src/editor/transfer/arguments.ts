import { l10n, Uri } from 'vscode';
import { choices } from '../commands/command';
import { SCHEME, SCHEME_READONLY } from '../ids';
import { besideRemoteWindow } from '../settings';

export const isOnPod = (uri: Uri): boolean => uri.scheme === SCHEME || uri.scheme === SCHEME_READONLY;

/** What a transfer was told: by code as `{sources, destination?, conflicts?}`, by the Explorer's menu as `(Uri, Uri[])`. */
export interface TransferChoices {
  readonly sources: readonly Uri[] | undefined;
  /** As given: a path of the other side, or an address. */
  readonly destination: string | undefined;
  readonly conflicts: 'overwrite' | 'keep' | undefined;
  /** Called by code with all it takes, so that nothing is asked. */
  readonly complete: boolean;
}

/** @param asUri makes an address of a plain path. */
export function readChoices(second: unknown, asUri: (path: string) => Uri): TransferChoices {
  if (Array.isArray(second) && second.length > 0 && second.every((one) => one instanceof Uri)) return { sources: second, destination: undefined, conflicts: undefined, complete: false };
  const given = choices(second);
  const { sources, destination, conflicts } = given ?? {};
  return {
    sources: Array.isArray(sources) ? sources.map((source) => toUri(source, asUri)) : undefined,
    destination: destination instanceof Uri ? pathOf(destination) : typeof destination === 'string' && destination !== '' ? pathOf(toUri(destination, asUri)) : undefined,
    conflicts: conflicts === 'overwrite' || conflicts === 'keep' ? conflicts : undefined,
    complete: given !== undefined && Array.isArray(sources),
  };
}

function toUri(value: unknown, asUri: (path: string) => Uri): Uri {
  if (value instanceof Uri) return value;
  if (typeof value !== 'string' || value === '') throw new TypeError(l10n.t('A source is a path or an address.'));
  // `C:\data` is a path, not an address.
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(value) ? Uri.parse(value, true) : asUri(value);
}

const pathOf = (uri: Uri): string => (isOnPod(uri) ? uri.path : localPath(uri));

/**
 * The path of a file of the computer that the extension runs on. Where that is the machine of the window, what is dragged out of
 * the Explorer carries that machine's own scheme; where it is not, the same path here would be another file.
 */
export const localPath = (uri: Uri): string => pathHere(uri, besideRemoteWindow());

export function pathHere(uri: Uri, beside: boolean): string {
  if (uri.scheme === 'file') return uri.fsPath;
  if (uri.scheme === 'vscode-remote') {
    if (!beside) return Uri.file(uri.path).fsPath;
    throw new Error(l10n.t('{0} is on the machine of this window, and files are moved from and to this computer. Push to Pod sends folders of that machine too.', uri.path));
  }
  throw new Error(l10n.t('{0} is not a file of this computer.', uri.toString(true)));
}
