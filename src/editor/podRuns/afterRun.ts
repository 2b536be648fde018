import { l10n, workspace, type WorkspaceFolder } from 'vscode';
import type { Profile } from '../../pods/profile/schema';
import type { FolderConsents } from '../profile/consent';
import { PROFILE_FILE } from '../profile/folder';
import type { FolderWishes } from './wishes';
import { notice } from '../prompts/notice';

/** What a profile may have done with a pod once a long run has ended. */
export type AfterRun = NonNullable<Profile['afterRun']>;

const question = (after: AfterRun): { about: string; covers: readonly string[] } => ({ about: 'afterRun', covers: [after] });

/**
 * What the profile of a folder has done with pods after runs, as far as the person has agreed to it: a folder can neither stop
 * nor destroy anything by itself. It is asked when a run begins, for then somebody is there, and the run does not wait for it.
 */
export class AfterRuns {
  readonly #asked = new Set<string>();

  constructor(private readonly consents: FolderConsents) {}

  /** `undefined`: the profile does not say. What it says without leave is asked. */
  decided({ folder, afterRun }: FolderWishes): AfterRun | undefined {
    if (afterRun === undefined || afterRun === 'keep' || afterRun === 'ask') return afterRun;
    return folder !== undefined && this.consents.given(folder, question(afterRun)) ? afterRun : 'ask';
  }

  /** A run begins: asks for leave where the profile wants more than this person has agreed to, once a window. */
  async askAhead({ folder, afterRun }: FolderWishes, podName: string): Promise<void> {
    if (folder === undefined || (afterRun !== 'stop' && afterRun !== 'terminate') || !workspace.isTrusted) return;
    const key = `${folder.uri.toString()} ${afterRun}`;
    if (this.#asked.has(key) || this.consents.given(folder, question(afterRun))) return;
    this.#asked.add(key);
    await this.#ask(folder, afterRun, podName);
  }

  async #ask(folder: WorkspaceFolder, afterRun: 'stop' | 'terminate', podName: string): Promise<void> {
    const message =
      afterRun === 'stop'
        ? l10n.t('{0} of {1} has pods stopped after long runs, {2} among them: once the results are here and nothing else runs there. Let it?', PROFILE_FILE, folder.name, podName)
        : l10n.t('{0} of {1} has pods deleted after long runs, {2} among them, with everything on them but network volumes: once the results are here and nothing else runs there. Let it?', PROFILE_FILE, folder.name, podName);
    const verb = afterRun === 'stop' ? l10n.t('Stop Pods After Runs') : l10n.t('Terminate Pods After Runs');
    const answer = await notice.warn(message, verb, l10n.t('Ask Me Each Time'));
    if (answer === verb) await this.consents.give(folder, question(afterRun));
  }
}
