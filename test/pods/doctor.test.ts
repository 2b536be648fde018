import * as assert from 'node:assert/strict';
import { chmod, mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import { isCancelled } from '../../src/base/errors';
import { silentLog } from '../../src/base/log';
import { diagnose, type DoctorDeps, type DoctorStep, type DoctorStepId } from '../../src/pods/doctor';
import { PinStore } from '../../src/ssh/pins';
import { openRelay } from '../simulator/link';
import { apiError, deadPort, quickTimings, Rig } from './sessionRig';

const podId = 'llamaft01';

describe('the doctor', () => {
  let rig: Rig;
  let deps: DoctorDeps;
  beforeEach(async () => {
    rig = new Rig();
    await rig.begin();
    const pins = new PinStore({ read: async () => rig.pinned, write: async (text) => void (rig.pinned = text), exclusive: (work) => work() });
    deps = {
      getPod: async () => {
        if (rig.apiFails) throw rig.apiFails;
        return rig.pod;
      },
      logs: rig.log.read,
      identities: async () => [rig.identityOf],
      pins,
      log: silentLog,
      checkApiKey: async () => undefined,
      readAccount: async () => ({ balance: 18.42, spendPerHour: 0.44 }),
      accountKeys: async () => [rig.key.publicKey],
      ownKey: async () => ({ privateKeyPath: rig.key.path, publicKeyLine: rig.key.publicKey }),
      timings: quickTimings,
    };
  });
  afterEach(() => rig.end());

  const all = async (changes: Partial<DoctorDeps> = {}, id: string | undefined = podId): Promise<Record<string, DoctorStep>> => {
    const steps: Record<string, DoctorStep> = {};
    for await (const step of diagnose({ ...deps, ...changes }, id)) steps[step.id] = step;
    return steps;
  };
  /** Asserts where it stops, and that the rest is not reached. */
  const stops = (steps: Record<string, DoctorStep>, at: DoctorStepId, code: string, hint: string): void => {
    assert.deepEqual({ at, outcome: steps[at]?.outcome, code: steps[at]?.code, hint: steps[at]?.hint }, { at, outcome: 'failed', code, hint });
    const after = Object.keys(steps).slice(Object.keys(steps).indexOf(at) + 1);
    for (const id of after) assert.deepEqual([id, steps[id]?.outcome, steps[id]?.params['after']], [id, 'not-reached', at]);
  };
  const podAt = async (fields: { authorizedKeys?: string[]; sftp?: string } = {}): Promise<string> => {
    const sshd = await rig.sshd(fields);
    rig.runsAt(sshd, { printed: sshd.hostKeyFingerprint });
    const mount = path.join(sshd.dir, 'workspace');
    await mkdir(mount);
    rig.pod = { ...rig.pod, mount: { kind: 'persistent', sizeGb: 20, path: mount } };
    return sshd.hostKeyFingerprint;
  };

  it('goes through every step in order and finds a healthy pod well', async () => {
    const fingerprint = await podAt();
    const steps = await all();
    assert.deepEqual(
      Object.values(steps).map(({ id, outcome, code }) => `${id} ${outcome} ${code}`),
      [
        'api-key ok accepted',
        'account ok balance',
        'ssh-key ok own-key-in-pod',
        'pod ok running',
        'address ok direct',
        'port ok open',
        'banner ok greeted',
        'host-key ok proven',
        'login ok logged-in',
        'sftp ok sftp',
        'mount ok writable',
      ],
    );
    assert.equal(steps['host-key']?.params['fingerprint'], fingerprint);
    assert.ok(Number(steps['mount']?.params['freeKb']) > 0);
  });

  it('looks at key, account and SSH key alone when no pod is meant', async () => {
    const steps: DoctorStep[] = [];
    for await (const step of diagnose(deps)) steps.push(step);
    assert.deepEqual(steps.map(({ id, code }) => `${id} ${code}`), ['api-key accepted', 'account balance', 'ssh-key own-key-in-account']);
  });

  it('stops at a refused API key, and says what to do about it', async () => {
    stops(await all({ checkApiKey: () => Promise.reject(apiError('unauthorized')) }), 'api-key', 'unauthorized', 'set-key');
    stops(await all({ checkApiKey: () => Promise.reject(apiError('network')) }), 'api-key', 'network', 'check-network');
  });

  it('warns of a balance that is low, gone or not to be read, and goes on', async () => {
    await podAt();
    const account = async (readAccount: DoctorDeps['readAccount']): Promise<string> => {
      const steps = await all({ readAccount });
      assert.equal(steps['mount']?.outcome, 'ok');
      return `${steps['account']?.outcome} ${steps['account']?.code}`;
    };
    assert.equal(await account(async () => ({ balance: 0.2, spendPerHour: 0.44 })), 'warning balance-low');
    assert.equal(await account(async () => ({ balance: 0 })), 'failed balance-gone');
    assert.equal(await account(async () => undefined), 'warning balance-unknown');
    assert.equal(await account(() => Promise.reject(apiError('forbidden'))), 'warning balance-unknown');
  });

  it('says when our key is open to others, not in the pod, or cannot be used', async () => {
    await podAt();
    await chmod(rig.key.path, 0o644);
    if (process.platform !== 'win32') assert.deepEqual((await all())['ssh-key']?.hint, 'protect-ssh-key');
    await chmod(rig.key.path, 0o600);
    rig.pod = { ...rig.pod, env: {} };
    assert.equal((await all())['ssh-key']?.code, 'pod-without-keys');
    rig.pod = { ...rig.pod, env: { PUBLIC_KEY: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA other' } };
    const steps = await all();
    assert.equal(steps['ssh-key']?.code, 'no-key-in-pod');
    assert.equal(steps['login']?.outcome, 'ok', 'the server knows better');
    const broken = await all({ ownKey: () => Promise.reject(new Error('torn')) });
    assert.deepEqual([broken['ssh-key']?.outcome, broken['ssh-key']?.hint, broken['login']?.outcome], ['failed', 'make-ssh-key', 'ok']);
  });

  it('stops at a pod that does not run or is not there', async () => {
    rig.pod = { ...rig.pod, status: 'EXITED', ssh: {} };
    stops(await all(), 'pod', 'exited', 'start-pod');
    rig.pod = { ...rig.pod, status: 'STARTING' };
    stops(await all(), 'pod', 'starting', 'wait');
    rig.apiFails = apiError('not-found');
    stops(await all(), 'pod', 'not-found', 'refresh');
  });

  it('stops at a missing address, and knows the proxy', async () => {
    const proxy = { host: 'ssh.runpod.io', port: 22, username: 'llamaft01-64411eb2' };
    rig.pod = { ...rig.pod, ports: ['8888/http'], ssh: { proxy } };
    stops(await all(), 'address', 'ssh-port-not-exposed', 'use-proxy-terminal');
    rig.pod = { ...rig.pod, ports: ['8888/http'], ssh: {} };
    stops(await all(), 'address', 'ssh-port-not-exposed', 'expose-ssh-port');
    rig.pod = { ...rig.pod, ports: ['22/tcp'], ssh: { proxy }, cloud: 'COMMUNITY' };
    stops(await all(), 'address', 'no-address-yet', 'wait');
    rig.pod = { ...rig.pod, runtime: { uptimeSeconds: 599, gpus: [], ports: [] } };
    stops(await all(), 'address', 'no-public-address', 'use-proxy-terminal');
  });

  it('tells a closed port from one where nobody greets, and a pod that has just started from both', async () => {
    rig.runsAt(await deadPort());
    stops(await all(), 'port', 'refused', 'use-ssh-image');
    rig.runsAt(await deadPort(), { startedAgoMs: 1_000 });
    stops(await all(), 'port', 'refused', 'wait');
    const silent = await openRelay(await deadPort(), { fault: 'blackhole' });
    rig.onEnd(() => silent.close());
    rig.runsAt(silent);
    stops(await all(), 'banner', 'silent', 'use-ssh-image');
  });

  it('stops at another host key than the log tells, with both fingerprints', async () => {
    const right = await podAt();
    const wrong = await rig.sshd();
    rig.pod = { ...rig.pod, ssh: { direct: { host: wrong.host, port: wrong.port, username: wrong.username } } };
    const steps = await all();
    stops(steps, 'host-key', 'mismatch', 'compare-host-keys');
    assert.deepEqual([steps['host-key']?.params['fingerprint'], steps['host-key']?.params['expected']], [wrong.hostKeyFingerprint, [right]]);
    assert.doesNotMatch(wrong.log, /userauth|Accepted/i);
  });

  it('stops at a login with no key that the pod takes, and names those that were tried', async () => {
    await podAt({ authorizedKeys: [] });
    const steps = await all();
    stops(steps, 'login', 'auth-failed', 'create-pod-with-key');
    assert.deepEqual(steps['login']?.params['offered'], [rig.identityOf.label]);
  });

  it('says that SFTP is missing, and looks at the mount all the same', async () => {
    await podAt({ sftp: 'none' });
    const steps = await all();
    assert.deepEqual([steps['sftp']?.outcome, steps['sftp']?.code, steps['sftp']?.hint], ['failed', 'no-sftp', 'install-sftp']);
    assert.equal(steps['mount']?.outcome, 'ok');
  });

  it('says when the mount is missing, is no folder, or there is none', async () => {
    await podAt();
    const { pod } = rig;
    const at = (place: string): void => {
      rig.pod = { ...pod, mount: { kind: 'persistent', sizeGb: 20, path: place } };
    };
    at('/no/such place');
    assert.deepEqual([(await all())['mount']?.code, (await all())['mount']?.hint], ['missing', 'restart-pod']);
    at('/etc/passwd');
    assert.equal((await all())['mount']?.code, 'no-access');
    at('/proc');
    assert.equal((await all())['mount']?.outcome, 'failed');
    const { mount: _, ...without } = pod;
    rig.pod = without;
    assert.deepEqual([(await all())['mount']?.outcome, (await all())['mount']?.code], ['warning', 'no-mount']);
  });

  it('ends when nobody wants to know any more', async () => {
    const stop = new AbortController();
    const visit = diagnose({ ...deps, checkApiKey: () => new Promise(() => {}) }, podId, stop.signal);
    const first = visit.next();
    stop.abort();
    await assert.rejects(first, isCancelled);
  });
});
