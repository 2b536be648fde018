import { l10n } from 'vscode';
import { type GitError } from '../../sync/git/errors';

/** What happened and why, and what to do. */
export function gitErrorWords({ code, facts }: GitError): string {
  const { folder = '', name = '', sshCommand } = facts;
  const detail = facts.detail === undefined || facts.detail === '' ? l10n.t('no reason given') : trim(facts.detail);
  switch (code) {
    case 'no-git-here':
      return l10n.t('git is not installed on this computer, or not where the setting “git.path” says. Install it from git-scm.com.');
    case 'no-repository':
      return /dubious ownership/.test(detail) ? l10n.t('git does not use the repository in {0}, for it belongs to somebody else: {1}', folder, detail) : l10n.t('{0} is not in a git repository. Initialize Repository in the Source Control view makes it one.', folder);
    case 'no-git-there':
      return facts.detail === undefined ? l10n.t('The pod has no git. Install it there, or use another image.') : l10n.t('The pod has no git. In its terminal this installs it: {0}', facts.detail);
    case 'not-a-folder':
      return l10n.t('{0} is a file on the pod. Give the folder another place with the choice “destination”, or rename the file.', folder);
    case 'other-history':
      return l10n.t('The repository in {0} on the pod has another history than this one. Choose another folder there.', folder);
    case 'bad-name':
      return l10n.t('git takes no remote of the name “{0}”. Letters, digits and hyphens do.', name);
    case 'name-taken':
      return l10n.t('There is a remote “{0}” that leads elsewhere. Choose another name.', name);
    case 'there-refuses':
      return l10n.t('The pod could not make a repository of {0}: {1}', folder, detail);
    case 'not-reached':
      return sshCommand === undefined
        ? l10n.t('git on this computer does not get to the pod: {0}', detail)
        : l10n.t('git on this computer does not get to the pod: {0} It uses “{1}” instead of ssh, which must read ~/.ssh/config.', detail, sshCommand);
    case 'timeout':
      return l10n.t('git took too long ({0}).', detail);
    case 'failed':
      return l10n.t('git said: {0}', detail);
  }
}

/** Why a push did not go through, in one sentence with what to do. */
export function pushRefusalWords(said: string, podName: string, path: string): string {
  // What the hook says comes with or without git's own word before it.
  const lines = said.split('\n').map((line) => line.replace(/^remote: ?/, '').trimEnd());
  const refused = lines.findIndex((line) => line.startsWith('Refused: '));
  if (refused >= 0) {
    const files = lines.slice(refused + 1, lines.findIndex((line, i) => i > refused && !line.startsWith('  '))).map((line) => line.trim());
    return l10n.t('{0} has work in {1} that is in no commit, and the push would lose it: {2}. Commit it on the pod and pull, or undo it there; then push again.', podName, path, files.join(', '));
  }
  if (/unstaged changes|staged changes|Working directory/i.test(said)) return l10n.t('{0} has work in {1} that is in no commit. Commit it on the pod and pull, or undo it there; then push again.', podName, path);
  if (/\((fetch first|non-fast-forward|needs force)\)/.test(said)) return l10n.t('{0} has commits that are not here. Pull from its remote first.', podName);
  if (/this-pod-is-stopped/.test(said)) return l10n.t('{0} is stopped. Start it, then push again.', podName);
  return l10n.t('The push to {0} failed: {1}', podName, trim(said));
}

const trim = (text: string): string => (text.length > 400 ? `${text.slice(0, 400)}…` : text);
