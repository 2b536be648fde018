import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { RunPodError } from '../../src/runpod/errors';
import { readGpuType } from '../../src/runpod/catalogRows';
import { readPod, readPodRow, readPodRows } from '../../src/runpod/podRows';
import type { Pod, PodRow } from '../../src/runpod/types';
import { clientFor, failure, json, pod, ScriptedServer } from './scriptedServer';

const read = (more: object): Pod => {
  const row = readPodRow(pod('p1', more));
  assert.equal(row.kind, 'pod');
  return (row).pod;
};

describe('runpod rows: a pod is read as far as it goes and never lost', () => {
  it('reads a pod whole', () => {
    const whole = read({
      env: { MODEL_NAME: 'llama-3' },
      registry: 'reg1',
      template: 'tpl1',
      gpu: { id: 'NVIDIA L4', count: 2, vcpuCount: 16, memory: 62 },
      ssh: {
        proxy: { host: 'ssh.runpod.io', port: 22, username: 'p1-64411eb2', command: 'ssh p1-64411eb2@ssh.runpod.io' },
        direct: { host: '195.26.233.3', port: 34446, username: 'root', command: 'ssh root@195.26.233.3 -p 34446' },
      },
      cluster: { id: 'c1', rank: 0, role: 'RAY_HEAD', ip: '10.65.0.2' },
      globalNetworking: { enabled: true, ip: '10.65.1.42', internalDns: 'p1.runpod.internal' },
      runtime: { uptime: 3600, gpus: [{ util: 87.5, memoryUtil: 40 }], cpu: { util: 12 }, memory: { util: 30 }, ports: [{ private: 22, public: 34446, type: 'tcp', ip: '195.26.233.3' }, { private: 8888, public: null, type: 'http', ip: null }] },
      startedAt: '2026-06-01T12:02:00Z',
      cmd: ['python'],
      somethingNew: { of: 'tomorrow' },
    });
    assert.deepEqual(whole, {
      id: 'p1',
      name: 'name-p1',
      status: 'RUNNING',
      actions: ['stop', 'restart', 'terminate'],
      image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
      args: '',
      cmd: ['python'],
      diskGb: 50,
      mount: { kind: 'persistent', sizeGb: 20, path: '/workspace' },
      ports: ['22/tcp'],
      env: { MODEL_NAME: 'llama-3' },
      registryId: 'reg1',
      templateId: 'tpl1',
      gpu: { id: 'NVIDIA L4', count: 2, vcpuCount: 16, memoryGb: 62 },
      cloud: 'SECURE',
      dataCenterId: 'US-KS-2',
      cudaVersion: '12.8',
      ssh: {
        proxy: { host: 'ssh.runpod.io', port: 22, username: 'p1-64411eb2', command: 'ssh p1-64411eb2@ssh.runpod.io' },
        direct: { host: '195.26.233.3', port: 34446, username: 'root', command: 'ssh root@195.26.233.3 -p 34446' },
      },
      cluster: { id: 'c1', rank: 0, role: 'RAY_HEAD', ip: '10.65.0.2' },
      costPerHour: 0.44,
      locked: false,
      runtime: { uptimeSeconds: 3600, gpus: [{ util: 87.5, memoryUtil: 40 }], cpuUtil: 12, memoryUtil: 30, ports: [{ private: 22, public: 34446, type: 'tcp', ip: '195.26.233.3' }, { private: 8888, type: 'http' }] },
      createdAt: new Date('2026-06-01T12:00:00Z'),
      startedAt: new Date('2026-06-01T12:02:00Z'),
      globalNetworking: { enabled: true, ip: '10.65.1.42', internalDns: 'p1.runpod.internal' },
    });
  });

  it('takes no address of this machine or of its own link for a pod’s, unless the API is on this machine', () => {
    const at = (host: string, here?: boolean): Pod['ssh'] | undefined => readPod(pod('p1', { ssh: { direct: { host, port: 34446, username: 'root' }, proxy: { host: 'ssh.runpod.io', port: 22, username: 'p1' } } }), here)?.ssh;
    const inner = ['127.0.0.1', '127.8.9.1', '127.1', '0x7f.1', '2130706433', 'localhost', 'LocalHost.', 'a.localhost', '0.0.0.0', '0', '169.254.169.254', '[::1]', '::1', '::', '[::]', 'fe80::1', 'fe80::1%eth0', '[febf::1]', '::ffff:127.0.0.1', '::ffff:169.254.169.254', '0:0:0:0:0:0:0:1'];
    for (const host of inner) {
      // Not every one of these reads as a host name at all: then there is no address either.
      const ssh = at(host);
      assert.equal(ssh?.direct, undefined, host);
      if (ssh?.refused !== undefined) assert.deepEqual(ssh, { refused: host });
      assert.equal(at(host, true)?.refused, undefined, host);
    }
    assert.deepEqual(at('127.0.0.1'), { refused: '127.0.0.1' });
    assert.deepEqual(at('169.254.169.254'), { refused: '169.254.169.254' });
    assert.equal(at('127.0.0.1', true)?.direct?.host, '127.0.0.1');
    for (const host of ['195.26.233.3', '100.65.0.2', '10.65.0.2', 'pod.example.com', '127.example.com', '[2606:4700::1111]', '2606:4700::1111']) assert.equal(at(host)?.direct?.host, host);
    assert.deepEqual(readPod(pod('p1', { ssh: { proxy: { host: '127.0.0.1', port: 22, username: 'p1' } } }))?.ssh, { refused: '127.0.0.1' });
  });

  it('takes no id that means more than a name where ids go: into paths, host names and files of OpenSSH', () => {
    for (const id of ['../../etc', 'a/b', 'a b', 'x\n  ProxyCommand touch /tmp/pwned', 'evil.test#', '-oProxyCommand=x', '$(reboot)', '__proto__', '', 'x'.repeat(200)]) {
      const row = readPodRow(pod(id));
      assert.equal(row.kind, 'unreadable', id);
      // It may bill, so its row stays.
      assert.equal(row.kind === 'unreadable' && row.row.problem, 'no readable id', id);
      assert.equal(readPod(pod(id)), undefined, id);
    }
  });

  it('shows names without what would deceive: line ends, escape sequences, turned directions', () => {
    assert.equal(read({ name: 'llama\n$5.00/hr' }).name, 'llama\ufffd$5.00/hr');
    assert.equal(read({ name: '\u001b]0;owned\u0007x\u009b31m' }).name, '\ufffd]0;owned\ufffdx\ufffd31m');
    assert.equal(read({ name: 'prod\u202egnitset' }).name, 'prod\ufffdgnitset');
    assert.equal(read({ name: 'x'.repeat(5000) }).name.length, 201);
    assert.equal(read({ name: 'modèle 训练 🦙 فارسی‌' }).name, 'modèle 训练 🦙 فارسی‌');
    const row = readPodRow({ id: '!', name: '\u001b[2J' });
    assert.equal(row.kind === 'unreadable' && row.row.name, '\ufffd[2J');
    assert.equal(readGpuType({ id: 'NVIDIA L4', name: 'L4\u001b[31m' }, false)?.name, 'L4\ufffd[31m');
  });

  it('takes no address of a port that is none', () => {
    const { runtime, problems } = read({ runtime: { ports: [{ private: 80, public: 1234, type: 'tcp', ip: '1.2.3.4; curl evil' }, { private: 81, public: 1235, type: 'tcp; x', ip: '100.65.0.1' }] } });
    assert.deepEqual(runtime?.ports, [{ private: 80, public: 1234, type: 'tcp' }, { private: 81, public: 1235, type: 'tcp', ip: '100.65.0.1' }]);
    assert.equal(problems, undefined);
  });

  it('reads both kinds of mount, and none', () => {
    assert.deepEqual(read({ mounts: { network: [{ volumeId: 'v1', path: '/runpod-volume' }] } }).mount, { kind: 'network', volumeId: 'v1', path: '/runpod-volume' });
    assert.deepEqual(read({ mounts: { network: [], persistent: { size: 20, path: '/data' } } }).mount, { kind: 'persistent', sizeGb: 20, path: '/data' });
    for (const none of [{}, null, undefined]) {
      const { mount, problems } = read({ mounts: none });
      assert.equal(mount, undefined);
      assert.equal(problems, undefined);
    }
  });

  it('says of a mount that it cannot read, instead of there being none', () => {
    assert.ok(read({ mounts: { persistent: { size: 'big', path: '/data' } } }).problems?.includes('mounts.persistent.size'));
    assert.ok(read({ mounts: { network: [{ id: 5 }] } }).problems?.includes('mounts.network[0]'));
    assert.ok(read({ mounts: 'none' }).problems?.includes('mounts'));
  });

  it('takes a cost for unknown rather than for 0', () => {
    assert.equal(read({ cost: 0 }).costPerHour, 0);
    for (const cost of ['0.44', null, undefined, {}, -1]) {
      const { costPerHour, problems } = read({ cost });
      assert.equal(costPerHour, undefined);
      assert.ok(problems?.includes('cost'), JSON.stringify(cost));
    }
  });

  it('keeps a pod whose figures are bad', () => {
    for (const runtime of ['up', 5, [1], { gpus: 'many', ports: [5, { private: 'x' }], uptime: 'long' }]) {
      const kept = read({ runtime });
      assert.equal(kept.status, 'RUNNING');
      assert.equal(kept.costPerHour, 0.44);
      assert.ok((kept.problems?.length ?? 0) > 0);
    }
    assert.deepEqual(read({ runtime: {} }).runtime, { gpus: [], ports: [] });
    assert.equal(read({ runtime: {} }).problems, undefined);
    assert.equal(read({ runtime: null }).runtime, undefined);
  });

  it('knows a GPU pod that came back without a GPU', () => {
    assert.equal(read({ gpu: { id: 'NVIDIA L4', count: 0 } }).gpu?.count, 0);
    assert.equal(read({ gpu: null }).gpu, undefined);
    assert.deepEqual(read({ gpu: null, cpu: { id: 'cpu3c', vcpuCount: 2, memory: 4 } }).cpu, { id: 'cpu3c', vcpuCount: 2, memoryGb: 4 });
  });

  it('takes the API\'s actions for the authority, and the status only where it says none', () => {
    assert.deepEqual(read({ actions: ['terminate', 'terminate', 'fly'] }).actions, ['terminate']);
    assert.deepEqual(read({ actions: [] }).actions, []);
    assert.deepEqual(read({ actions: undefined }).actions, ['stop', 'restart', 'terminate']);
    assert.deepEqual(read({ actions: undefined, status: 'EXITED' }).actions, ['start', 'terminate']);
    assert.deepEqual(read({ actions: 'all', status: 'PROVISIONING' }).actions, ['stop', 'terminate']);
    const unknown = read({ actions: undefined, status: 'HIBERNATED' });
    assert.equal(unknown.status, 'UNKNOWN');
    assert.deepEqual(unknown.actions, ['stop', 'terminate'], 'what ends the cost can always be tried');
  });

  it('takes no address that could be an option or a second word of a command', () => {
    for (const direct of [{ host: '-oProxyCommand=x', port: 22, username: 'root' }, { host: 'a b', port: 22, username: 'root' }, { host: 'h', port: 22, username: '-x' }, { host: 'h', port: 0, username: 'root' }, { host: 'h\nHost *', port: 22, username: 'root' }]) {
      const { ssh, problems } = read({ ssh: { proxy: null, direct } });
      assert.equal(ssh.direct, undefined, JSON.stringify(direct));
      assert.ok((problems?.length ?? 0) > 0);
    }
    assert.equal(read({ ssh: { proxy: null, direct: { host: '2001:db8::7', port: 22, username: 'root' } } }).ssh.direct?.host, '2001:db8::7');
    assert.deepEqual(read({ ssh: null }).ssh, {});
  });

  it('makes a row that says so of what is no pod', () => {
    assert.deepEqual(readPodRow(null), { kind: 'unreadable', row: { problem: 'not an object', raw: null } });
    assert.deepEqual(readPodRow({ name: 'sdxl', cost: 2 }), { kind: 'unreadable', row: { name: 'sdxl', problem: 'no readable id', raw: { name: 'sdxl', cost: 2 } } });
    const hopeless = readPodRow({ id: 'p9', name: 5, status: [] });
    assert.equal(hopeless.kind === 'unreadable' && hopeless.row.id, 'p9');
    assert.equal(readPodRow({ id: 'p9', name: null, status: 'HIBERNATING', cost: 'n/a' }).kind, 'unreadable');
    assert.equal(readPodRow({ id: 'p9', name: null, status: 'RUNNING' }).kind, 'pod');
    assert.equal(readPod({ id: 'p9' })?.name, 'p9', 'an answer about one pod needs no more than its id');
  });

  it('drops repeated ids, and prefers the row that can be read', () => {
    const rows = readPodRows([{ id: 'a' }, pod('b'), pod('a', { name: 'second' }), pod('b', { name: 'again' }), 5, 5]);
    assert.deepEqual(rows.map((row) => (row.kind === 'pod' ? row.pod.name : row.row.problem)), ['second', 'name-b', 'not an object', 'not an object']);
  });
});

