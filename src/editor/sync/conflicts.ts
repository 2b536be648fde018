import { l10n } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { ConflictChoice } from '../../sync/decide';
import { notice } from '../prompts/notice';

/**
 * Has a person choose what becomes of files that were changed on both sides.
 * @param words the buttons of the two ends of the choice; Keep Both lies between them
 * @throws CancelledError when it is not answered
 */
export async function askConflicts(question: string, { overwrite, keep }: { readonly overwrite: string; readonly keep: string }): Promise<ConflictChoice> {
  const both = l10n.t('Keep Both');
  const answer = await notice.warn(question, overwrite, both, keep);
  if (answer === undefined) throw new CancelledError();
  return answer === overwrite ? 'overwrite' : answer === both ? 'both' : 'keep';
}
