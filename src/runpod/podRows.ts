import * as z from 'zod';
import { canBePod } from './podHost';
import type { Fields } from './read';
import { amount, count, defined, FieldReader, filled, flag, isFields, label, plainId, port, text, time } from './read';
import type { Pod, PodAction, PodCluster, PodCpu, PodGpu, PodMount, PodPort, PodRow, PodRuntime, PodStatus, SshEndpoint } from './types';

const statuses: readonly PodStatus[] = ['PROVISIONING', 'STARTING', 'RUNNING', 'EXITED', 'ERROR', 'TERMINATED'];
const knownActions: readonly PodAction[] = ['start', 'stop', 'restart', 'terminate'];

/** RunPod's own table; for a status that is not in it, what ends the cost. */
function actionsOf(status: PodStatus): PodAction[] {
  switch (status) {
    case 'RUNNING':
      return ['stop', 'restart', 'terminate'];
    case 'EXITED':
    case 'ERROR':
      return ['start', 'terminate'];
    case 'PROVISIONING':
    case 'STARTING':
    case 'UNKNOWN':
      return ['stop', 'terminate'];
    case 'TERMINATED':
      return [];
  }
}

// These end up in command lines and configuration files of OpenSSH, so a leading dash, spaces and the like are no address.
const hostName = z.string().regex(/^[A-Za-z0-9[][A-Za-z0-9._:%[\]-]*$/);
const word = z.string().regex(/^\w+$/);
const userName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._@+-]*$/);

function endpointOf(ssh: FieldReader, name: string): SshEndpoint | undefined {
  if (!ssh.has(name)) return undefined;
  const fields = ssh.within(name);
  const [host, sshPort, username] = [fields.get('host', hostName), fields.get('port', port), fields.get('username', userName)];
  if (host === undefined || sshPort === undefined || username === undefined) return undefined;
  return defined({ host, port: sshPort, username, command: fields.get('command', text) });
}

/** @param here whether an address may be this machine's: that of a pod of a simulator is */
function sshOf(pod: FieldReader, here: boolean): Pod['ssh'] {
  const ssh = pod.within('ssh');
  const [proxy, direct] = [endpointOf(ssh, 'proxy'), endpointOf(ssh, 'direct')];
  const refused = here ? undefined : [direct, proxy].find((one) => one !== undefined && !canBePod(one.host));
  return refused === undefined ? defined({ proxy, direct }) : { refused: refused.host };
}

/** Both forms of the API: `{persistent: {…}}`, and `{network: [{…}]}` of which there is one at most. */
export function mountOf(pod: FieldReader): PodMount | undefined {
  const mounts = pod.within('mounts');
  if (mounts.has('network')) {
    const network = mounts.list('network', (element) => {
      const fields = new FieldReader(isFields(element) ? element : {});
      const [volumeId, path] = [fields.get('volumeId', filled), fields.get('path', filled)];
      return volumeId === undefined || path === undefined ? undefined : { kind: 'network' as const, volumeId, path };
    });
    if (network?.[0] !== undefined) return network[0];
  }
  if (!mounts.has('persistent')) return undefined;
  const fields = mounts.within('persistent');
  const [sizeGb, path] = [fields.get('size', amount), fields.get('path', filled)];
  return sizeGb === undefined || path === undefined ? undefined : { kind: 'persistent', sizeGb, path };
}

function gpuOf(pod: FieldReader): PodGpu | undefined {
  if (!pod.has('gpu')) return undefined;
  const gpu = pod.within('gpu');
  const id = gpu.get('id', filled);
  if (id === undefined) return undefined;
  return defined({ id, count: gpu.get('count', count) ?? 1, vcpuCount: gpu.get('vcpuCount', amount), memoryGb: gpu.get('memory', amount) });
}

function cpuOf(pod: FieldReader): PodCpu | undefined {
  if (!pod.has('cpu')) return undefined;
  const cpu = pod.within('cpu');
  const [id, vcpuCount] = [cpu.get('id', filled), cpu.get('vcpuCount', amount)];
  return id === undefined || vcpuCount === undefined ? undefined : defined({ id, vcpuCount, memoryGb: cpu.get('memory', amount) });
}

function clusterOf(pod: FieldReader): PodCluster | undefined {
  if (!pod.has('cluster')) return undefined;
  const cluster = pod.within('cluster');
  const id = cluster.get('id', filled);
  return id === undefined ? undefined : defined({ id, rank: cluster.get('rank', count), role: cluster.get('role', text), ip: cluster.get('ip', text) });
}

function portOf(element: unknown): PodPort | undefined {
  const fields = new FieldReader(isFields(element) ? element : {});
  // Symmetric ports are asked for with numbers above 70000, so this is no port number in the strict sense.
  const inside = fields.get('private', count);
  if (inside === undefined) return undefined;
  return defined({ private: inside, public: fields.get('public', port), type: fields.get('type', word) ?? 'tcp', ip: fields.get('ip', hostName) });
}

