import { l10n } from 'vscode';
import { FileError } from '../../files/errors';
import { LocalFileError, type LeftOutWhy, type LocalFileErrorCode, type TransferProgress, type TransferResult } from '../../files/transfer/contract';
import { toFileSystemError } from '../fileSystem/errors';
import { dataSize, shortTime } from '../words';

/** `1.2 GB of 40 GB · 85 MB/s · 7m left · model.safetensors`. */
export function progressText(progress: TransferProgress, bytesPerSecond: number | undefined): string {
  const { phase, files, totalFiles, bytes, totalBytes, current } = progress;
  if (phase === 'waiting') return l10n.t('{0} of {1} · the connection is down, going on when it is back', dataSize(bytes), dataSize(totalBytes));
  const parts = [l10n.t('{0} of {1}', dataSize(Math.min(bytes, totalBytes)), dataSize(totalBytes))];
  if (totalFiles > 1) parts.push(l10n.t('{0} of {1} files', files, totalFiles));
  if (phase === 'checking') parts.push(l10n.t('checking'));
  else if (bytesPerSecond !== undefined && bytesPerSecond > 0) {
    parts.push(l10n.t('{0}/s', dataSize(bytesPerSecond)));
    const leftMs = ((totalBytes - bytes) / bytesPerSecond) * 1000;
    if (leftMs > 5_000) parts.push(l10n.t('{0} left', shortTime(leftMs)));
  }
  const name = current.split(/[/\\]/).at(-1) ?? '';
  if (name !== '') parts.push(name);
  return parts.join(' · ');
}

export const leftOutWords = (why: LeftOutWhy): string =>
  ({
    special: l10n.t('a device, pipe or socket'),
    dangling: l10n.t('a link that leads nowhere'),
    'folder-link': l10n.t('a link to a folder outside'),
    'in-the-way': l10n.t('a folder is there where a file should go, or the other way round'),
    kept: l10n.t('kept as it was on the other side'),
  })[why];

/** Words for what ended a transfer, or kept one file from it. */
export function explainTransferError(error: unknown, pod: string): string {
  if (error instanceof LocalFileError) return explainLocal(error);
  const message = toFileSystemError(error, pod).message;
  return error instanceof FileError && error.code === 'unavailable' ? `${message} ${l10n.t('What has arrived is kept: the same transfer again goes on from there.')}` : message;
}

function explainLocal({ code, path, detail }: LocalFileError): string {
  const words: Record<LocalFileErrorCode, () => string> = {
    'not-found': () => l10n.t('{0} is not there (any more) on this computer.', path),
    'no-permission': () => l10n.t('This computer does not let you read or write {0}.', path),
    'no-space': () => l10n.t('The disk of this computer is full: no room for {0}.', path),
    'in-use': () => l10n.t('{0} is in use by another program. Close it there, then try again.', path),
    exists: () => l10n.t('{0} has come to be there meanwhile, and was not replaced.', path),
    changed: () => l10n.t('{0} changed while it was read.', path),
    'bad-name': () => l10n.t('This computer cannot hold the name {0}.', path),
    failure: () => l10n.t('{0}: {1}', path, detail),
  };
  return words[code]();
}

/** One line on what was done. */
export function doneText(result: TransferResult, seconds: number, where: string, direction: 'upload' | 'download'): string {
  const { files, links, bytes, present } = result;
  if (files === 0 && links === 0 && present > 0) return l10n.t('Everything is in {0} already, same size and time: {1}.', where, present);
  const speed = seconds > 0.5 ? l10n.t(' in {0} ({1}/s)', shortTime(Math.max(1, seconds) * 1000), dataSize(bytes / seconds)) : '';
  const checked = result.verified === 'hash' ? l10n.t('Checked by size and SHA-256.') : l10n.t('Checked by size; the pod has no sha256sum or no shell.');
  const already = present > 0 ? ` ${l10n.t('There already: {0}.', present)}` : '';
  const line = direction === 'upload' ? l10n.t('Uploaded to {0}: files: {1}, {2}{3}.', where, files + links, dataSize(bytes), speed) : l10n.t('Downloaded to {0}: files: {1}, {2}{3}.', where, files + links, dataSize(bytes), speed);
  return `${line} ${files > 0 ? checked : ''}${already}`.trim();
}
