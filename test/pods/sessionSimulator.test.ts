import * as assert from 'node:assert/strict';
import type { Disposable } from '../../src/base/disposable';
import { silentLog } from '../../src/base/log';
import { sleep } from '../../src/base/time';
import { PodUnavailableError } from '../../src/pods/contracts';
import { diagnose } from '../../src/pods/doctor';
import { waitUntilReady, type ReadyProgress } from '../../src/pods/ready';
import { PodSessions, type SessionState, type SessionTimings } from '../../src/pods/session';
import { RunPodClient } from '../../src/runpod/client';
import { PinStore } from '../../src/ssh/pins';
import type { Identity } from '../../src/ssh/identity';
import { keyFileIdentity } from '../../src/ssh/keyFile';
import { loadSsh2 } from '../../src/ssh/loadSsh2';
import { startSimulator, type Simulator } from '../simulator/simulator';
import { until } from '../support/until';

const quickly = { provisioningMs: 100, pullMs: 400, startMs: 100, directDelayMs: 100, oldPortMs: 100, sshDelayMs: 100 };
const timings: Partial<SessionTimings> = { settleMs: 800, probeMs: 2_000, retryMs: 100, retryCapMs: 500, comeBackMs: 100, comeBackCapMs: 1_000, coolDownMs: 200 };
const code = (wanted: string) => (error: unknown) => {
  if (!(error instanceof PodUnavailableError)) throw error;
  assert.equal(error.code, wanted);
  return true;
};