describe('runpod rows: whatever JSON a list holds', () => {
  let server: ScriptedServer;
  let body: unknown;
  before(async () => {
    server = await ScriptedServer.start((_seen, response) => json(response, 200, body));
  });
  after(() => server.close());

  /** Pods in which some fields hold anything at all. */
  const almostPod = fc.record(
    Object.fromEntries(Object.keys(pod('x')).map((name) => [name, fc.oneof({ weight: 3, arbitrary: fc.constant(pod('x')[name]) }, fc.jsonValue())])),
    { requiredKeys: [] },
  );
  const row = fc.oneof(almostPod, fc.jsonValue(), fc.record({ id: fc.string(), runtime: fc.jsonValue(), ssh: fc.jsonValue(), mounts: fc.jsonValue(), env: fc.jsonValue() }));

  it('ends in rows or in a RunPodError, and every id that came is in a row', async () => {
    const client = clientFor(server.restUrl);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.record({ pods: fc.array(row, { maxLength: 6 }) }), fc.jsonValue()), async (answer) => {
        body = JSON.parse(JSON.stringify(answer)) as unknown;
        let rows: PodRow[];
        try {
          rows = await client.pods.list();
        } catch (error) {
          assert.ok(error instanceof RunPodError, String(error));
          return;
        }
        const sent = Array.isArray(body) ? (body as unknown[]) : (body as { pods: unknown[] }).pods;
        const ids = new Set(rows.map((one) => (one.kind === 'pod' ? one.pod.id : one.row.id)));
        let withoutId = 0;
        for (const one of sent) {
          const id: unknown = typeof one === 'object' && one !== null && 'id' in one ? one.id : undefined;
          if (typeof id === 'string' && /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(id)) assert.ok(ids.has(id), `${id} is hidden`);
          else withoutId++;
        }
        assert.equal(rows.filter((one) => one.kind === 'unreadable' && one.row.id === undefined).length, withoutId);
        for (const one of rows) if (one.kind === 'pod') assert.ok(one.pod.costPerHour !== 0 || JSON.stringify(sent).includes('"cost":0') || JSON.stringify(sent).includes('"cost":-0'));
      }),
      { numRuns: 300 },
    );
  });

  it('takes an answer without a list for an error, never for no pods', async () => {
    for (body of [{}, { pods: null }, { pods: {} }, null, 'pods', 5, { data: [] }]) {
      assert.equal((await failure(clientFor(server.restUrl).pods.list())).code, 'unreadable', JSON.stringify(body));
    }
    body = { pods: [] };
    assert.deepEqual(await clientFor(server.restUrl).pods.list(), []);
    body = [pod('bare')];
    assert.equal((await clientFor(server.restUrl).pods.list()).length, 1);
  });
});

