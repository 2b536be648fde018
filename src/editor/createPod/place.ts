import { l10n, ProgressLocation } from 'vscode';
import { isCancelled } from '../../base/errors';
import { CreateCancelledError, createFirst, withSshAccess, type CreateJournal } from '../../pods/create';
import type { RunPodClient } from '../../runpod/client';
import type { CreatePodRequest, Pod, Template } from '../../runpod/types';
import { run } from '../commands/command';
import type { Parts } from '../parts';
import { guardUrls } from '../settings';
import { rate } from '../words';
import type { Asked } from '../../pods/asked';
import { withLimits } from './limits';
import { withProgress } from '../progress';

/**
 * Creates one pod from the first of several requests that is placed, with a notification that can be cancelled.
 * Cancelled while a request is on its way, what came of it is terminated, and RunPod's word awaited that it is gone.
 * @param journal where the create is written down before it leaves; the window's own unless told
 * @throws what `createFirst` throws
 */
export async function place(parts: Parts, asked: readonly Asked[], journal: CreateJournal = parts.pendingCreates): Promise<Pod> {
  const client = await parts.api.client();
  const first = asked[0]?.request;
  if (!first) throw new Error(l10n.t('There is nothing to create.'));
  const template = await templateFor(client, first, asked.some((a) => a.limits !== undefined));
  const access = await sshAccess(parts, client, template);
  const requests = asked.map((a) => withSshAccess(withLimits(a.request, a.limits, guardUrls(), a.request.templateId === first.templateId ? template : undefined), access));
  try {
    const pod = await withProgress({ location: ProgressLocation.Notification, title: l10n.t('Creating {0}', first.name), cancellable: true }, async (progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => {
        controller.abort();
        progress.report({ message: l10n.t('cancelling: waiting for RunPod’s answer, so that nothing is left behind') });
      });
      const { pod } = await createFirst({ create: (r) => client.pods.create(r), list: () => client.pods.list() }, requests, {
        signal: controller.signal,
        journal,
        origin: parts.keys.account,
        onTry: (index) => {
          const one = asked[index];
          const nth = asked.length > 1 ? l10n.t(' ({0} of {1})', index + 1, asked.length) : '';
          if (one) progress.report({ message: `${one.label} · ${rate(one.perHour)}${nth}` });
        },
        onUncertain: () => {
          parts.log.warn(`Create of ${first.name}: no answer; looking for the pod by its mark`);
          progress.report({ message: l10n.t('RunPod’s answer was lost; looking whether the pod was made') });
        },
      });
      return pod;
    });
    parts.store.put(pod);
    parts.store.hurry();
    return pod;
  } catch (error) {
    if (error instanceof CreateCancelledError) {
      parts.store.put(error.pod);
      await run('runpod.terminatePod', { podId: error.pod.id }, { confirmed: true });
    } else if (!isCancelled(error)) void parts.store.refresh();
    throw error;
  }
}

/** The template that the request names, where something of it has to be known. */
async function templateFor(client: RunPodClient, request: CreatePodRequest, limited: boolean): Promise<Template | undefined> {
  if (request.templateId === undefined || (request.ports !== undefined && request.gpu === undefined && !limited)) return undefined;
  return client.templates.get(request.templateId);
}

async function sshAccess(parts: Parts, client: RunPodClient, template: Template | undefined): Promise<Parameters<typeof withSshAccess>[1]> {
  const [ownKey, accountKeys] = await Promise.all([
    parts.identities.ownPublicKey(),
    // Without the right to read them, the pod still gets ours.
    client.sshKeys.read().catch(() => []),
  ]);
  return { ownKey, accountKeys, ...(template ? { templatePorts: template.ports, ...(template.allowedCudaVersions.length === 0 ? { templateImage: template.image } : {}) } : {}) };
}
