import { l10n } from 'vscode';
import type { SearchError } from '../../files/search/query';

/** What was wrong with a search, for people. */
export function searchErrorWords(error: SearchError): string {
  switch (error.code) {
    case 'bad-pattern':
      return l10n.t('This cannot be searched for: {0}.', error.detail);
    case 'not-found':
      return l10n.t('The folder to search is not there (any more).');
    case 'no-grep':
      return l10n.t('The pod has neither ripgrep nor grep. Install one of them there, for example with “apt-get install ripgrep”.');
    case 'refused':
      return l10n.t('The pod’s search tool did not finish: {0}', error.detail);
  }
}
