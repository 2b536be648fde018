import * as assert from 'node:assert/strict';
import { withSshAccess } from '../../../src/pods/create';
import { guardInArgs, withGuard } from '../../../src/pods/guard/args';
import { armGuard, isCurrent, noteUse, readGuard, type GuardHost } from '../../../src/pods/guard/onPod';
import { standingOf } from '../../../src/pods/guard/standing';
import { hasLimit, wishOf, type GuardWish } from '../../../src/pods/guard/wish';
import type { GuardReport } from '../../../src/pods/guard/word';
import { PodSessions } from '../../../src/pods/session';
import { waitUntilReady } from '../../../src/pods/ready';
import { RunPodClient } from '../../../src/runpod/client';
import type { CreatePodRequest, Pod } from '../../../src/runpod/types';
import { silentLog } from '../../../src/base/log';
import { sleep } from '../../../src/base/time';
import { PinStore } from '../../../src/ssh/pins';
import { keyFileIdentity } from '../../../src/ssh/keyFile';
import { loadSsh2 } from '../../../src/ssh/loadSsh2';
import { startSimulator, type Simulator } from '../../simulator/simulator';

const quickly = { provisioningMs: 100, pullMs: 200, startMs: 100, directDelayMs: 50, oldPortMs: 50, sshDelayMs: 100 };
const BASE = 'runpod/base:1.0.2-ubuntu2204';

