import { l10n } from 'vscode';
import { CancelledError } from '../../base/errors';
import { longTime, money, rate } from '../words';
import type { Plan } from './plan';
import { ask } from '../prompts/ask';

/** One line that names the price, before anything is bought. @throws CancelledError */
export async function confirmPlan(plan: Plan): Promise<'create' | 'plan'> {
  const first = plan.rows[0];
  const limit = plan.limits?.limitMinutes === undefined ? l10n.t('no time limit') : l10n.t('{0} limit, about {1}', longTime(plan.limits.limitMinutes * 60_000), money(first?.cost.atLimit));
  const dearest = Math.max(...plan.rows.map((r) => r.candidate.perHour ?? 0));
  const then = plan.setup === undefined ? l10n.t('Then this folder is sent to it.') : l10n.t('Then this folder is sent to it, and it runs: {0}', shortened(plan.setup));
  const create = {
    label: l10n.t('Create {0}', plan.name),
    description: first ? `${first.candidate.label} · ${rate(first.cost.perHour, { estimate: true })} · ${limit}` : '',
    detail: [plan.rows.length > 1 ? l10n.t('Else one of {0} others, at {1} or less.', plan.rows.length - 1, rate(dearest)) : l10n.t('Bills by the second until it is stopped.'), then].join(' '),
    does: 'create' as const,
  };
  const show = { label: l10n.t('Show Plan'), description: l10n.t('every candidate, the costs and the request'), does: 'plan' as const };
  const answer = await ask.oneOf(first ? [create, show] : [show], { title: l10n.t('New Pod from This Folder'), placeHolder: plan.name, ignoreFocusOut: true });
  if (!answer) throw new CancelledError();
  return answer.does;
}

const shortened = (line: string): string => (line.length > 80 ? `${line.slice(0, 80)}…` : line);
