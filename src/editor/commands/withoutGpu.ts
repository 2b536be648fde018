import { l10n, ProgressLocation } from 'vscode';
import { isCancelled } from '../../base/errors';
import { SpotRefusedError } from '../../pods/bid';
import { keepStarting, type StartApi, type StartRefusedError } from '../../pods/start';
import type { Pod } from '../../runpod/types';
import { startRefusedWords } from '../errorWords';
import type { Parts } from '../parts';
import { rate } from '../words';
import { run, showError } from './command';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

/** A GPU pod whose machine had no GPU left when it started. */
export const hasNoGpu = (pod: Pod): boolean => pod.cpu === undefined && (pod.gpu === undefined || pod.gpu.count === 0);

interface Way {
  readonly title: string;
  readonly go: () => Promise<unknown>;
}

/** What can be done when a stopped pod does not start, or starts without a GPU. */
export class WaysOut {
  /** @param wait shows the wait until a pod that was started is ready */
  constructor(
    private readonly parts: Parts,
    private readonly wait: (pod: Pod) => Promise<unknown>,
  ) {}

  async afterRefusal(error: StartRefusedError): Promise<void> {
    const { pod } = error;
    const why = startRefusedWords(error);
    const keepTrying: Way = { title: l10n.t('Keep Trying'), go: () => this.#try(pod, error instanceof SpotRefusedError ? error.again : undefined) };
    if (pod.mount?.kind === 'network')
      return this.#offer(`${why} ${l10n.t('{0} lies on a network volume, so another pod can go on with it.', pod.mount.path)}`, [this.#beside(pod), keepTrying]);
    const data = pod.mount ? ` ${l10n.t('To copy {0} off meanwhile, start it without a GPU in the console.', pod.mount.path)}` : '';
    return this.#offer(why + data, [keepTrying, { title: l10n.t('Open Console'), go: () => run('runpod.openPodInConsole', { podId: pod.id }) }]);
  }

  async afterEmptyStart(pod: Pod): Promise<void> {
    const open: Way = { title: l10n.t('Open Folder'), go: () => run('runpod.openRemoteWorkspace', { podId: pod.id }) };
    const again: Way = { title: l10n.t('Stop and Keep Trying'), go: () => this.#stopAndKeepTrying(pod) };
    const why = l10n.t('{0} came back without a GPU: its machine has none free. It runs on little CPU for {1}, and its files can be reached.', pod.name, rate(pod.costPerHour));
    if (pod.mount?.kind === 'network') return this.#offer(`${why} ${l10n.t('{0} lies on a network volume, so another pod can go on with it.', pod.mount.path)}`, [this.#beside(pod), again, open]);
    const copy: Way = { title: l10n.t('Copy Data…'), go: () => run('runpod.copyWorkspace', { podId: pod.id }) };
    return this.#offer(`${why} ${l10n.t('Copy the data off and use another pod, or stop it and wait for a GPU.')}`, [copy, again, open]);
  }

  async #offer(message: string, ways: readonly Way[]): Promise<void> {
    const answer = await notice.warn(message, ...ways.map((way) => way.title));
    await ways.find((way) => way.title === answer)?.go().catch(showError);
  }

  async #stopAndKeepTrying(pod: Pod): Promise<void> {
    // Asks first: a stop loses what lies outside the volume.
    await run('runpod.stopPod', { podId: pod.id });
    const stopped = this.parts.store.find(pod.id);
    if (stopped?.status === 'EXITED') await this.#try(stopped);
  }

  /** Starts it once a minute until it starts or the person has enough. */
  async #try(pod: Pod, given?: StartApi): Promise<void> {
    const { parts } = this;
    const api = given ?? (await parts.api.client()).pods;
    const started = await withProgress({ location: ProgressLocation.Notification, title: l10n.t('Waiting for a GPU for {0}', pod.name), cancellable: true }, async (progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      return keepStarting(api, pod, {
        signal: controller.signal,
        onTry: (tries, next) => progress.report({ message: next === undefined ? l10n.t('try {0}…', tries) : l10n.t('tried {0} times, once a minute; nothing bills but its disk', tries) }),
      }).catch((error: unknown) => {
        if (isCancelled(error)) return undefined;
        throw error;
      });
    });
    if (!started) return;
    parts.store.put(started);
    parts.sessions.podChanged(started);
    parts.store.hurry();
    await this.wait(pod);
  }

  #beside(pod: Pod): Way {
    return { title: l10n.t('New Pod on This Volume…'), go: () => run('runpod.createPodOnVolume', { podId: pod.id }) };
  }
}
