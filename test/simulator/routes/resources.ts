import { publicTemplates, type TemplateEntry } from '../catalog/templates';
import { dataCenters } from '../catalog/dataCenters';
import { storedArgs } from '../command';
import { newResourceId } from '../ids';
import type { NetworkVolume } from '../meter';
import { page } from '../pages';
import { badRequest, conflict, forbidden, noCapacity, notFound } from '../problem';
import { created, noContent, ok, type Reply } from '../reply';
import type { Call, Route } from '../rest';
import type { Secret } from '../world';
import { isAttached } from './pods';

/** @throws Problem 404 */
function find<T>(map: ReadonlyMap<string, T>, call: Call, what: string): T {
  const found = map.get(call.params['id'] ?? '');
  if (found === undefined) throw notFound(what);
  return found;
}

const newestFirst = <T>(items: Iterable<T>): T[] => [...items].reverse();

const keyRoutes: readonly Route[] = [
  { method: 'GET', template: '/v2/account/ssh-keys', handle: (call) => ok({ keys: call.world.account.sshKeys }) },
  {
    method: 'PUT',
    template: '/v2/account/ssh-keys',
    handle: (call) => {
      call.world.account.sshKeys = (call.body as { keys: string[] }).keys;
      return ok({ keys: call.world.account.sshKeys });
    },
  },
];

const volumeView = ({ id, name, size, dataCenter, type }: NetworkVolume): Record<string, unknown> => ({ id, name, size, dataCenter, type });

const volumeRoutes: readonly Route[] = [
  {
    method: 'GET',
    template: '/v2/network-volumes',
    handle: (call) => ok(page(call, 'networkVolumes', newestFirst(call.world.volumes.values()).map(volumeView), (row) => String(row['id']))),
  },
  {
    method: 'POST',
    template: '/v2/network-volumes',
    handle: (call) => {
      const sent = call.body as Pick<NetworkVolume, 'name' | 'size' | 'dataCenter'> & { type?: NetworkVolume['type'] };
      const types = dataCenters.find((dataCenter) => dataCenter.id === sent.dataCenter)?.networkVolumeTypes ?? [];
      const type = sent.type ?? types[0];
      if (type === undefined || !types.includes(type)) throw badRequest(`data center ${sent.dataCenter} does not offer such network volumes`);
      const volume: NetworkVolume = { ...sent, type, id: newResourceId(), createdAt: call.world.clock.now() };
      call.lifecycle.meter.settle();
      call.world.volumes.set(volume.id, volume);
      call.lifecycle.meter.plan();
      return created(volumeView(volume));
    },
  },
  { method: 'GET', template: '/v2/network-volumes/{id}', handle: (call) => ok(volumeView(find(call.world.volumes, call, 'network volume'))) },
  {
    method: 'PATCH',
    template: '/v2/network-volumes/{id}',
    handle: (call) => {
      const volume = find(call.world.volumes, call, 'network volume');
      const sent = call.body as { name?: string; size?: number };
      if (sent.size !== undefined && sent.size < volume.size) throw badRequest('size cannot be reduced');
      call.lifecycle.meter.settle();
      Object.assign(volume, sent);
      call.lifecycle.meter.plan();
      return ok(volumeView(volume));
    },
  },
  {
    method: 'DELETE',
    template: '/v2/network-volumes/{id}',
    handle: (call) => {
      const volume = find(call.world.volumes, call, 'network volume');
      if (isAttached(call, volume)) throw badRequest('network volume is attached to a pod');
      call.lifecycle.meter.settle();
      call.world.volumes.delete(volume.id);
      call.lifecycle.meter.plan();
      return noContent;
    },
  },
];

function templateView(template: TemplateEntry): Omit<TemplateEntry, 'source'> {
  const { source, ...view } = template;
  return source === 'own' ? view : { ...view, registry: null };
}

/** @throws Problem 404 for a template that belongs to someone else. */
function ownTemplate(call: Call): TemplateEntry {
  const template = find(call.world.templates, call, 'template');
  if (template.source !== 'own') throw notFound('template');
  return template;
}

