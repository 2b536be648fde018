import { l10n, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import { besideRequest, nameBeside } from '../../pods/beside';
import { wishOf } from '../../pods/guard/wish';
import type { Pod } from '../../runpod/types';
import { command, Targets } from '../commands/command';
import type { Parts } from '../parts';
import { BACK } from '../prompts/steps';
import { rate } from '../words';
import { createAsked } from './command';
import { hardwareStep } from './hardwareStep';
import { catalogReader } from './wizard';
import { notice } from '../prompts/notice';

/** `runpod.createPodOnVolume(pod)`: another pod like this one, on hardware that is free where its network volume lies. */
export function registerBeside(parts: Parts): Disposable {
  const targets = new Targets(parts.store);
  return command('runpod.createPodOnVolume', parts.log, async (target) => {
    const pod = await targets.pod(target, l10n.t('Another pod on whose network volume?'), (p) => p.mount?.kind === 'network');
    return createBeside(parts, pod);
  });
}

async function createBeside(parts: Parts, pod: Pod): Promise<unknown> {
  const { mount } = pod;
  if (mount?.kind !== 'network') throw new Error(l10n.t('{0} has no network volume that another pod could use.', pod.name));
  const client = await parts.api.client();
  const dataCenter = pod.dataCenterId ?? (await client.networkVolumes.get(mount.volumeId)).dataCenterId;
  if (dataCenter === undefined) throw new Error(l10n.t('RunPod does not say where the network volume of {0} lies.', pod.name));
  const name = nameBeside(pod.name, new Set(parts.store.state.pods.map((p) => p.name)));
  const title = l10n.t('New Pod on the Volume of {0}', pod.name);
  const answer = await hardwareStep({ title, step: 1, of: 1, catalog: catalogReader(client), recent: [], count: Math.max(1, pod.gpu?.count ?? 1), dataCenterIds: [dataCenter] });
  if (answer === BACK) throw new CancelledError();
  const { candidate } = answer;
  const request = besideRequest(pod, name, candidate, dataCenter);
  const create = l10n.t('Create {0}', name);
  const detail = l10n.t('{0} in {1} for {2}, with the image and environment of {3} and the same {4}. It bills until it is stopped. {3} stays as it is.', candidate.label, dataCenter, rate(candidate.perHour), pod.name, mount.path);
  await notice.confirm(l10n.t('Create {0}?', name), detail, create, 'information');
  const limits = wishOf(pod);
  return createAsked(parts, [{ request, label: candidate.label, perHour: candidate.perHour, ...(limits ? { limits } : {}) }]);
}