function runtimeOf(pod: FieldReader): PodRuntime | undefined {
  // Null and an empty object both occur for a pod that does not run; an unreadable one costs the figures alone.
  const runtime = pod.within('runtime');
  if (!pod.has('runtime') || pod.problems.includes('runtime')) return undefined;
  const gpus = runtime.list('gpus', (element) => {
    const fields = new FieldReader(isFields(element) ? element : {});
    return defined({ util: fields.get('util', amount), memoryUtil: fields.get('memoryUtil', amount) });
  });
  return defined({
    uptimeSeconds: runtime.get('uptime', amount),
    gpus: gpus ?? [],
    cpuUtil: runtime.within('cpu').get('util', amount),
    memoryUtil: runtime.within('memory').get('util', amount),
    ports: runtime.list('ports', portOf) ?? [],
  });
}

function globalNetworkingOf(pod: FieldReader): Pod['globalNetworking'] {
  if (!pod.has('globalNetworking')) return undefined;
  const fields = pod.within('globalNetworking');
  return defined({ enabled: fields.get('enabled', flag) ?? false, ip: fields.get('ip', text), internalDns: fields.get('internalDns', text) });
}

function podOf(id: string, raw: Fields, here: boolean): Pod {
  const pod = new FieldReader(raw);
  const told = pod.get('status', text);
  const status = statuses.find((known) => known === told) ?? 'UNKNOWN';
  if (told === undefined && !pod.problems.includes('status')) pod.problems.push('status');
  const actions = pod.get('actions', z.array(z.unknown()))?.flatMap((action) => knownActions.filter((known) => known === action));
  const costPerHour = pod.get('cost', amount);
  if (costPerHour === undefined && !pod.problems.includes('cost')) pod.problems.push('cost');
  const rest = defined({
    cmd: pod.strings('cmd'),
    entrypoint: pod.strings('entrypoint'),
    diskGb: pod.get('disk', amount),
    mount: mountOf(pod),
    registryId: pod.get('registry', filled),
    templateId: pod.get('template', filled),
    gpu: gpuOf(pod),
    cpu: cpuOf(pod),
    cloud: pod.get('cloud', z.enum(['SECURE', 'COMMUNITY'])),
    dataCenterId: pod.get('dataCenterId', filled),
    cudaVersion: pod.get('cudaVersion', filled),
    cluster: clusterOf(pod),
    runtime: runtimeOf(pod),
    createdAt: pod.get('createdAt', time),
    startedAt: pod.get('startedAt', time),
    globalNetworking: globalNetworkingOf(pod),
  });
  return {
    id,
    name: pod.get('name', label) ?? id,
    status,
    actions: actions === undefined ? actionsOf(status) : [...new Set(actions)],
    image: pod.get('image', text) ?? '',
    args: pod.get('args', text) ?? '',
    ports: pod.strings('ports') ?? [],
    env: pod.stringMap('env') ?? {},
    ssh: sshOf(pod, here),
    locked: pod.get('locked', flag) ?? false,
    ...rest,
    costPerHour,
    ...(pod.problems.length === 0 ? {} : { problems: pod.problems }),
  };
}

/**
 * A pod from an answer about that one pod, where the id alone proves that it is one; `undefined` without an id.
 * @param here whether its address may be this machine's
 */
export function readPod(raw: unknown, here = false): Pod | undefined {
  const id = isFields(raw) ? plainId.safeParse(raw['id']).data : undefined;
  return id === undefined || !isFields(raw) ? undefined : podOf(id, raw, here);
}

/** One row of the list. What has an id, and a name or a known status, is a pod; all else is a row that says what is wrong. */
export function readPodRow(raw: unknown, here = false): PodRow {
  if (!isFields(raw)) return { kind: 'unreadable', row: { problem: 'not an object', raw } };
  const id = plainId.safeParse(raw['id']).data;
  const name = label.safeParse(raw['name']).data;
  if (id === undefined) return { kind: 'unreadable', row: { ...(name === undefined ? {} : { name }), problem: 'no readable id', raw } };
  if (name === undefined && !statuses.some((known) => known === raw['status'])) return { kind: 'unreadable', row: { id, problem: 'no readable name or status', raw } };
  return { kind: 'pod', pod: podOf(id, raw, here) };
}

/** The rows of a list without repeated ids (a pod may move to the next page while the pages are read). */
export function readPodRows(raws: readonly unknown[], here = false): PodRow[] {
  const byId = new Map<string, number>();
  const rows: PodRow[] = [];
  for (const raw of raws) {
    const row = readPodRow(raw, here);
    const id = row.kind === 'pod' ? row.pod.id : row.row.id;
    const before = id === undefined ? undefined : byId.get(id);
    if (before === undefined) {
      if (id !== undefined) byId.set(id, rows.length);
      rows.push(row);
    } else if (rows[before]?.kind === 'unreadable') rows[before] = row;
  }
  return rows;
}
