import { l10n, Uri, type Disposable } from 'vscode';
import { command, showError } from '../commands/command';
import type { Parts } from '../parts';
import { UploadOnSave } from './onSave';
import { showStatus, syncStatus, type SyncStatus } from './status';
import { registerSyncTasks } from './task';
import { readChoices, SyncWork, type Done, type SyncChoices } from './work';
import { notice } from '../prompts/notice';

/** Push, Pull, Sync Status, tasks of them, and upload on save. */
export function registerSync(parts: Parts): Disposable[] {
  const { log, ledgers } = parts;
  const work = new SyncWork(parts);
  const chosen = (second: unknown): Uri[] => (Array.isArray(second) ? second.filter((one) => one instanceof Uri) : []);
  const told = async <T>(doing: Promise<Done<T>>, choice: SyncChoices): Promise<T> => {
    const { result, remarks } = await doing;
    if (!choice.given) void notice.inform(remarks.join(' '));
    return result;
  };

  return [
    new UploadOnSave(parts),
    registerSyncTasks(parts, work),
    command('runpod.push', log, async (target, second) => {
      const choice = readChoices(second);
      return told(work.push(await work.pairFor(target, choice, l10n.t('Push to which pod?'), chosen(second)), choice), choice);
    }),
    command('runpod.pull', log, async (target, second) => {
      const choice = readChoices(second);
      return told(work.pull(await work.pairFor(target, choice, l10n.t('Pull from which pod?'), chosen(second)), choice), choice);
    }),
    command('runpod.syncStatus', log, async (target, second): Promise<SyncStatus> => {
      const choice = readChoices(second);
      const pair = await work.pairFor(target, choice, l10n.t('Compare with which pod?'), chosen(second));
      const status = await syncStatus(ledgers, pair);
      const asked = readChoices(undefined);
      // The list stays as long as it is looked at; the command has its result.
      if (!choice.given) void showStatus(status, pair, () => told(work.push(pair, asked), asked), () => told(work.pull(pair, asked), asked)).catch(showError);
      return status;
    }),
  ];
}
