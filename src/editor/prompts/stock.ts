import { l10n } from 'vscode';
import type { Availability, Stock } from '../../runpod/types';

const LEVELS: readonly Availability[] = ['HIGH', 'MEDIUM', 'LOW'];

export const stockWord = (level: 'NONE' | 'LOW' | 'MEDIUM' | 'HIGH' | undefined): string =>
  ({ HIGH: l10n.t('plenty'), MEDIUM: l10n.t('some'), LOW: l10n.t('few'), NONE: l10n.t('none free') })[level ?? 'NONE'];

/** “plenty in US-KS-2, EU-RO-1 · few in US-IL-1” */
export function placesText(stock: Availability, places: readonly Stock[]): string {
  if (stock === 'NONE') return l10n.t('none free right now');
  const groups = LEVELS.flatMap((level) => {
    const ids = places.filter((d) => d.availability === level).map((d) => d.id);
    return ids.length === 0 ? [] : [l10n.t('{0} in {1}', stockWord(level), ids.slice(0, 4).join(', ') + (ids.length > 4 ? ` +${ids.length - 4}` : ''))];
  });
  return groups.length > 0 ? groups.join(' · ') : stockWord(stock);
}
