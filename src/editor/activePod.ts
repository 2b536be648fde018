import { commands, l10n, workspace, type Memento } from 'vscode';
import { Emitter } from '../base/emitter';
import { PodUnavailableError } from '../pods/contracts';
import type { PodStore } from '../pods/store';
import type { Pod } from '../runpod/types';
import { SCHEME, SCHEME_READONLY } from './ids';
import { hardwareOf } from './podsView/rows';
import { byImportance, lookOf, stateWord } from './podsView/state';
import { rate } from './words';
import { notice } from './prompts/notice';
import { ask } from './prompts/ask';

const KEY = 'runpod.activePod';

/** The pod that this window's commands mean when none is named: chosen once, remembered with the workspace. */
export class ActivePod {
  #changed = new Emitter<void>();
  readonly onDidChange = this.#changed.event;

  constructor(
    private readonly memento: Memento,
    private readonly store: PodStore,
  ) {}

  get id(): string | undefined {
    return this.memento.get<string>(KEY);
  }

  async set(podId: string | undefined): Promise<void> {
    if (podId === this.id) return;
    await this.memento.update(KEY, podId);
    this.#changed.fire();
  }

  /**
   * The pod to use for something that needs a running one: the active pod, else the pod whose folder is open, else
   * the only one there is, else the person's choice, which becomes the active pod.
   */
  async pick(): Promise<string | undefined> {
    if (this.store.state.phase === 'loading') await this.store.refresh();
    if (this.store.state.phase === 'no-key') throw new PodUnavailableError('no-api-key', '', undefined);
    const active = this.id && this.store.find(this.id);
    if (active) return active.id;
    const open = (workspace.workspaceFolders ?? []).find((f) => f.uri.scheme === SCHEME || f.uri.scheme === SCHEME_READONLY);
    if (open) return open.uri.authority;
    const pods = this.store.state.pods;
    const running = pods.filter((p) => lookOf(p) === 'running');
    const only = running.length === 1 && running[0] ? running[0] : await pickPod(pods, l10n.t('Which pod should this window use?'));
    if (only) await this.set(only.id);
    return only?.id;
  }
}

/** Asks for one of `pods`; undefined when the person leaves. */
export async function pickPod(pods: readonly Pod[], placeHolder: string): Promise<Pod | undefined> {
  if (pods.length === 0) {
    const create = l10n.t('New Pod');
    void notice.inform(l10n.t('There is no pod for this.'), create).then((answer) => {
      if (answer === create) void commands.executeCommand('runpod.createPod');
    });
    return undefined;
  }
  const items = [...pods].sort(byImportance).map((pod) => ({
    label: pod.name,
    description: [stateWord(pod), lookOf(pod) === 'stopped' ? undefined : rate(pod.costPerHour), hardwareOf(pod)].filter(Boolean).join(' · '),
    pod,
  }));
  return (await ask.oneOf(items, { placeHolder, matchOnDescription: true }))?.pod;
}