describe('guards on simulated pods', function () {
  this.timeout(300_000);
  let simulator: Simulator;
  let client: RunPodClient;
  let sessions: PodSessions;

  before(async function () {
    simulator = await startSimulator({ empty: true, settings: { timings: quickly } });
    // Pods without namespaces have no environment and no start command of their own.
    if (simulator.mode !== 'full') return this.skip();
    client = new RunPodClient({ restUrl: simulator.restUrl, graphqlUrl: simulator.graphqlUrl, key: async () => simulator.apiKey, userAgent: 'runpod-workspaces-tests/1.0', log: silentLog });
    const identity = await keyFileIdentity(simulator.accountKey.path, 'own', { ssh2: await loadSsh2() });
    let pinned: string | undefined;
    sessions = new PodSessions({
      ...deps(),
      identities: async () => [identity],
      pins: new PinStore({ read: async () => pinned, write: async (text) => void (pinned = text), exclusive: (work) => work() }),
      timings: { settleMs: 500, retryMs: 100, retryCapMs: 500, comeBackMs: 100, coolDownMs: 100 },
    });
  });
  after(async () => {
    sessions?.dispose();
    client?.dispose();
    await simulator.close();
  });
  afterEach(async () => {
    simulator.set({ podKeyMayStop: true, graphql: 'on' });
    simulator.clearFaults();
    await Promise.all([...simulator.world.pods.values()].map((pod) => client.pods.terminate(pod.id).catch(() => undefined)));
  });

  const deps = () => ({
    getPod: (id: string, signal: AbortSignal) => client.pods.get(id, { signal }),
    logs: client.pods.logs.bind(client.pods),
    log: silentLog,
    now: () => client.serverClock.now().getTime(),
  });
  const urls = () => ({ rest: simulator.restUrl, graphql: simulator.graphqlUrl });
  const host = (id: string): GuardHost => sessions.get(id);
  const create = async (fields: Partial<CreatePodRequest>, wish?: GuardWish): Promise<Pod> => {
    const volume = (await client.networkVolumes.list())[0] ?? (await client.networkVolumes.create({ name: 'datasets', size: 20, dataCenter: 'EU-RO-1' }));
    const plain: CreatePodRequest = { name: 'llama-ft', image: BASE, cpu: { id: 'cpu5c', vcpuCount: 2 }, disk: 5, mounts: { network: [{ volumeId: volume.id, path: '/workspace' }] }, ports: ['22/tcp'], ...fields };
    const request = wish ? withGuard(plain, wish, urls()).request : plain;
    const { id } = await client.pods.create(withSshAccess(request, { ownKey: simulator.accountKey.publicKey, accountKeys: [] }));
    return waitUntilReady({ ...deps(), timings: { pollMs: 60, pollCapMs: 60 } }, id);
  };
  const heard = async (pod: Pod, what: string, done: (report: GuardReport) => boolean): Promise<GuardReport> => {
    for (const end = Date.now() + 30_000; ; await sleep(200)) {
      const report = await readGuard(host(pod.id), { id: pod.id, mountPath: pod.mount?.path });
      if (done(report)) return report;
      if (Date.now() > end) throw new Error(`Waited for ${what}: ${JSON.stringify(report)}`);
    }
  };
  const stopped = async (pod: Pod): Promise<number> => {
    const end = await simulator.until(pod.id, 'EXITED', 30_000);
    return (simulator.clock.now() - (end.startedAt ?? 0)) / 1000;
  };

  it('start with the container where its image is known to obey, beside the image’s own start script', async () => {
    const pod = await create({}, { limitMinutes: 60, idleMinutes: 30, budgetUsd: 2, atLimit: 'stop' });
    assert.match(guardInArgs(pod) ?? '', /^by=args fresh=1 limit=3600 idle=1800 budget=20000 at=stop mount=\/workspace api=/);
    assert.ok(pod.args.length < 14_000, `${pod.args.length} bytes`);
    assert.deepEqual(wishOf(pod), { limitMinutes: 60, idleMinutes: 30, budgetUsd: 2, atLimit: 'stop' });
    assert.equal(standingOf(pod, undefined)?.kind, 'expected');
    const report = await heard(pod, 'the guard to be armed', (r) => r.word?.armed === 'yes' && r.word.wish !== undefined);
    assert.equal(report.word?.by, 'args');
    assert.ok(isCurrent(report) && hasLimit(report.planned));
    const standing = standingOf(pod, { startedAt: pod.startedAt?.getTime(), report });
    assert.ok(standing?.kind === 'armed' && !standing.untilRestart && standing.idleMinutes === 30);
    assert.ok(Math.abs((standing.endsAt ?? 0) - (pod.startedAt?.getTime() ?? 0) - 3_600_000) < 2000);
    // The editor's look at it starts no second one.
    await armGuard(host(pod.id), { id: pod.id, mountPath: '/workspace' }, urls(), { fresh: true, wish: { limitMinutes: 1, atLimit: 'stop' } });
    const { stdout } = await host(pod.id).run(`for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done | grep -c '[g]uard.sh run pod=' || true`);
    assert.equal(Number(stdout.toString()), 1);
  });

  it('are kept out of images that may swallow them, and of requests with a command of their own', () => {
    const wish: GuardWish = { limitMinutes: 60, atLimit: 'stop' };
    const inArgs = (request: Partial<CreatePodRequest>): boolean => withGuard({ name: 'x', ...request }, wish, urls()).inArgs;
    assert.ok(inArgs({ image: BASE }) && inArgs({ image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404' }));
    assert.ok(!inArgs({ image: 'nginx:1' }) && !inArgs({ image: 'runpod/stable-diffusion:1' }) && !inArgs({ image: BASE, args: 'sleep 1' }) && !inArgs({ image: BASE, cmd: ['a'] }) && !inArgs({ templateId: 'unseen' }));
    assert.ok(!inArgs({ image: BASE, mounts: { persistent: { size: 10, path: "/it's" } } }));
  });

  for (const image of ['runpod/base-entrypoint:1', 'alpine-busybox:1', BASE])
    it(`are armed over SSH on ${image}, stop the pod in time, and know a new start`, async () => {
      simulator.set({ imageKinds: { 'alpine-busybox': 'busybox' } });
      const pod = await create({ image });
      const place = { id: pod.id, mountPath: '/workspace' };
      assert.deepEqual(await readGuard(host(pod.id), place), {});
      const report = await armGuard(host(pod.id), place, urls(), { wish: { limitMinutes: 60, atLimit: 'stop' } });
      if (image.includes('busybox')) {
        // Nothing there can ask the API.
        assert.deepEqual([report.word?.armed, report.word?.why], ['no', 'no-tool']);
        const standing = standingOf(pod, { startedAt: pod.startedAt?.getTime(), report });
        assert.deepEqual(standing, { kind: 'unarmed', why: 'no-tool' });
        return;
      }
      assert.equal(report.word?.armed, 'yes');
      await noteUse(host(pod.id), pod.id);
      const more = await armGuard(host(pod.id), place, urls(), { extendSeconds: -3590 });
      assert.ok((more.word?.deadline ?? Infinity) - client.serverClock.now().getTime() <= 10_000);
      const after = await stopped(pod);
      assert.ok(after >= 9, `after ${after} s`);
      await client.pods.action(pod.id, 'start');
      const again = await waitUntilReady({ ...deps(), timings: { pollMs: 60, pollCapMs: 60 } }, pod.id);
      // Nobody has armed it since; what was planned lies on the mount.
      const found = await readGuard(host(pod.id), place);
      assert.equal(found.word, undefined);
      assert.deepEqual(found.planned, { limitMinutes: 60, atLimit: 'stop' });
      const next = await armGuard(host(pod.id), place, urls(), { fresh: true, wish: { limitMinutes: 1, atLimit: 'stop' } });
      assert.ok(Math.abs((next.word?.deadline ?? 0) - (again.startedAt?.getTime() ?? 0) - 3_600_000) < 2000);
    });

  it('come back with the same deadline when the container is restarted by the platform', async () => {
    const pod = await create({}, { limitMinutes: 60, atLimit: 'stop' });
    const before = await heard(pod, 'the guard', (r) => r.word?.armed === 'yes');
    // The start script ends with what it waits for, and the platform starts it again.
    simulator.machine(pod.id).exec(['sh', '-c', 'kill -9 -1']);
    for (let i = 0; i < 100 && simulator.machine(pod.id).restarts === 0; i++) await sleep(100);
    const after = await heard(pod, 'the guard again', (r) => r.word?.alive === true && r.word.armed === 'yes');
    assert.equal(after.word?.deadline, before.word?.deadline);
  });

  it('find another way where the pod’s key may not stop it, but never an end nobody agreed to', async () => {
    simulator.set({ podKeyMayStop: false });
    const pod = await create({}, { limitMinutes: 0.2, atLimit: 'stop' });
    await heard(pod, 'the refusal', (r) => r.word?.state === 'refused');
    assert.equal(simulator.pod(pod.id).status, 'RUNNING');
    const place = { id: pod.id, mountPath: '/workspace' };
    const report = await readGuard(host(pod.id), place);
    const standing = standingOf(pod, { startedAt: pod.startedAt?.getTime(), report });
    assert.ok(standing?.kind === 'armed' && standing.state === 'refused');
    // Its answer may end with the pod.
    await armGuard(host(pod.id), place, urls(), { wish: { atLimit: 'terminate' } }).catch(() => undefined);
    for (let i = 0; i < 600 && simulator.world.pods.has(pod.id); i++) await sleep(100);
    assert.ok(!simulator.world.pods.has(pod.id));
  });
});
