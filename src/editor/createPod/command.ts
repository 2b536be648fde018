import { l10n, window, type Disposable } from 'vscode';
import { createPod, withSshAccess } from '../../pods/create';
import type { RunPodClient } from '../../runpod/client';
import type { CreatePodRequest } from '../../runpod/types';
import { choices, command, run } from '../commands/command';
import { showUntilReady } from '../commands/untilReady';
import type { Parts } from '../parts';
import { askForPod } from './wizard';

/** What `runpod.createPod` takes when nothing is to be asked: v2's own fields, with `image` or `templateId`, `gpu` or `cpu`. */
export function registerCreatePod(parts: Parts): Disposable {
  return command('runpod.createPod', parts.log, async (given) => {
    const ready = choices(given);
    const asked = ready === undefined;
    const request = ready ? complete(ready) : await askForPod(parts);
    const client = await parts.api.client();
    const pod = await createPod(
      { create: (r) => client.pods.create(r), list: () => client.pods.list() },
      withSshAccess(request, await sshAccess(parts, client, request)),
      { onUncertain: () => parts.log.warn(`Create of ${request.name}: no answer; looking for the pod by its name`) },
    );
    parts.store.put(pod);
    parts.store.hurry();
    if (asked) parts.podLogs.show(pod.id, pod.name);
    void showUntilReady(parts, pod.id, pod.name, {
      // A pod that nobody waits for any more, just made, would bill unseen: leaving the wait ends it.
      ...(asked ? { onCancel: () => endUnwanted(pod.id, pod.name) } : {}),
    });
    return { id: pod.id };
  });
}

function complete(given: Readonly<Record<string, unknown>>): CreatePodRequest {
  if ('timeLimitMinutes' in given) throw new Error(l10n.t('A time limit cannot be kept yet, so no pod was created. Leave timeLimitMinutes out.'));
  if (typeof given['name'] !== 'string' || given['name'].trim() === '') throw new Error(l10n.t('createPod needs a name.'));
  if (given['image'] === undefined && given['templateId'] === undefined) throw new Error(l10n.t('createPod needs an image or a templateId.'));
  if ((given['gpu'] === undefined) === (given['cpu'] === undefined)) throw new Error(l10n.t('createPod needs either gpu or cpu.'));
  // The rest is RunPod's contract; it answers 422 with the exact field where something is off.
  return given as unknown as CreatePodRequest;
}

async function sshAccess(parts: Parts, client: RunPodClient, request: CreatePodRequest): Promise<Parameters<typeof withSshAccess>[1]> {
  const [ownKey, accountKeys, template] = await Promise.all([
    parts.identities.ownPublicKey(),
    // Without the right to read them, the pod still gets ours.
    client.sshKeys.read().catch(() => []),
    request.templateId === undefined || request.ports !== undefined ? undefined : client.templates.get(request.templateId),
  ]);
  return { ownKey, accountKeys, ...(template ? { templatePorts: template.ports } : {}) };
}

async function endUnwanted(podId: string, name: string): Promise<void> {
  const terminate = { title: l10n.t('Terminate {0}', name) };
  const keep = { title: l10n.t('Keep It'), isCloseAffordance: true };
  const answer = await window.showWarningMessage(l10n.t('{0} was created and is billing. Keep it, or delete it with all that is on it?', name), { modal: true }, terminate, keep);
  if (answer === terminate) await run('runpod.terminatePod', { podId }, { confirmed: true });
}
