import { l10n, ProgressLocation, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import { endPod, type Ended } from '../../pods/endPod';
import { stoppedStoragePerHour } from '../../pods/money';
import type { EndKind } from '../../pods/pendingEnds';
import { StartRefusedError } from '../../pods/start';
import type { Pod } from '../../runpod/types';
import type { Parts } from '../parts';
import { gigabytes, rate } from '../words';
import { choices, command, run, Targets } from './command';
import { showUntilReady, waysOut } from './untilReady';
import { notice } from '../prompts/notice';
import { withProgress } from '../progress';

/** How a start is asked for. Prices in USD per hour. */
export interface StartHow {
  /** A person is there to be asked. */
  readonly ask: boolean;
  /** For one GPU of a spot pod. */
  readonly bidPerGpu?: number;
  /** For the whole pod, should it be a spot pod. */
  readonly maxPricePerHour?: number;
}

/**
 * `runpod.startPod(pod, { bidPerGpu?, maxPricePerHour? })`, `runpod.stopPod`, `runpod.restartPod`, `runpod.terminatePod(pod, { confirmed? })`.
 * @param start starts a stopped pod, whatever kind it is of
 */
export function registerPodActions(parts: Parts, start: (pod: Pod, how: StartHow) => Promise<Pod>): Disposable[] {
  const targets = new Targets(parts.store);
  const ways = waysOut(parts);
  const can = (action: Pod['actions'][number]) => (pod: Pod): boolean => pod.actions.includes(action);
  return [
    command('runpod.startPod', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Start which pod?'), can('start'));
      const price = (name: 'bidPerGpu' | 'maxPricePerHour'): Partial<StartHow> => {
        const given = choices(options)?.[name];
        if (given === undefined) return {};
        if (typeof given !== 'number' || !(given > 0)) throw new RangeError(l10n.t('{0} must be a price in dollars, for example 0.25.', name));
        return { [name]: given };
      };
      try {
        begun(parts, await start(pod, { ask: typeof target !== 'string', ...price('bidPerGpu'), ...price('maxPricePerHour') }));
      } catch (error) {
        // Code that asked for it gets the reason; a person gets the ways out.
        if (!(error instanceof StartRefusedError) || typeof target === 'string') throw error;
        void ways.afterRefusal(error);
        return undefined;
      }
      void showUntilReady(parts, pod.id, pod.name);
      return { id: pod.id };
    }),
    command('runpod.stopPod', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Stop which pod?'), can('stop'));
      if (choices(options)?.['confirmed'] !== true) await confirmStop(pod, alive(parts, pod));
      return stop(parts, pod);
    }),
    command('runpod.restartPod', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Restart which pod?'), can('restart'));
      if (choices(options)?.['confirmed'] !== true)
        await notice.confirm(
          l10n.t('Restart {0}?', pod.name),
          l10n.t('What runs on it ends, and everything outside {0} is lost. It keeps its machine and goes on billing.', pod.mount?.path ?? l10n.t('its volume (it has none)')),
          l10n.t('Restart Pod'),
        );
      await parts.guards.beforeRestart(pod);
      const client = await parts.api.client();
      begun(parts, (await client.pods.action(pod.id, 'restart')) ?? (await client.pods.get(pod.id)));
      // Whoever restarts it wants it to run.
      await parts.pendingEnds.settle(pod.id);
      void showUntilReady(parts, pod.id, pod.name);
      return { id: pod.id };
    }),
    command('runpod.terminatePod', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Terminate which pod?'), can('terminate'));
      if (choices(options)?.['confirmed'] !== true) await confirmTerminate(pod, alive(parts, pod));
      return terminate(parts, pod);
    }),
  ];
}

/** Shows at once what RunPod answered; the list is looked at more often for a while. */
function begun(parts: Parts, now: Pod): Pod {
  parts.store.put(now);
  parts.sessions.podChanged(now);
  parts.store.hurry();
  return now;
}

/** What a stop would end, as far as it is known here; empty where nothing is. */
function alive(parts: Parts, pod: Pod): string {
  const titles = parts.runBook.of(pod.id).flatMap(({ state, meta }) => (state === 'running' ? [meta.title] : []));
  return titles.length === 0 ? '' : l10n.t('What runs on it ends: {0}.', titles.join(', '));
}