describe('a pod session over simulated pods', () => {
  let simulator: Simulator;
  let client: RunPodClient;
  let sessions: PodSessions;
  let identity: Identity;
  let pinned: string | undefined;
  const openEnds: Disposable[] = [];

  before(async () => {
    simulator = await startSimulator({ empty: true, settings: { timings: quickly } });
    client = new RunPodClient({
      restUrl: simulator.restUrl,
      graphqlUrl: simulator.graphqlUrl,
      key: async () => simulator.apiKey,
      userAgent: 'runpod-workspaces-tests/1.0',
      log: silentLog,
    });
    identity = await keyFileIdentity(simulator.accountKey.path, 'own', { ssh2: await loadSsh2() });
  });
  after(async () => {
    client.dispose();
    await simulator.close();
  });
  beforeEach(() => {
    pinned = undefined;
    sessions = new PodSessions(parts());
    openEnds.push(sessions);
  });
  afterEach(async () => {
    for (const open of openEnds.splice(0)) open.dispose();
    simulator.set({ timings: quickly, chatterLines: 0, proxyOnly: false, oldPortAnswersForStranger: false, logCut: { afterEvents: 0, times: 0 } });
    await Promise.all([...simulator.world.pods.values()].map((pod) => client.pods.terminate(pod.id)));
  });

  const parts = () => ({
    getPod: (id: string, signal: AbortSignal) => client.pods.get(id, { signal }),
    logs: client.pods.logs.bind(client.pods),
    identities: async () => [identity],
    pins: new PinStore({ read: async () => pinned, write: async (text) => void (pinned = text), exclusive: (work) => work() }),
    log: silentLog,
    now: () => client.serverClock.now().getTime(),
    timings,
  });
  const create = async (fields: { image?: string; ports?: string[] } = {}): Promise<string> => {
    const { id } = await client.pods.create({
      name: 'llama-ft',
      image: 'runpod/base:1.0.2-ubuntu2204',
      cpu: { id: 'cpu5c', vcpuCount: 2 },
      disk: 5,
      mounts: { network: [{ volumeId: (await volume()).id, path: '/workspace' }] },
      ports: ['22/tcp'],
      startSsh: true,
      ...fields,
    });
    return id;
  };
  const volume = async (): Promise<{ id: string }> =>
    (await client.networkVolumes.list())[0] ?? (await client.networkVolumes.create({ name: 'datasets', size: 20, dataCenter: 'EU-RO-1' }));
  /** What the sidebar does: news of the pod every now and then. */
  const poll = (id: string): void => {
    const timer = setInterval(() => void client.pods.get(id).then((pod) => sessions.podChanged(pod), () => {}), 150);
    openEnds.push({ dispose: () => clearInterval(timer) });
  };
  const says = async (id: string, command: string): Promise<string> => {
    const { stdout } = await sessions.get(id).run(command, { deadlineMs: 10_000 });
    return stdout.toString().trim();
  };

  const waitFor = async (holds: () => Promise<boolean>, what: string): Promise<void> => {
    for (const end = Date.now() + 30_000; !(await holds()); await sleep(50)) assert.ok(Date.now() < end, what);
  };

  it('sees a pod being made and reaches it, proven by its own log behind thousands of lines', async () => {
    simulator.set({ chatterLines: 6_000, timings: { ...quickly, sshDelayMs: 600 } });
    const id = await create();
    const seen: ReadyProgress[] = [];
    await waitUntilReady({ ...parts(), timings: { pollMs: 60, pollCapMs: 60 } }, id, { onProgress: (p) => seen.push(p) });
    const phases = [...new Set(seen.map((p) => p.phase))];
    assert.deepEqual(phases.slice(-2), ['ssh', 'ready']);
    assert.ok(phases.includes('pulling'), phases.join(' '));
    assert.ok(seen.some((p) => p.percent !== undefined && p.percent > 0));
    assert.ok((seen.at(-1)?.spent ?? 0) > 0);
    const session = sessions.get(id);
    await session.link();
    assert.equal(session.trust?.verdict, 'proven');
    assert.equal(await says(id, 'cd /workspace && pwd'), simulator.machine(id).mountPath);
  });

  it('comes back at the new port after a stop and start, past a stranger at the old one, while a folder is open', async () => {
    const id = await create();
    await waitUntilReady({ ...parts(), timings: { pollMs: 60, pollCapMs: 60 } }, id);
    const session = sessions.get(id);
    openEnds.push(session.hold());
    await says(id, 'echo kept > /workspace/kept 2>/dev/null || true');
    const before = session.trust?.fingerprint;
    const port = simulator.port(id).port;
    poll(id);
    await client.pods.action(id, 'stop');
    await until(() => session.reason?.code === 'stopped', 'the stop is noticed');
    simulator.set({ oldPortAnswersForStranger: true, timings: { ...quickly, oldPortMs: 2_000, sshDelayMs: 500 } });
    const alarms: SessionState[] = [];
    session.onDidChange(({ state, reason }) => state === 'unavailable' && reason?.code === 'host-key' && alarms.push(state));
    await client.pods.action(id, 'start');
    await until(() => session.state === 'connected', 'it is back', 30_000);
    assert.notEqual(simulator.port(id).port, port);
    assert.equal(session.trust?.verdict, 'proven');
    assert.notEqual(session.trust?.fingerprint, before);
    assert.deepEqual(alarms, []);
    assert.equal(await says(id, 'hostname'), id);
  });

  it('proves the new key of a container that was started again in place without a word: by the uptime and the log', async () => {
    const id = await create();
    await waitUntilReady({ ...parts(), timings: { pollMs: 60, pollCapMs: 60 } }, id);
    const session = sessions.get(id);
    await session.link();
    const before = session.trust?.fingerprint;
    simulator.set({ silentRestarts: true });
    simulator.advance(600_000);
    const { startedAt } = await client.pods.get(id);
    await client.pods.action(id, 'restart');
    await until(() => session.state === 'idle', 'the link is cut');
    await waitFor(async () => ((await client.pods.get(id)).runtime?.uptimeSeconds ?? 600) < 600, 'the container is a new one');
    await until(() => simulator.pod(id).log.read({ kind: 'tail', lines: 50 }).some((line) => line.line.startsWith('Start script(s) finished')), 'it has spoken');
    // RunPod's log needs whole seconds to tell the new container from the old.
    await waitFor(() => session.link().then(() => true, () => false), 'it is reached');
    assert.equal(session.trust?.verdict, 'proven');
    assert.notEqual(session.trust?.fingerprint, before);
    assert.deepEqual((await client.pods.get(id)).startedAt, startedAt);
    simulator.set({ silentRestarts: false });
  });

  it('refuses a pod that has run for long and shows another key, and takes it again when the key is right', async () => {
    const id = await create();
    await waitUntilReady({ ...parts(), timings: { pollMs: 60, pollCapMs: 60 } }, id);
    const strict = new PodSessions({ ...parts(), timings: { ...timings, freshMs: 0 } });
    openEnds.push(strict);
    const session = strict.get(id);
    await session.link();
    await simulator.answerAsStranger(id);
    await until(() => session.state === 'idle', 'the link is cut');
    await assert.rejects(session.link(), code('host-key'));
    assert.notEqual(session.reason?.facts.fingerprint, session.trust?.fingerprint);
    simulator.answerAgain(id);
    await session.reconnect();
    assert.equal(session.trust?.verdict, 'proven');
  });

  it('reaches a pod whose image prints no fingerprints, and holds to its key', async () => {
    const id = await create({ image: 'runpod/base-nofingerprints:1' });
    await waitUntilReady({ ...parts(), timings: { pollMs: 60, pollCapMs: 60 } }, id);
    const session = sessions.get(id);
    await session.link();
    assert.equal(session.trust?.verdict, 'first-use');
    simulator.cut(id);
    await until(() => session.state === 'idle', 'the link is cut');
    await session.link();
    assert.equal(session.trust?.verdict, 'pinned');
  });

  it('proves the key though the log is cut in the middle of it', async () => {
    const id = await create();
    await waitUntilReady({ ...parts(), timings: { pollMs: 60, pollCapMs: 60 } }, id);
    simulator.set({ logCut: { afterEvents: 4, times: 2 } });
    const session = sessions.get(id);
    await session.link();
    assert.equal(session.trust?.verdict, 'proven');
  });

  it('survives twenty cuts', async () => {
    const id = await create();
    await waitUntilReady({ ...parts(), timings: { pollMs: 60, pollCapMs: 60 } }, id);
    const session = sessions.get(id);
    for (let cut = 1; cut <= 20; cut++) {
      assert.equal(await says(id, `echo ${cut}`), String(cut));
      const pending = session.run('sleep 20', { deadlineMs: 15_000 });
      await session.exec('true');
      simulator.cut(id);
      await assert.rejects(pending);
    }
  });

  it('says that an image has no sshd', async () => {
    const id = await create({ image: 'nosshd/tool:1' });
    const deps = { ...parts(), timings: { pollMs: 60, pollCapMs: 60, probeMs: 300, silentSshMs: 1_000 } };
    await assert.rejects(waitUntilReady(deps, id), code('no-ssh'));
    const strict = new PodSessions({ ...parts(), timings: { ...timings, freshMs: 0, attempts: 2 } });
    openEnds.push(strict);
    await assert.rejects(strict.get(id).link(), code('no-ssh'));
  });

  it('gives a terminal, and no files, where there is only the proxy', async () => {
    const id = await create({ ports: ['8888/http'] });
    await assert.rejects(waitUntilReady({ ...parts(), timings: { pollMs: 60, pollCapMs: 60 } }, id), code('proxy-only'));
    const session = sessions.get(id);
    await assert.rejects(session.sftp(), code('proxy-only'));
    const shell = await session.proxyShell({ cols: 80, rows: 24 });
    let said = '';
    shell.on('data', (chunk: Buffer) => (said += chunk.toString()));
    shell.write('echo on-$(hostname)\n');
    await until(() => said.includes(`on-${id}`), 'the shell answers');
    const over = new Promise((resolve) => shell.once('close', resolve));
    shell.end('exit\n');
    await over;
  });

  it('is found well by the doctor', async () => {
    const id = await create();
    await waitUntilReady({ ...parts(), timings: { pollMs: 60, pollCapMs: 60 } }, id);
    const deps = {
      ...parts(),
      checkApiKey: () => client.pods.list(),
      readAccount: () => client.account(),
      accountKeys: () => client.sshKeys.read(),
      ownKey: async () => ({ privateKeyPath: simulator.accountKey.path, publicKeyLine: simulator.accountKey.publicKey }),
    };
    const found: string[] = [];
    for await (const { id: step, outcome } of diagnose(deps, id)) found.push(`${step} ${outcome}`);
    assert.deepEqual(found, ['api-key', 'account', 'ssh-key', 'pod', 'address', 'port', 'banner', 'host-key', 'login', 'sftp', 'mount'].map((step) => `${step} ok`));
  });
});