type TemplateBody = Partial<Omit<TemplateEntry, 'id' | 'source'>> & { cmd?: string[]; entrypoint?: string[] };

function templateFields(body: TemplateBody): Partial<TemplateEntry> {
  const { cmd, entrypoint, args, ...rest } = body;
  const stored = storedArgs({ ...(args === undefined ? {} : { args }), ...(cmd === undefined ? {} : { cmd }), ...(entrypoint === undefined ? {} : { entrypoint }) });
  return stored === undefined ? rest : { ...rest, args: stored };
}

const templateRoutes: readonly Route[] = [
  {
    method: 'GET',
    template: '/v2/templates',
    handle: (call) => {
      const own = newestFirst(call.world.templates.values()).filter((template) => template.source === 'own');
      return ok(page(call, 'templates', own.map(templateView), (row) => row.id));
    },
  },
  {
    method: 'POST',
    template: '/v2/templates',
    handle: (call) => {
      const sent = call.body as TemplateBody & { name: string; image: string };
      const template: TemplateEntry = {
        args: '', disk: 50, mounts: {}, ports: [], env: {}, registry: null, serverless: false, public: false, category: 'NVIDIA',
        startSsh: true, startJupyter: true, allowedCudaVersions: [],
        ...templateFields(sent),
        name: sent.name,
        image: sent.image,
        id: newResourceId(),
        source: 'own',
      };
      call.world.templates.set(template.id, template);
      return created(templateView(template));
    },
  },
  { method: 'GET', template: '/v2/templates/{id}', handle: (call) => ok(templateView(find(call.world.templates, call, 'template'))) },
  {
    method: 'PATCH',
    template: '/v2/templates/{id}',
    handle: (call) => {
      const template = ownTemplate(call);
      const { mounts, ...fields } = templateFields(call.body as TemplateBody);
      Object.assign(template, fields, mounts?.persistent === undefined ? {} : { mounts });
      return ok(templateView(template));
    },
  },
  {
    method: 'DELETE',
    template: '/v2/templates/{id}',
    handle: (call) => {
      call.world.templates.delete(ownTemplate(call).id);
      return noContent;
    },
  },
  {
    method: 'GET',
    template: '/v2/catalog/templates',
    handle: (call) => {
      const source = call.query['source'] ?? 'official';
      return ok({ templates: publicTemplates().filter((template) => template.source === source).map(templateView) });
    },
  },
];

const registryRoutes: readonly Route[] = [
  { method: 'GET', template: '/v2/registries', handle: (call) => ok(page(call, 'registries', newestFirst(call.world.registries.values()), (row) => row.id)) },
  {
    method: 'POST',
    template: '/v2/registries',
    handle: (call) => {
      const registry = { id: newResourceId(), name: (call.body as { name: string }).name };
      call.world.registries.set(registry.id, registry);
      return created(registry);
    },
  },
  { method: 'GET', template: '/v2/registries/{id}', handle: (call) => ok(find(call.world.registries, call, 'registry')) },
  {
    method: 'DELETE',
    template: '/v2/registries/{id}',
    handle: (call) => {
      const { id } = find(call.world.registries, call, 'registry');
      if ([...call.world.pods.values()].some((pod) => pod.registry === id)) throw badRequest('registry is in use by a pod');
      for (const template of call.world.templates.values()) if (template.registry === id) template.registry = null;
      call.world.registries.delete(id);
      return noContent;
    },
  },
];

const secretView = (call: Call, { id, name, description, createdAt, valueLastUpdatedAt }: Secret): Record<string, unknown> => ({
  id,
  name,
  description,
  createdAt: call.world.clock.iso(createdAt),
  valueLastUpdatedAt: call.world.clock.iso(valueLastUpdatedAt),
});

