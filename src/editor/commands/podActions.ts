import { l10n, ProgressLocation, window, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import { sleep } from '../../base/time';
import { stoppedStoragePerHour } from '../../pods/money';
import { startPod, StartRefusedError } from '../../pods/start';
import { RunPodError } from '../../runpod/errors';
import type { Pod } from '../../runpod/types';
import type { Parts } from '../parts';
import { gigabytes, rate } from '../words';
import { choices, command, run, Targets } from './command';
import { showUntilReady, waysOut } from './untilReady';

/** How long RunPod may take to confirm a stop or terminate before we say that it has not. */
const CONFIRM_MS = 90_000;

export function registerPodActions(parts: Parts): Disposable[] {
  const targets = new Targets(parts.store);
  const ways = waysOut(parts);
  const can = (action: Pod['actions'][number]) => (pod: Pod): boolean => pod.actions.includes(action);
  return [
    command('runpod.startPod', parts.log, async (target) => {
      const pod = await targets.pod(target, l10n.t('Start which pod?'), can('start'));
      const client = await parts.api.client();
      try {
        begun(parts, await startPod(client.pods, pod));
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
      if (choices(options)?.['confirmed'] !== true) await confirmStop(pod);
      return stop(parts, pod);
    }),
    command('runpod.restartPod', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Restart which pod?'), can('restart'));
      if (choices(options)?.['confirmed'] !== true)
        await confirm(
          l10n.t('Restart {0}?', pod.name),
          l10n.t('What runs on it ends, and everything outside {0} is lost. It keeps its machine and goes on billing.', pod.mount?.path ?? l10n.t('its volume (it has none)')),
          l10n.t('Restart Pod'),
        );
      await parts.guards.beforeRestart(pod);
      await act(parts, pod, 'restart');
      void showUntilReady(parts, pod.id, pod.name);
      return { id: pod.id };
    }),
    command('runpod.terminatePod', parts.log, async (target, options) => {
      const pod = await targets.pod(target, l10n.t('Terminate which pod?'), can('terminate'));
      if (choices(options)?.['confirmed'] !== true) await confirmTerminate(pod);
      return terminate(parts, pod);
    }),
  ];
}

/** Asks RunPod for the action and shows at once what it answered; the list is looked at more often for a while. */
async function act(parts: Parts, pod: Pod, action: 'stop' | 'restart'): Promise<Pod> {
  const client = await parts.api.client();
  return begun(parts, (await client.pods.action(pod.id, action)) ?? (await client.pods.get(pod.id)));
}

function begun(parts: Parts, now: Pod): Pod {
  parts.store.put(now);
  parts.sessions.podChanged(now);
  parts.store.hurry();
  return now;
}

async function confirmStop(pod: Pod): Promise<void> {
  const kept =
    pod.mount?.kind === 'network'
      ? l10n.t('{0} is a network volume and is kept; it bills as before.', pod.mount.path)
      : pod.mount
        ? l10n.t('{0} ({1}) is kept at {2}.', pod.mount.path, gigabytes(pod.mount.sizeGb), rate(stoppedStoragePerHour(pod), { estimate: true }))
        : l10n.t('It has no volume, so nothing on it is kept.');
  const gpu = pod.gpu ? l10n.t('Its GPU may be gone when you start it again.') : '';
  const rest = pod.mount ? l10n.t('Everything else on its disk is lost.') : '';
  await confirm(l10n.t('Stop {0}?', pod.name), [l10n.t('Compute billing ends.'), kept, rest, gpu].filter(Boolean).join(' '), l10n.t('Stop Pod'));
}

async function confirmTerminate(pod: Pod): Promise<void> {
  const lost =
    pod.mount?.kind === 'network'
      ? l10n.t('The pod and its container disk are deleted. Network volume {0} with {1} is kept and goes on billing.', pod.mount.volumeId, pod.mount.path)
      : pod.mount
        ? l10n.t('{0} ({1}) is deleted and cannot be recovered. All billing for this pod ends.', pod.mount.path, gigabytes(pod.mount.sizeGb))
        : l10n.t('The pod and everything on it are deleted and cannot be recovered.');
  await confirm(l10n.t('Terminate {0}?', pod.name), lost, l10n.t('Terminate {0}', pod.name));
}

/** A modal question with one verb; leaving it cancels. */
async function confirm(question: string, detail: string, verb: string): Promise<void> {
  if ((await window.showWarningMessage(question, { modal: true, detail }, verb)) !== verb) throw new CancelledError();
}

/** Stops, and is done when RunPod says it is stopped. */
async function stop(parts: Parts, pod: Pod): Promise<{ id: string; status: string }> {
  const client = await parts.api.client();
  return window.withProgress({ location: ProgressLocation.Window, title: l10n.t('Stopping {0}…', pod.name) }, async () => {
    let now = await act(parts, pod, 'stop');
    const stopped = await until(CONFIRM_MS, async () => {
      if (now.status === 'EXITED' || now.status === 'TERMINATED') return true;
      now = await client.pods.get(pod.id);
      parts.store.put(now);
      return false;
    });
    if (!stopped) nag(l10n.t('RunPod has not stopped {0} yet: it still says {1}, and it may go on billing.', pod.name, now.status), l10n.t('Stop Pod'), () => run('runpod.stopPod', { podId: pod.id }, { confirmed: true }));
    parts.sessions.podChanged(now);
    return { id: pod.id, status: now.status };
  });
}

/** Terminates, and is done when RunPod no longer knows the pod. */
async function terminate(parts: Parts, pod: Pod): Promise<{ id: string }> {
  const client = await parts.api.client();
  return window.withProgress({ location: ProgressLocation.Window, title: l10n.t('Terminating {0}…', pod.name) }, async () => {
    await client.pods.terminate(pod.id).catch((error: unknown) => {
      // Gone already is what was wanted; whether it really is gone is asked below.
      if (!(error instanceof RunPodError && error.code === 'not-found')) throw error;
    });
    const gone = await until(CONFIRM_MS, async () => {
      try {
        return (await client.pods.get(pod.id)).status === 'TERMINATED';
      } catch (error) {
        if (error instanceof RunPodError && error.code === 'not-found') return true;
        throw error;
      }
    });
    if (!gone) {
      nag(l10n.t('RunPod has not deleted {0} yet; it may go on billing.', pod.name), l10n.t('Terminate {0}', pod.name), () => run('runpod.terminatePod', { podId: pod.id }, { confirmed: true }));
      return { id: pod.id };
    }
    parts.store.remove(pod.id);
    parts.sessions.forget(pod.id);
    if (parts.activePod.id === pod.id) await parts.activePod.set(undefined);
    void parts.store.refresh();
    return { id: pod.id };
  });
}

/** Asks `done` every second or so, for `ms` milliseconds at most. Single failures are not the answer. */
async function until(ms: number, done: () => Promise<boolean>): Promise<boolean> {
  const end = Date.now() + ms;
  for (let wait = 300; ; wait = Math.min(3000, wait * 1.5)) {
    if (await done().catch(() => false)) return true;
    if (Date.now() >= end) return false;
    await sleep(wait);
  }
}

/** What was asked for has not happened and costs money: said until it is solved or dismissed. */
function nag(message: string, verb: string, again: () => Promise<void>): void {
  void window.showErrorMessage(message, verb).then((answer) => (answer === verb ? again() : undefined));
}
