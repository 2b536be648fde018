import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { silentLog } from '../../../src/base/log';
import { AliasKeeper } from '../../../src/editor/remoteSsh/keeper';
import type { ReachDeps } from '../../../src/pods/reach';
import { type PodSession, PodSessions, type SessionTimings } from '../../../src/pods/session';
import { defaultTimings, PodStore } from '../../../src/pods/store';
import { RunPodClient } from '../../../src/runpod/client';
import type { Pod } from '../../../src/runpod/types';
import { ConfigFiles } from '../../../src/ssh/configFiles';
import { editUserConfig, includeLine, withInclude } from '../../../src/ssh/configInclude';
import { hostKeyOf } from '../../../src/ssh/hostKeys';
import type { Identity } from '../../../src/ssh/identity';
import { keyFileIdentity } from '../../../src/ssh/keyFile';
import { loadSsh2 } from '../../../src/ssh/loadSsh2';
import { PinStore } from '../../../src/ssh/pins';
import { repositoryHere } from '../../../src/sync/git/here';
import { Git } from '../../../src/sync/git/program';
import { remoteUrl } from '../../../src/sync/git/remotes';
import { makeThere } from '../../../src/sync/git/there';
import { startSimulator, type Simulator } from '../../simulator/simulator';
import { until } from '../../support/until';

const run = promisify(execFile);
const quickly = { provisioningMs: 100, pullMs: 300, startMs: 100, directDelayMs: 100, oldPortMs: 100, sshDelayMs: 100 };
const timings: Partial<SessionTimings> = { settleMs: 500, probeMs: 2_000, retryMs: 100, retryCapMs: 500, coolDownMs: 200 };

describe('windows that keep one list of aliases', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-alias-'));
  });
  afterEach(() => fs.rm(dir, { recursive: true, force: true }));

  const pod = (id: string, fields: Partial<Pod> = {}): Pod => ({
    id, name: id, status: 'RUNNING', actions: [], image: '', args: '', ports: ['22/tcp'], env: {}, costPerHour: 0, locked: false,
    ssh: { direct: { host: '203.0.113.7', port: 1000 + id.length, username: 'root' } }, startedAt: new Date(0), ...fields,
  });
  const hostKey = hostKeyOf(Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIC0', 'base64'));
  /** A window that is connected to one of the pods. */
  function keeperOf(connected: string, pods: readonly Pod[], files: ConfigFiles, keyFiles: () => Promise<void>): AliasKeeper {
    const session = { state: 'connected', reached: { pod: pods.find(({ id }) => id === connected), address: pod(connected).ssh.direct, hostKey } } as unknown as PodSession;
    const never = async (): Promise<never> => Promise.reject(new Error('not asked here'));
    return new AliasKeeper({
      store: { state: { phase: 'ready', pods, rows: pods.map((one) => ({ kind: 'pod', pod: one })) } as unknown as PodStore['state'], onDidChange: () => ({ dispose() {} }) },
      sessions: { get: () => session, peek: (id) => (id === connected ? session : undefined), onDidChange: () => ({ dispose() {} }) },
      reach: { getPod: never } as unknown as ReachDeps,
      files,
      keyFiles: async () => (await keyFiles(), { files: ['/keys/own'], certain: true }),
      enabled: () => true,
      log: silentLog,
      spreadMs: 1e6,
    });
  }

  it('take nothing from each other’s findings', async () => {
    const pods = [pod('a'), pod('bb')];
    const files = (): ConfigFiles => new ConfigFiles(path.join(dir, 'pods'), 'one');
    let go: (() => void) | undefined;
    const slow = keeperOf('bb', pods, files(), () => new Promise<void>((resolve) => (go = resolve)));
    const quick = keeperOf('a', pods, files(), async () => {});
    slow.start();
    await until(() => go !== undefined, 'the slow one is on its way');
    quick.start();
    await quick.settled();
    go?.();
    await slow.settled();
    assert.deepEqual((await files().read()).hosts.map(({ podId, at }) => [podId, typeof at]), [['a', 'object'], ['bb', 'object']]);
    for (const one of [slow, quick]) one.dispose();
  });

  it('are not stopped by a pod that no host can be named after', async () => {
    const pods = [pod('a'), pod('x\ny'), pod('b b')];
    const files = new ConfigFiles(path.join(dir, 'pods'), 'one');
    const keeper = keeperOf('x\ny', pods, files, async () => {});
    keeper.start();
    await keeper.settled();
    keeper.dispose();
    assert.deepEqual((await files.read()).hosts.map(({ podId }) => podId), ['a']);
  });
});