const secretRoutes: readonly Route[] = [
  {
    method: 'GET',
    template: '/v2/account/secrets',
    since: '2026-10',
    handle: (call) => {
      const name = call.query['name'];
      const secrets = newestFirst(call.world.secrets.values()).filter((secret) => name === undefined || secret.name === name);
      return ok(page(call, 'secrets', secrets.map((secret) => secretView(call, secret)), (row) => String(row['id'])));
    },
  },
  {
    method: 'POST',
    template: '/v2/account/secrets',
    since: '2026-10',
    handle: (call) => {
      const sent = call.body as { name: string; value: string; description?: string };
      if ([...call.world.secrets.values()].some((secret) => secret.name === sent.name)) throw conflict('a secret of this name exists');
      const now = call.world.clock.now();
      const secret: Secret = { id: newResourceId(), name: sent.name, value: sent.value, description: sent.description ?? '', createdAt: now, valueLastUpdatedAt: now };
      call.world.secrets.set(secret.id, secret);
      return created(secretView(call, secret));
    },
  },
  { method: 'GET', template: '/v2/account/secrets/{id}', since: '2026-10', handle: (call) => ok(secretView(call, find(call.world.secrets, call, 'secret'))) },
  {
    method: 'PATCH',
    template: '/v2/account/secrets/{id}',
    since: '2026-10',
    handle: (call) => {
      const secret = find(call.world.secrets, call, 'secret');
      const sent = call.body as { value?: string; description?: string };
      if (sent.value !== undefined) secret.valueLastUpdatedAt = call.world.clock.now();
      Object.assign(secret, sent);
      return ok(secretView(call, secret));
    },
  },
  {
    method: 'DELETE',
    template: '/v2/account/secrets/{id}',
    since: '2026-10',
    handle: (call) => {
      call.world.secrets.delete(find(call.world.secrets, call, 'secret').id);
      return noContent;
    },
  },
];

/** What this account has none of, and no simulated way to make. */
const empty = (call: Call, name: string): Reply => ok(page(call, name, [], String));
const absent = (what: string) => (): Reply => {
  throw notFound(what);
};

/** Nothing has room for a cluster or an endpoint here, and this account may delegate nothing: good requests are refused. */
const unplaced = (): Reply => {
  throw noCapacity();
};
const refused = (): Reply => {
  throw forbidden();
};

const emptyRoutes: readonly Route[] = [
  { method: 'GET', template: '/v2/clusters', handle: (call) => empty(call, 'clusters') },
  { method: 'POST', template: '/v2/clusters', handle: unplaced },
  { method: 'GET', template: '/v2/clusters/{id}', handle: absent('cluster') },
  { method: 'PATCH', template: '/v2/clusters/{id}', handle: absent('cluster') },
  { method: 'DELETE', template: '/v2/clusters/{id}', handle: absent('cluster') },
  { method: 'GET', template: '/v2/clusters/{id}/pods', handle: absent('cluster') },
  { method: 'GET', template: '/v2/serverless', handle: (call) => empty(call, 'endpoints') },
  { method: 'POST', template: '/v2/serverless', handle: unplaced },
  { method: 'GET', template: '/v2/serverless/{id}', handle: absent('endpoint') },
  { method: 'PATCH', template: '/v2/serverless/{id}', handle: absent('endpoint') },
  { method: 'DELETE', template: '/v2/serverless/{id}', handle: absent('endpoint') },
  { method: 'GET', template: '/v2/serverless/{id}/workers', handle: absent('endpoint') },
  { method: 'GET', template: '/v2/serverless/{id}/releases', handle: absent('endpoint') },
  { method: 'GET', template: '/v2/serverless/{id}/workers/{workerId}/logs', handle: absent('endpoint') },
  { method: 'GET', template: '/v2/registries/delegations', handle: () => ok({ delegations: [] }) },
  { method: 'POST', template: '/v2/registries/delegations', handle: refused },
  { method: 'DELETE', template: '/v2/registries/delegations/{id}', handle: absent('delegation') },
];

export const resourceRoutes: readonly Route[] = [
  ...keyRoutes,
  ...volumeRoutes,
  ...templateRoutes,
  ...registryRoutes,
  ...secretRoutes,
  ...emptyRoutes,
];
