import { l10n } from 'vscode';
import type { ProfileProblem } from '../../pods/profile/problems';

/** What is wrong, and what may stand there. */
export function problemWords(p: ProfileProblem): string {
  const field = [...p.path].reverse().find((part) => typeof part === 'string') ?? 'runpod.json';
  const list = p.permitted?.join(', ') ?? '';
  switch (p.code) {
    case 'syntax':
      return l10n.t('This is no JSON: {0}.', spaced(p.detail ?? ''));
    case 'unknown-field':
      return l10n.t('There is no field "{0}". Permitted: {1}.', field, list);
    case 'wrong-type':
      return l10n.t('{0} cannot be this. Permitted: {1}.', field, list);
    case 'not-permitted':
      return p.other === undefined ? l10n.t('{0} cannot be this. Permitted: {1}.', field, list) : l10n.t('With {0}, {1} can only be {2}.', p.other, field, list);
    case 'bad-format':
      return l10n.t('{0} is not written like this. Permitted, for example: {1}.', field, list);
    case 'too-small':
      return l10n.t('{0} must be {1} or more.', field, p.limit ?? 0);
    case 'too-big':
      return l10n.t('{0} must be {1} or less.', field, p.limit ?? 0);
    case 'empty':
      return list === '' ? l10n.t('{0} must not be empty.', field) : l10n.t('{0} must not be empty. Permitted, for example: {1}.', field, list);
    case 'excludes':
      return l10n.t('{0} cannot stand beside {1}; keep one of them.', field, p.other ?? '');
    case 'missing':
      return l10n.t('Missing here: {0}.', list.replaceAll(', ', l10n.t(' or ')));
    case 'unknown-gpu':
      return l10n.t('RunPod rents nothing called "{0}". Near it: {1}.', p.detail ?? '', list);
    case 'unknown-cpu':
      return l10n.t('RunPod rents no CPU flavor "{0}". Permitted: {1}, each with vCPUs, for example cpu3c-2.', p.detail ?? '', list);
    case 'unknown-data-center':
      return l10n.t('There is no data center "{0}". Permitted: {1}.', p.detail ?? '', list);
    case 'unknown-volume':
      return list === '' ? l10n.t('The account has no network volume "{0}"; it has none at all.', p.detail ?? '') : l10n.t('The account has no network volume (or more than one) called "{0}". Permitted: {1}.', p.detail ?? '', list);
    case 'unknown-template':
      return l10n.t('RunPod knows no template "{0}", or this key may not see it.', p.detail ?? '');
    case 'cpu-memory':
      return l10n.t('That size has {0} GB. Permitted: {1}.', p.limit ?? 0, list);
    case 'volume-elsewhere':
      return l10n.t('The network volume {0} lies in {1}, and the pod must as well.', p.detail ?? '', list);
  }
}

/** `CloseBraceExpected` as words. */
const spaced = (code: string): string => code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
