import { basename } from 'node:path';
import { l10n, Uri, type Disposable } from 'vscode';
import { messageOf } from '../../base/errors';
import { Git } from '../../sync/git/program';
import { remotesOf } from '../../sync/git/remotes';
import type { Parts } from '../parts';
import { gitProgram, refreshSourceControl } from './gitExtension';
import { notice } from '../prompts/notice';

const KEY = 'runpod.git.remotes';

/** A remote that this extension has added. */
interface OurRemote {
  /** The repository here. */
  readonly folder: string;
  readonly name: string;
  readonly url: string;
  readonly podId: string;
  readonly podName: string;
  /** The account that the pod is of: another's list says nothing of it. */
  readonly account: string;
}

/** Remotes whose pod is gone lead nowhere; their removal is offered, once. */
export class GoneRemotes implements Disposable {
  readonly #listening: Disposable;

  constructor(private readonly parts: Pick<Parts, 'context' | 'keys' | 'store' | 'log'>) {
    this.#listening = parts.store.onDidChange(() => this.#look());
  }

  dispose(): void {
    this.#listening.dispose();
  }

  remember(remote: Omit<OurRemote, 'account'>): void {
    const { account } = this.parts.keys;
    void this.#keep([...this.#all.filter((one) => one.folder !== remote.folder || one.name !== remote.name), { ...remote, account }]);
  }

  get #all(): readonly OurRemote[] {
    return this.parts.context.workspaceState.get<readonly OurRemote[]>(KEY) ?? [];
  }

  async #keep(remotes: readonly OurRemote[]): Promise<void> {
    await this.parts.context.workspaceState.update(KEY, remotes);
  }

  #look(): void {
    const { phase, pods, rows } = this.parts.store.state;
    if (phase !== 'ready' || this.#all.length === 0) return;
    const there = new Set([...pods.flatMap((pod) => (pod.status === 'TERMINATED' ? [] : [pod.id])), ...rows.flatMap((row) => (row.kind === 'unreadable' && row.row.id !== undefined ? [row.row.id] : []))]);
    const gone = this.#all.filter(({ podId, account }) => account === this.parts.keys.account && !there.has(podId));
    if (gone.length === 0) return;
    // Forgotten first: whatever the answer, it is asked once.
    void this.#keep(this.#all.filter((one) => !gone.includes(one)));
    for (const remote of gone) void this.#offer(remote).catch((error: unknown) => this.parts.log.warn(`git remote ${remote.name}: ${messageOf(error)}`));
  }

  async #offer({ folder, name, url, podName }: OurRemote): Promise<void> {
    const git = new Git(folder, await gitProgram());
    const still = async (): Promise<boolean> => (await remotesOf(git)).some((remote) => remote.name === name && remote.url === url);
    if (!(await still())) return;
    const remove = l10n.t('Remove Remote');
    const answer = await notice.inform(l10n.t('{0} is no longer among the pods of this account, so the git remote {1} of {2} leads nowhere.', podName, name, basename(folder)), remove, l10n.t('Keep'));
    if (answer !== remove || !(await still())) return;
    await git.do(['remote', 'remove', '--', name]);
    await refreshSourceControl(Uri.file(folder));
  }
}
