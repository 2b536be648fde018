import { storedArgs } from '../command';
import { checkPorts, createPod, podTemplate, type CreateRequest } from '../createPod';
import { page } from '../pages';
import type { Mounts, Pod, PodAction } from '../pod';
import { podView } from '../podView';
import { Problem, badRequest, conflict, forbidden, notFound } from '../problem';
import { created, noContent, ok } from '../reply';
import { LARGEST_BODY, type Call, type Route } from '../rest';
import type { NetworkVolume } from '../meter';
import { streamLogs } from './podLogs';

/** @throws Problem 404 */
export function findPod(call: Call): Pod {
  const pod = call.world.pods.get(call.params['id'] ?? '');
  if (pod === undefined || call.world.clock.now() - pod.createdAt < call.world.settings.hiddenAfterCreateMs) throw notFound('pod');
  return pod;
}

const view = (call: Call, pod: Pod): Record<string, unknown> => podView(call.world, pod, call.proxy());

/** A row that no client can read as a pod, though its id is there. */
const unreadable = (pod: Pod): Record<string, unknown> => ({ id: pod.id, name: null, status: 'HIBERNATING', cost: 'n/a', gpu: [] });

function listed(call: Call): Record<string, unknown>[] {
  const { settings, clock, pods } = call.world;
  const hidden = Math.max(settings.unlistedAfterCreateMs, settings.hiddenAfterCreateMs);
  return [...pods.values()]
    .filter((pod) => clock.now() - pod.createdAt >= hidden)
    .sort((a, b) => b.createdAt - a.createdAt)
    .map((pod) => (settings.unreadableRows.includes(pod.id) ? unreadable(pod) : view(call, pod)));
}

/** `PATCH` fields whose change gives a running pod a new container. */
const RESETTING = ['image', 'args', 'env', 'disk', 'registry'] as const;

interface UpdateRequest extends Partial<Pick<Pod, 'name' | 'image' | 'disk' | 'ports' | 'env' | 'registry' | 'locked' | 'globalNetworking'>> {
  readonly args?: string;
  readonly cmd?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly mounts?: Mounts;
  readonly templateId?: string;
}

async function update(call: Call, pod: Pod): Promise<void> {
  const sent = call.body as UpdateRequest;
  const template = sent.templateId === undefined ? undefined : podTemplate(call.world, sent.templateId);
  const { image, disk, ports, registry } = { ...template, ...sent };
  const env = template === undefined ? sent.env : { ...template.env, ...sent.env };
  const args = storedArgs(sent) ?? template?.args;
  if (ports !== undefined) checkPorts(ports);
  if (typeof registry === 'string' && !call.world.registries.has(registry)) throw notFound('registry');
  if (sent.globalNetworking === true && pod.gpu === undefined) throw badRequest('global networking requires an NVIDIA GPU pod');
  const mounts = sent.mounts === undefined ? pod.mounts : changedMounts(pod, sent.mounts);

  const next = { image, args, env, disk, registry };
  const resets = RESETTING.some((field) => next[field] !== undefined && JSON.stringify(next[field]) !== JSON.stringify(pod[field]));
  const portsChange = ports !== undefined && ports.join() !== pod.ports.join();
  const restarts = resets || (portsChange && call.world.settings.portsPatchRestarts);
  if (restarts && pod.locked && pod.status === 'RUNNING') throw conflict('pod is locked');

  call.lifecycle.meter.settle();
  Object.assign(pod, defined({ ...next, ports, mounts, name: sent.name, locked: sent.locked, globalNetworking: sent.globalNetworking }));
  call.lifecycle.meter.plan();
  if (pod.status !== 'RUNNING') return;
  if (portsChange) await call.lifecycle.remapPorts(pod);
  if (restarts) call.lifecycle.restart(pod);
}

/** The kind of a mount and the volume behind it are fixed at create; a disk only grows. @throws Problem 400 */
function changedMounts(pod: Pod, sent: Mounts): Mounts {
  if (sent.persistent !== undefined && sent.network !== undefined) throw badRequest('mounts.persistent and mounts.network are mutually exclusive');
  if (sent.network?.length === 0) throw badRequest('clearing mounts is not supported');
  if (sent.persistent !== undefined) {
    if (pod.mounts.persistent === undefined) throw badRequest('the mount kind is fixed at create');
    if (sent.persistent.size < pod.mounts.persistent.size) throw badRequest('mounts.persistent.size cannot be reduced');
    return { persistent: sent.persistent };
  }
  const network = sent.network?.[0];
  if (network === undefined) return pod.mounts;
  const old = pod.mounts.network?.[0];
  if (old === undefined) throw badRequest('the mount kind is fixed at create');
  if (old.volumeId !== network.volumeId) throw badRequest('mounts.network.volumeId cannot be changed');
  return { network: [network] };
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A pod's own key may do all to its pod but what the account has switched off. @throws Problem 403 */
function checkPodKey(call: Call, action: PodAction): void {
  if (call.principal.kind === 'pod' && action === 'stop' && !call.world.settings.podKeyMayStop) throw forbidden();
}

export const podRoutes: readonly Route[] = [
  { method: 'GET', template: '/v2/pods', handle: (call) => ok(page(call, 'pods', listed(call), (row) => String(row['id']))) },
  {
    method: 'POST',
    template: '/v2/pods',
    handle: (call) => {
      const request = call.body as CreateRequest;
      const pod = createPod(call.world, request);
      const expanded = JSON.stringify({ ...request, image: pod.image, args: pod.args, env: pod.env, ports: pod.ports });
      if (call.world.settings.contract === '2026-10' && Buffer.byteLength(expanded) > LARGEST_BODY)
        throw new Problem(413, `request body exceeds ${LARGEST_BODY} bytes after template expansion`);
      call.lifecycle.create(pod);
      return created(view(call, pod));
    },
  },
  { method: 'GET', template: '/v2/pods/{id}', podKey: true, handle: (call) => ok(view(call, findPod(call))) },
  {
    method: 'PATCH',
    template: '/v2/pods/{id}',
    handle: async (call) => {
      const pod = findPod(call);
      await update(call, pod);
      return ok(view(call, pod));
    },
  },
  {
    method: 'DELETE',
    template: '/v2/pods/{id}',
    podKey: true,
    handle: (call) => {
      call.lifecycle.act(findPod(call), 'terminate');
      return noContent;
    },
  },
  {
    method: 'POST',
    template: '/v2/pods/{id}/action',
    podKey: true,
    handle: (call) => {
      const { action } = call.body as { action: PodAction };
      const pod = findPod(call);
      checkPodKey(call, action);
      call.lifecycle.act(pod, action);
      return action === 'terminate' ? noContent : ok(view(call, pod));
    },
  },
  { method: 'GET', template: '/v2/pods/{id}/logs', handle: (call) => streamLogs(call, findPod(call)) },
];

/** Whether any pod holds this network volume. */
export const isAttached = (call: Call, volume: NetworkVolume): boolean =>
  [...call.world.pods.values()].some((pod) => pod.mounts.network?.some((mount) => mount.volumeId === volume.id) === true);

