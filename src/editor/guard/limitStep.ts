import { l10n } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { GuardWish } from '../../pods/guard/wish';
import { heading, type Choice } from '../prompts/steps';
import { longTime, money } from '../words';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';

/** A limit, none, or one to be typed. */
export type LimitChoice = { readonly kind: 'limit'; readonly wish: GuardWish } | { readonly kind: 'none' } | { readonly kind: 'hours' } | { readonly kind: 'budget' };

const limit = (limitMinutes: number, atLimit: GuardWish['atLimit'] = 'stop'): LimitChoice => ({ kind: 'limit', wish: { limitMinutes, atLimit } });

/**
 * When the pod ends by itself, with what it has cost by then.
 * @param perHour USD per hour of compute; undefined when RunPod does not say
 * @param keeps whether a stop keeps anything: without a volume there is little reason to keep a stopped pod
 */
export function limitChoices(perHour: number | undefined, keeps: boolean): Choice<LimitChoice>[] {
  const cost = (minutes: number): string => (perHour === undefined ? '' : money((perHour * minutes) / 60, { estimate: true }));
  const timed = (minutes: number): Choice<LimitChoice> => ({
    label: l10n.t('{0}, then stop', longTime(minutes * 60_000)),
    description: cost(minutes),
    value: limit(minutes),
  });
  return [
    timed(240),
    { label: l10n.t('Until idle for 30 min, then stop'), description: l10n.t('no run, nobody at a terminal, GPU and CPU low'), value: { kind: 'limit', wish: { idleMinutes: 30, atLimit: 'stop' } } },
    timed(720),
    timed(60),
    { label: l10n.t('Other time…'), description: l10n.t('hours'), value: { kind: 'hours' } },
    { label: l10n.t('Budget…'), description: l10n.t('dollars of compute in one start'), value: { kind: 'budget' } },
    ...(keeps ? [] : [{ label: l10n.t('4 h, then delete it'), description: `${cost(240)} · ${l10n.t('it has no volume: nothing is kept by a stop either')}`, value: limit(240, 'terminate') }]),
    heading<LimitChoice>(l10n.t('Without')),
    { label: l10n.t('No limit'), description: l10n.t('asks twice'), detail: perHour === undefined ? l10n.t('It bills until somebody stops it.') : l10n.t('It bills {0} a day until somebody stops it.', money(perHour * 24, { estimate: true })), value: { kind: 'none' } },
  ];
}

/** What is under the list's first answer: a number to type, or the second question. @throws CancelledError */
export async function settleLimit(choice: LimitChoice, perHour: number | undefined): Promise<GuardWish | undefined> {
  switch (choice.kind) {
    case 'limit':
      return choice.wish;
    case 'hours': {
      const hours = await askNumber(l10n.t('Hours until it stops'), '6', 8760);
      return { limitMinutes: Math.round(hours * 60), atLimit: 'stop' };
    }
    case 'budget': {
      const usd = await askNumber(l10n.t('Stop when one start has cost so many dollars'), '5', 100_000);
      return { budgetUsd: usd, atLimit: 'stop' };
    }
    case 'none': {
      const sure = l10n.t('Without a Limit');
      const detail = perHour === undefined ? l10n.t('It bills until somebody stops it.') : l10n.t('Forgotten for a weekend it costs {0}. A limit can be set later from its row.', money(perHour * 60, { estimate: true }));
      await notice.confirm(l10n.t('Really without a limit?'), detail, sure);
      return undefined;
    }
  }
}

async function askNumber(prompt: string, value: string, most: number): Promise<number> {
  const read = (text: string): number => Number(text.trim().replace(',', '.').replace(/^\$/, ''));
  const text = await ask.text({
    prompt,
    value,
    ignoreFocusOut: true,
    validateInput: (typed) => (read(typed) > 0 && read(typed) <= most ? undefined : l10n.t('A number above 0, at most {0}.', most)),
  });
  if (text === undefined) throw new CancelledError();
  return read(text);
}