describe('pods by name in any terminal', () => {
  let simulator: Simulator;
  let client: RunPodClient;
  let store: PodStore;
  let sessions: PodSessions;
  let keeper: AliasKeeper;
  let dir: string;
  let config: string;
  let files: ConfigFiles;

  beforeEach(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-alias-'));
    config = path.join(dir, 'ssh_config');
    simulator = await startSimulator({ empty: true, settings: { timings: quickly } });
    client = new RunPodClient({ restUrl: simulator.restUrl, graphqlUrl: simulator.graphqlUrl, key: async () => simulator.apiKey, userAgent: 'runpod-workspaces-tests/1.0', log: silentLog });
    const identity: Identity = await keyFileIdentity(simulator.accountKey.path, 'own', { ssh2: await loadSsh2() });
    store = new PodStore(async () => ({ listPods: () => client.pods.list(), readAccount: async () => undefined }), silentLog, { ...defaultTimings, poll: { view: 300, ticker: 300, background: 300 }, changing: 200 });
    let pinned: string | undefined;
    const reach = {
      getPod: (id: string, signal: AbortSignal) => client.pods.get(id, { signal }),
      logs: client.pods.logs.bind(client.pods),
      identities: async () => [identity],
      pins: new PinStore({ read: async () => pinned, write: async (text) => void (pinned = text), exclusive: (work) => work() }),
      log: silentLog,
      now: () => client.serverClock.now().getTime(),
      timings,
    };
    sessions = new PodSessions(reach);
    files = new ConfigFiles(path.join(dir, 'pods'), 'test');
    keeper = new AliasKeeper({ store, sessions, reach, files, keyFiles: async () => ({ files: [simulator.accountKey.path], certain: true }), enabled: () => true, log: silentLog, spreadMs: 10 });
    await editUserConfig(config, (text) => withInclude(text, includeLine(config, files.config)));
    store.start();
    keeper.start();
  });
  afterEach(async () => {
    keeper.dispose();
    sessions.dispose();
    store.dispose();
    client.dispose();
    await keeper.settled();
    await simulator.close();
    await fs.rm(dir, { recursive: true, force: true });
  });

  const create = async (image = 'runpod/base:1.0.2-ubuntu2204'): Promise<string> =>
    (await client.pods.create({ name: 'Llama FT', image, gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 }, disk: 5, mounts: { persistent: { size: 10, path: '/workspace' } }, ports: ['22/tcp'], startSsh: true })).id;
  const addressOf = async (id: string): Promise<unknown> => (await files.read()).hosts.find(({ podId }) => podId === id)?.at;
  const reachable = (id: string): Promise<void> => until(async () => typeof (await addressOf(id)) === 'object', 'the alias leads somewhere');
  const ssh = async (...args: string[]): Promise<string> => (await run('ssh', ['-F', config, '-o', 'BatchMode=yes', ...args], { timeout: 20_000 })).stdout.trim();

  it('reach the pod with ssh, scp, rsync and git, also after a stop and start at another port, and are gone with it', async () => {
    const id = await create();
    await reachable(id);
    assert.equal(await ssh('runpod-llama-ft', 'hostname'), id);

    const folder = await ssh('runpod-llama-ft', 'mktemp -d');
    await fs.writeFile(path.join(dir, 'notes.txt'), 'notes');
    await run('scp', ['-q', '-F', config, path.join(dir, 'notes.txt'), `runpod-llama-ft:${folder}/`]);
    assert.equal(await ssh('runpod-llama-ft', `cat ${folder}/notes.txt`), 'notes');
    await run('rsync', ['-a', '-e', `ssh -F ${config}`, path.join(dir, 'notes.txt'), `runpod-llama-ft:${folder}/again.txt`]);
    await ssh('runpod-llama-ft', `cmp ${folder}/notes.txt ${folder}/again.txt`);
    const project = await ssh('runpod-llama-ft', 'cd /workspace && pwd -P');
    const local = new Git(path.join(dir, 'project'));
    await run('git', ['init', '-q', local.folder]);
    for (const [name, value] of [['core.sshCommand', `ssh -F '${config}'`], ['user.name', 'someone'], ['user.email', 'someone@example.invalid']] as const) await local.do(['config', name, value]);
    await makeThere(await sessions.get(id).link(), `${project}/project`, await repositoryHere(local));
    const push = async (message: string): Promise<void> => {
      await local.do(['commit', '-q', '--allow-empty', '-m', message]);
      await local.do(['push', '-q', remoteUrl(id, `${project}/project`), 'HEAD']);
      assert.equal(await ssh('runpod-llama-ft', `git -C ${project}/project log -1 --format=%s`), message);
    };
    await push('before');

    const before = await addressOf(id);
    await client.pods.action(id, 'stop');
    await until(async () => (await addressOf(id)) === 'stopped', 'the stop is noticed');
    await assert.rejects(ssh('runpod-llama-ft', 'true'), /this-pod-is-stopped/);
    await client.pods.action(id, 'start');
    await reachable(id);
    assert.notDeepEqual(await addressOf(id), before);
    assert.equal(await ssh('runpod-llama-ft', 'hostname'), id);
    await push('after');

    await client.pods.terminate(id);
    await until(async () => (await addressOf(id)) === undefined, 'the alias is gone');
    assert.equal((await fs.readFile(files.knownHosts, 'utf8')).includes(id), false);
  });

  it('refuse another machine at the pod’s address', async () => {
    const id = await create();
    await reachable(id);
    await simulator.answerAsStranger(id);
    // Its sshd may take a moment to answer; never does it get as far as a command.
    await until(
      () =>
        ssh('runpod-llama-ft', 'true').then(
          () => assert.fail('logged in at a stranger'),
          (error: unknown) => /Host key verification failed/.test(String(error)),
        ),
      'the other key is noticed',
    );
  });

  it('wait for a person where nobody vouches for the host key', async () => {
    
    const id = await create('runpod/base-nofingerprints:1');
    await until(() => store.find(id)?.ssh.direct !== undefined, 'it has an address');
    await until(async () => (await addressOf(id)) !== undefined, 'it has an alias');
    await assert.rejects(ssh('runpod-llama-ft', 'true'), /not-checked-yet/);
    const host = await keeper.ensure(id);
    assert.equal(host.alias, 'runpod-llama-ft');
    assert.equal(await ssh(host.alias, 'hostname'), id);
  });
});
