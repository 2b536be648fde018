import { l10n } from 'vscode';
import type { Pod } from '../../runpod/types';
import type { Git } from '../../sync/git/program';
import { withPatience } from '../progress';
import { pushRefusalWords } from './words';
import { notice } from '../prompts/notice';

const DEADLINE_MS = 3_600_000;

/** Sends a branch to a pod's remote, and says in words why it did not go. */
export async function pushBranch(git: Git, { name, branch, pod, path }: { readonly name: string; readonly branch: string; readonly pod: Pod; readonly path: string }): Promise<void> {
  const { code, stderr } = await withPatience(l10n.t('Pushing {0} to {1}', branch, name), async (report, signal) => {
    report({ message: l10n.t('git is sending…') });
    return git.ask(['push', '--', name, `refs/heads/${branch}`], { deadlineMs: DEADLINE_MS, signal });
  });
  if (code !== 0) throw new Error(pushRefusalWords(stderr, pod.name, path));
  notice.brief(l10n.t('{0} is on {1}.', branch, pod.name), 5000);
}
