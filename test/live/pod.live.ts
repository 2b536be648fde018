import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../../src/base/log';
import { messageOf } from '../../src/base/errors';
import { sleep } from '../../src/base/time';
import { PodFiles } from '../../src/files/pod/podFiles';
import { createPod, withSshAccess } from '../../src/pods/create';
import { waitUntilReady } from '../../src/pods/ready';
import { PodSessions } from '../../src/pods/session';
import { RunPodClient } from '../../src/runpod/client';
import { RunPodError } from '../../src/runpod/errors';
import type { CpuType, Pod } from '../../src/runpod/types';
import { findIdentities } from '../../src/ssh/keys';
import { ensureOwnKey } from '../../src/ssh/ownKey';
import { pinFile } from '../../src/ssh/pinFile';
import { PinStore } from '../../src/ssh/pins';
import { KeyUnlocker } from '../../src/ssh/passphrases';

const namePrefix = 'runpod-workspaces-live';
/** vCPUs: the least that RunPod rents. */
const vcpuCount = 2;
const gigabytesOfDisk = 10;
const image = 'runpod/base:1.0.2-ubuntu2204';

describe('a CPU pod on RunPod', () => {
  const log: Logger = { trace() {}, debug() {}, info() {}, warn: (text) => console.log(`      warning: ${text}`), error: (text) => console.log(`      error: ${text}`) };
  const { RUNPOD_REST_URL: restUrl = 'https://api.runpod.io/v2', RUNPOD_GRAPHQL_URL: graphqlUrl } = process.env;
  const client = new RunPodClient({
    restUrl,
    ...(graphqlUrl === undefined ? {} : { graphqlUrl }),
    key: async () => process.env['RUNPOD_API_KEY'],
    userAgent: 'runpod-workspaces/live',
    log,
  });
  const folder = mkdtempSync(join(tmpdir(), 'runpod-live-'));
  const now = (): number => client.serverClock.now().getTime();
  const getPod = (id: string, signal: AbortSignal): Promise<Pod> => client.pods.get(id, { signal });
  const logs: (typeof client.pods)['logs'] = (id, query) => client.pods.logs(id, query);
  const sessions = new PodSessions({
    getPod,
    logs,
    // Our own key only: the keys of whoever runs this stay where they are.
    identities: () => findIdentities({ ownKeyDir: folder, homeDir: folder, env: {}, unlocker: new KeyUnlocker(async () => undefined), log }),
    pins: new PinStore(pinFile(join(folder, 'host-keys.json')), log),
    log,
    now,
  });
  let pod: Pod;
  let firstFingerprint = '';

  const ours = async (): Promise<Pod[]> => (await client.pods.list()).flatMap((row) => (row.kind === 'pod' && row.pod.name.startsWith(namePrefix) ? [row.pod] : []));

  /** Ends a pod and does not believe it before the API says so: what stays behind costs money. */
  async function terminate(id: string): Promise<void> {
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        await client.pods.terminate(id);
      } catch (error) {
        if (error instanceof RunPodError && error.code === 'not-found') return;
        console.log(`      ending pod ${id} failed, trying again: ${messageOf(error)}`);
      }
      if (!(await ours().catch(() => undefined))?.every((other) => other.id !== id)) await sleep(3000);
      else return;
    }
    throw new Error(`Pod ${id} could not be ended: it goes on billing. End it at https://console.runpod.io/pods`);
  }

  before('end what an interrupted run left', async () => {
    for (const left of await ours()) await terminate(left.id);
  });

  after('leave nothing behind', async () => {
    sessions.dispose();
    try {
      for (const left of await ours()) await terminate(left.id);
      assert.deepEqual((await ours()).map((left) => left.id), []);
    } finally {
      client.dispose();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  /** What nobody can know without the service: told, so that it can be held against what the code supposes. */
  const fact = (text: string): void => console.log(`      · ${text}`);
  const fingerprintsIn = async (query: { since?: Date; tail?: number }): Promise<string[]> => {
    const printed: string[] = [];
    const quiet = new AbortController();
    let timer = setTimeout(() => quiet.abort(), 10_000);
    for await (const { line, id, source } of client.pods.logs(pod.id, { ...query, signal: quiet.signal })) {
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), 2_000);
      if (printed.length === 0 && line.includes('SHA256:')) fact(`a log line is marked ${id} (${source})`);
      printed.push(...(/SHA256:[A-Za-z0-9+/]{43}/.exec(line) ?? []));
    }
    clearTimeout(timer);
    return printed;
  };

  it('answers every read of the extension in a form it can read', async () => {
    const rows = await client.pods.list();
    assert.deepEqual(rows.flatMap((row) => (row.kind === 'pod' ? (row.pod.problems ?? []).map((name) => `${row.pod.id}: ${name}`) : [row.row.problem])), []);
    for (const cloud of ['SECURE', 'COMMUNITY'] as const) {
      const gpus = await client.catalog.gpus({ availability: { cloud, count: 1, minCudaVersion: '12.8' } });
      fact(`${cloud}: ${gpus.length} GPU types for CUDA 12.8, ${gpus.filter((gpu) => gpu.availability !== undefined && gpu.availability !== 'NONE').length} in stock`);
      assert.ok(gpus.length > 0);
    }
    assert.ok((await client.catalog.dataCenters({ availability: true })).length > 0);
    assert.ok((await client.catalog.templates()).length > 0);
    await client.templates.list();
    await client.networkVolumes.list();
    const bills = await client.billing.pods({ bucketSize: 'hour', lastN: 24 });
    fact(`newest bill ends ${bills.map((bill) => bill.end.toISOString()).sort().at(-1) ?? 'never'}; now ${new Date(now()).toISOString()}`);
    const account = await client.account();
    fact(account === undefined ? `the balance cannot be read: ${client.accountProblem?.code} ${client.accountProblem?.status ?? ''}` : `balance ${account.balance === undefined ? 'unknown' : 'known'}, burn ${account.spendPerHour ?? 'unknown'}`);
    fact(`quota: ${client.rateLimit.map(({ name, quota, remaining }) => `${name} ${remaining} of ${quota ?? '?'}`).join(', ') || 'not told'}`);
  });

  it('is made on the cheapest flavor that is free', async () => {
    const { publicKeyLine } = await ensureOwnKey(folder);
    const flavors = (await client.catalog.cpus({ availability: { vcpuCount } })).filter((cpu) => cpu.availability !== 'NONE' && (cpu.vcpu.min ?? vcpuCount) <= vcpuCount);
    const price = (cpu: CpuType): number => cpu.pricePerVcpu ?? Infinity;
    const accountKeys = await client.sshKeys.read();
    for (const cpu of flavors.sort((a, b) => price(a) - price(b))) {
      const request = withSshAccess({ name: `${namePrefix}-${Date.now().toString(36)}`, image, cpu: { id: cpu.id, vcpuCount }, disk: gigabytesOfDisk }, { ownKey: publicKeyLine, accountKeys });
      try {
        pod = await createPod(client.pods, request);
        console.log(`      ${pod.id}: ${cpu.id}, $${pod.costPerHour ?? '?'}/hr`);
        return;
      } catch (error) {
        if (!(error instanceof RunPodError) || error.code !== 'no-capacity') throw error;
      }
    }
    assert.fail('No CPU flavor is free anywhere right now.');
  });

  it('answers on SSH', async () => {
    const began = now();
    let before = '';
    const telling: typeof getPod = async (id, signal) => {
      const seen = await getPod(id, signal);
      const state = `${seen.status}, address ${seen.ssh.direct ? 'told' : 'none'}, runtime ${seen.runtime?.uptimeSeconds === undefined ? 'none' : 'told'}, started ${seen.startedAt === undefined ? 'not' : 'told'}`;
      if (state !== before) fact(`after ${Math.round((now() - began) / 1000)} s: ${state}`);
      before = state;
      return seen;
    };
    pod = await waitUntilReady({ getPod: telling, logs, log, now }, pod.id);
    assert.equal(pod.status, 'RUNNING');
    assert.deepEqual(pod.problems ?? [], []);
  });

  it('has its fingerprints in the log since its start', async () => {
    assert.ok(pod.startedAt);
    const [since, all] = [await fingerprintsIn({ since: pod.startedAt }), await fingerprintsIn({ tail: 5000 })];
    fact(`${since.length} of ${all.length} fingerprints are in the log since startedAt`);
    assert.ok(all.length > 0);
  });

  it('proves its host key by its own log, and runs a command', async () => {
    const session = sessions.get(pod.id);
    const result = await session.run('echo "$RUNPOD_POD_ID"; uname -s');
    assert.equal(result.code, 0);
    assert.match(result.stdout.toString(), /Linux/);
    assert.equal(session.trust?.verdict, 'proven');
    firstFingerprint = session.trust.fingerprint;
  });

  it('has the tools that runs, files and the guard look for, and a key that reads its own pod', async () => {
    const session = sessions.get(pod.id);
    const told = (await session.run('for t in bash rsync tmux git python3 curl wget rg script setsid flock inotifywait; do command -v $t >/dev/null 2>&1 && printf "%s " $t; done; echo; sshd -T 2>/dev/null | grep -iE "^(maxsessions|maxstartups|allowtcpforwarding|subsystem|acceptenv)"; df -T / /workspace 2>/dev/null | tail -n +2; date -u +%s; locale 2>/dev/null | head -1')).stdout.toString();
    for (const line of told.trim().split('\n')) fact(line);
    const own = await session.run(`. /etc/rp_environment 2>/dev/null; curl -s -o /dev/null -w '%{http_code}' -A runpod-workspaces -H "Authorization: Bearer $RUNPOD_API_KEY" "${restUrl}/pods/$RUNPOD_POD_ID"`);
    fact(`the pod’s own key reads its pod: ${own.stdout.toString() || `no answer (${own.code})`}`);
  });

  it('keeps files whole', async () => {
    const files = new PodFiles(sessions.get(pod.id), { log });
    try {
      const path = `/root/${namePrefix}.bin`;
      const content = Buffer.alloc(3_000_000, 'RunPod ');
      await files.writeFile(path, content, { create: true, overwrite: true });
      assert.ok(Buffer.from(await files.readFile(path)).equals(content));
      assert.equal((await files.stat(path)).size, content.length);
      await files.delete(path, { recursive: false });
      assert.ok(!(await files.list('/root')).some((entry) => path.endsWith(`/${entry.name}`)));
    } finally {
      files.dispose();
    }
  });

  it('is reached again after a restart in place, with a host key that is proven', async () => {
    const before = await client.pods.get(pod.id);
    const at = now();
    await client.pods.action(pod.id, 'restart');
    const restarted = async (): Promise<boolean> => {
      const seen = await client.pods.get(pod.id);
      return seen.status === 'RUNNING' && (seen.startedAt?.getTime() !== before.startedAt?.getTime() || (seen.runtime?.uptimeSeconds ?? Infinity) < (now() - at) / 1000 + 5);
    };
    while (!(await restarted())) await sleep(2000);
    pod = await waitUntilReady({ getPod, logs, log, now }, pod.id);
    fact(`a restart ${pod.startedAt?.getTime() === before.startedAt?.getTime() ? 'leaves' : 'moves'} startedAt, and ${pod.ssh.direct?.port === before.ssh.direct?.port ? 'leaves' : 'moves'} the port`);
    const session = sessions.get(pod.id);
    session.podChanged(pod);
    for (const end = Date.now() + 180_000; ; await sleep(3000)) {
      try {
        await session.reconnect();
        break;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
    fact(`its host key is ${session.trust?.fingerprint === firstFingerprint ? 'the same' : 'another'}, ${session.trust?.verdict}`);
    assert.equal(session.trust?.verdict, 'proven');
  });

  it('is reached again after a stop and a start, with new host keys', async () => {
    await client.pods.action(pod.id, 'stop');
    while ((await client.pods.get(pod.id)).status !== 'EXITED') await sleep(3000);
    await client.pods.action(pod.id, 'start');
    pod = await waitUntilReady({ getPod, logs, log, now }, pod.id);
    const session = sessions.get(pod.id);
    session.podChanged(pod);
    assert.equal((await session.run('true')).code, 0);
    assert.equal(session.trust?.verdict, 'proven');
    assert.notEqual(session.trust.fingerprint, firstFingerprint);
  });

  it('is gone when it is terminated', async () => {
    await terminate(pod.id);
    await assert.rejects(client.pods.get(pod.id), (error: unknown) => error instanceof RunPodError && error.code === 'not-found');
  });
});
