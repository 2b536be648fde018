import { l10n } from 'vscode';
import type { UploadError } from '../../sync/uploadError';

const NAMED = 8;

/** Up to eight names, and how many more. */
export const listed = (paths: readonly string[]): string =>
  paths.length <= NAMED ? paths.join(', ') : l10n.t('{0} and {1} more', paths.slice(0, NAMED).join(', '), paths.length - NAMED);

/** Words for a push or pull that failed. */
export function explainSync({ code, paths, detail }: UploadError, pod: string, way: 'push' | 'pull'): string {
  switch (code) {
    case 'missing-tool':
      return l10n.t('{0} lacks the program “{1}”, which keeping files in step needs. Install it there, or use another image.', pod, detail);
    case 'blocked':
      return l10n.t('{0} has a file where the folder {1} should be. Move or rename it, then try again.', pod, paths[0] ?? '');
    case 'changed':
      return l10n.t('{0} changed while it was being sent. Nothing was changed on {1}; try again.', paths[0] ?? '', pod);
    case 'changed-there':
      return l10n.t('Files on {0} changed while yours were being sent. Nothing was changed there; try again.', pod);
    case 'lost':
      return way === 'push' ? l10n.t('The connection to {0} was lost while sending. Nothing was changed there; try again.', pod) : l10n.t('The connection to {0} was lost. Nothing was changed here; try again.', pod);
    case 'half-placed':
      return l10n.t('{0} could not put every file in place: {1}. Those in place are whole; try again for the rest.', pod, detail || l10n.t('the connection was lost'));
    case 'failed':
      return way === 'push' ? l10n.t('{0} refused the files: {1}. Nothing was changed there.', pod, detail || l10n.t('no reason given')) : l10n.t('{0} could not read the files: {1}. Nothing was changed here.', pod, detail || l10n.t('no reason given'));
  }
}