async function confirmStop(pod: Pod, ends: string): Promise<void> {
  const kept =
    pod.mount?.kind === 'network'
      ? l10n.t('{0} is a network volume and is kept; it bills as before.', pod.mount.path)
      : pod.mount
        ? l10n.t('{0} ({1}) is kept at {2}.', pod.mount.path, gigabytes(pod.mount.sizeGb), rate(stoppedStoragePerHour(pod), { estimate: true }))
        : l10n.t('It has no volume, so nothing on it is kept.');
  const gpu = pod.gpu ? l10n.t('Its GPU may be gone when you start it again.') : '';
  const rest = pod.mount ? l10n.t('Everything else on its disk is lost.') : '';
  await notice.confirm(l10n.t('Stop {0}?', pod.name), [ends, l10n.t('Compute billing ends.'), kept, rest, gpu].filter(Boolean).join(' '), l10n.t('Stop Pod'));
}

async function confirmTerminate(pod: Pod, ends: string): Promise<void> {
  const lost =
    pod.mount?.kind === 'network'
      ? l10n.t('The pod and its container disk are deleted. Network volume {0} with {1} is kept and goes on billing.', pod.mount.volumeId, pod.mount.path)
      : pod.mount
        ? l10n.t('{0} ({1}) is deleted and cannot be recovered. All billing for this pod ends.', pod.mount.path, gigabytes(pod.mount.sizeGb))
        : l10n.t('The pod and everything on it are deleted and cannot be recovered.');
  const copy = l10n.t('Copy Data First…');
  const verb = l10n.t('Terminate {0}', pod.name);
  // Of a pod that can be reached, what would be gone for good.
  const further = pod.mount?.kind === 'persistent' && pod.ssh.direct ? [copy] : [];
  const answer = await notice.ask(l10n.t('Terminate {0}?', pod.name), [ends, lost].filter(Boolean).join(' '), verb, ...further);
  if (answer === copy) await run('runpod.copyWorkspace', { podId: pod.id });
  if (answer !== verb) throw new CancelledError();
}

/** Stops, and is done when RunPod says it is stopped. What it does not confirm is seen to by the second look. */
async function stop(parts: Parts, pod: Pod): Promise<{ id: string; status: string }> {
  const { pod: now = pod, confirmed } = await withProgress({ location: ProgressLocation.Window, title: l10n.t('Stopping {0}…', pod.name) }, () => end(parts, pod, 'stop'));
  const status = confirmed && now.status !== 'EXITED' ? 'TERMINATED' : now.status;
  if (status === 'TERMINATED') await forget(parts, pod);
  else parts.sessions.podChanged(now);
  return { id: pod.id, status };
}

/** Terminates, and is done when RunPod no longer knows the pod. */
async function terminate(parts: Parts, pod: Pod): Promise<{ id: string }> {
  const { confirmed } = await withProgress({ location: ProgressLocation.Window, title: l10n.t('Terminating {0}…', pod.name) }, () => end(parts, pod, 'terminate'));
  if (confirmed) await forget(parts, pod);
  return { id: pod.id };
}

async function end(parts: Parts, pod: Pod, kind: EndKind): Promise<Ended> {
  const { store, pendingEnds, keys, log } = parts;
  const client = await parts.api.client();
  let first = true;
  const ended = await endPod(client.pods, pod, kind, {
    pending: pendingEnds,
    origin: keys.account,
    now: () => parts.now(),
    onNews: (news) => {
      if (first) begun(parts, news);
      else store.put(news);
      first = false;
    },
  });
  if (!ended.confirmed) {
    log.warn(`${kind} of ${pod.id}: RunPod still says ${ended.pod?.status ?? 'nothing'}`);
    store.redress();
  }
  return ended;
}

/** The pod is gone. */
async function forget(parts: Parts, pod: Pod): Promise<void> {
  parts.store.remove(pod.id);
  parts.sessions.forget(pod.id);
  if (parts.activePod.id === pod.id) await parts.activePod.set(undefined);
  void parts.store.refresh();
}
