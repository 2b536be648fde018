import { l10n } from 'vscode';
import type { RunRecord } from '../../runs/detached/list';
import { run as runCommand } from '../commands/command';
import type { Parts } from '../parts';
import { rate } from '../words';
import { notice } from '../prompts/notice';

/** The person has closed the terminal of a run: that it goes on, and how it is ended or seen again. */
export async function leftRunning({ store }: Pick<Parts, 'store'>, run: RunRecord): Promise<void> {
  const pod = store.find(run.podId);
  const stop = l10n.t('Stop Run');
  const show = l10n.t('Show Again');
  const cost = pod?.costPerHour === undefined || pod.costPerHour === 0 ? '' : ` ${l10n.t('The pod costs {0}.', rate(pod.costPerHour))}`;
  const answer = await notice.inform(l10n.t('{0} goes on running on {1}.', run.meta.title, pod?.name ?? run.podId) + cost, stop, show);
  const target = { podId: run.podId, runId: run.id };
  if (answer === stop) await runCommand('runpod.stopRun', target);
  if (answer === show) await runCommand('runpod.attachRun', target);
}