describe('runpod rows: the examples of the published contract', () => {
  const contract = readFileSync(join(__dirname, '..', 'simulator', 'openapi-v2.json'), 'utf8');
  const examples: { path: string; value: Record<string, unknown> }[] = [];
  const paths = (JSON.parse(contract) as { paths: Record<string, Record<string, { responses?: Record<string, { content?: Record<string, { examples?: Record<string, { value: Record<string, unknown> }> }> }> }>> }).paths;
  for (const [path, methods] of Object.entries(paths)) {
    for (const operation of Object.values(methods)) {
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        if (!status.startsWith('2')) continue;
        for (const example of Object.values(response.content?.['application/json']?.examples ?? {})) examples.push({ path, value: example.value });
      }
    }
  }

  it('reads every pod in them without a problem', () => {
    const pods = examples.flatMap(({ path, value }) => (/^\/v2\/pods/.test(path) ? (Array.isArray(value['pods']) ? (value['pods'] as unknown[]) : [value]) : []));
    assert.ok(pods.length >= 4);
    for (const one of pods) {
      const row = readPodRow(one);
      assert.equal(row.kind, 'pod', JSON.stringify(one));
      assert.equal(row.kind === 'pod' ? row.pod.problems : [], undefined, JSON.stringify(one));
    }
  });

  it('reads every GPU type in them', () => {
    const gpus = examples.flatMap(({ path, value }) => (path === '/v2/catalog/gpus' ? (value['gpus'] as unknown[]) : []));
    assert.ok(gpus.length > 0);
    for (const one of gpus) assert.ok((readGpuType(one, false)?.price.secure ?? 0) > 0);
  });
});
