import { l10n } from 'vscode';
import type { BidTerms } from '../../pods/bid';
import { money } from '../words';

/** What a person has to know to bid, USD per hour of one GPU. */
export const bidPrompt = ({ lowest, last, onDemand }: Omit<BidTerms, 'gpuCount'>): string =>
  last === undefined
    ? l10n.t('Bid in $ per hour and GPU. Lowest now: {0}; on demand: {1}.', money(lowest), money(onDemand))
    : l10n.t('Bid in $ per hour and GPU. Lowest now: {0}; your bid before: {1}; on demand: {2}.', money(lowest), money(last), money(onDemand));

/**
 * What is wrong with a typed bid, or undefined.
 * @param cap USD per hour of the whole pod that a profile permits
 */
export function bidProblem(text: string, { gpuCount, lowest, onDemand }: BidTerms, cap?: number): string | undefined {
  const bid = Number(text);
  if (!(bid > 0)) return l10n.t('A price in dollars, for example 0.25.');
  if (onDemand !== undefined && bid > onDemand) return l10n.t('On demand costs {0} and cannot be outbid.', money(onDemand));
  if (cap !== undefined && bid * gpuCount > cap) return l10n.t('The profile permits {0} per hour at most.', money(cap));
  return lowest !== undefined && bid < lowest ? l10n.t('Others bid more: the lowest bid that can win now is {0}.', money(lowest)) : undefined;
}
