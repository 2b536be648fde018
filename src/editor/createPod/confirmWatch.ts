import { l10n } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { Asked } from '../../pods/asked';
import { WATCH_FOR_MS } from '../../pods/watch';
import { ask } from '../prompts/ask';
import { longTime, rate } from '../words';

/** What a person is asked about: hardware to wait for, the first of it by its pod's name. */
type Awaited = Pick<Asked, 'label' | 'perHour' | 'cap' | 'profile'> & { readonly request: Pick<Asked['request'], 'name'> };

/** Nothing is free now: what is to happen once it is. @throws CancelledError */
export async function confirmWatch(awaited: readonly Awaited[]): Promise<'create-on-sight' | 'tell-on-sight'> {
  const [first] = awaited;
  const name = first?.request.name ?? '';
  const labels = [...new Set(awaited.map((a) => a.label))].join(', ');
  const cap = first?.cap ?? Math.max(...awaited.map((a) => a.perHour ?? 0));
  const tell = { label: l10n.t('Tell Me'), description: l10n.t('nothing is bought unasked'), detail: l10n.t('For {0} at most.', longTime(WATCH_FOR_MS)), when: 'tell-on-sight' as const };
  const create = {
    label: l10n.t('Create {0} as Soon as One Is Free', name),
    description: l10n.t('at {0} or less', rate(cap)),
    detail: first?.profile
      ? l10n.t('While this folder is open and runpod.json stays as it is, {0} at most. It bills then.', longTime(WATCH_FOR_MS))
      : l10n.t('Also after a restart of the editor, while one of its windows is open, for {0} at most. It bills from then on.', longTime(WATCH_FOR_MS)),
    when: 'create-on-sight' as const,
  };
  const answer = await ask.oneOf(cap > 0 ? [tell, create] : [tell], {
    title: l10n.t('Watch for {0}', labels),
    placeHolder: l10n.t('What to do when {0} is free', labels),
    ignoreFocusOut: true,
  });
  if (!answer) throw new CancelledError();
  return answer.when;
}
