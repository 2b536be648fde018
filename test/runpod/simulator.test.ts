import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { RunPodClient } from '../../src/runpod/client';
import type { CreatePodRequest, LogLine, Pod, PodRow } from '../../src/runpod/types';
import type { Simulator } from '../simulator/simulator';
import { startSimulator } from '../simulator/simulator';
import { clientFor, failure } from './scriptedServer';

const gpuPod = (name: string, more: Partial<CreatePodRequest> = {}): CreatePodRequest => ({
  name,
  image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
  gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
  disk: 20,
  mounts: { persistent: { size: 20, path: '/workspace' } },
  ports: ['22/tcp'],
  env: { PUBLIC_KEY: publicKey('pod') },
  startSsh: true,
  ...more,
});

/** A key line that the API takes, with a comment of its own. */
function publicKey(comment: string): string {
  const { publicKey: key } = generateKeyPairSync('ed25519', { publicKeyEncoding: { type: 'spki', format: 'der' }, privateKeyEncoding: { type: 'pkcs8', format: 'der' } });
  const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from('ssh-ed25519')), field(key.subarray(-32))]).toString('base64')} ${comment}`;
}

const podsIn = (rows: PodRow[]): Pod[] => rows.flatMap((row) => (row.kind === 'pod' ? [row.pod] : []));

for (const contract of ['2026-08', '2026-10'] as const) {
  describe(`runpod client against RunPod on one machine, contract of ${contract}`, () => {
    let simulator: Simulator;
    let client: RunPodClient;
    /** The row that is broken on purpose is noted as one, by the simulator's own check of its answers. */
    let violationsOnPurpose: readonly string[] = [];
    before(async () => {
      simulator = await startSimulator({ mode: 'none', speed: 20, settings: { contract } });
    });
    beforeEach(() => {
      client = clientFor(simulator.restUrl, { graphqlUrl: simulator.graphqlUrl, key: () => Promise.resolve(simulator.apiKey) });
    });
    afterEach(() => {
      client.dispose();
      simulator.clearFaults();
    });
    after(async () => {
      await simulator.close();
      assert.deepEqual(simulator.violations, violationsOnPurpose);
    });

    it('lists the fleet without a problem', async () => {
      const pods = podsIn(await client.pods.list());
      assert.ok(pods.length >= 3);
      for (const pod of pods) assert.equal(pod.problems, undefined, JSON.stringify(pod.problems));
      const running = pods.find((pod) => pod.name === 'llama-ft');
      assert.equal(running?.status, 'RUNNING');
      assert.ok((running.costPerHour ?? 0) > 0);
      assert.deepEqual(running.mount, { kind: 'persistent', sizeGb: 100, path: '/workspace' });
      assert.equal(pods.find((pod) => pod.name === 'old-exp')?.costPerHour, 0);
      assert.equal(pods.find((pod) => pod.name === 'prep-cpu')?.cpu?.id, 'cpu5c');
      assert.ok(client.rateLimit.some((window) => window.name === 'minute' && window.remaining > 0));
      // The simulated clock may run fast, the Date header tells wall time: they agree on this machine.
      assert.ok(client.serverClock.known);
    });

    it('creates a pod, follows it to RUNNING, changes, stops, starts, restarts and terminates it', async () => {
      const made = await client.pods.create(gpuPod('sdxl'));
      assert.equal(made.status, 'PROVISIONING');
      assert.equal(made.problems, undefined);
      await simulator.until(made.id, 'RUNNING');
      const running = await client.pods.get(made.id);
      assert.deepEqual(running.actions, ['stop', 'restart', 'terminate']);
      assert.equal(running.gpu?.id, 'NVIDIA GeForce RTX 4090');
      assert.ok(running.startedAt instanceof Date);
      assert.equal((await client.pods.update(made.id, { name: 'sdxl-2', locked: false })).name, 'sdxl-2');
      assert.ok((await client.pods.action(made.id, 'restart')) !== undefined);
      await simulator.until(made.id, 'RUNNING');
      await client.pods.action(made.id, 'stop');
      await simulator.until(made.id, 'EXITED');
      const stopped = await client.pods.get(made.id);
      assert.equal(stopped.costPerHour, 0);
      assert.equal(stopped.runtime, undefined);
      assert.equal((await failure(client.pods.action(made.id, 'stop'))).code, 'conflict');
      await client.pods.action(made.id, 'start');
      await simulator.until(made.id, 'RUNNING');
      await client.pods.terminate(made.id);
      assert.equal((await failure(client.pods.get(made.id))).code, 'not-found');
      assert.ok(!podsIn(await client.pods.list()).some((pod) => pod.id === made.id));
    });

    it('tells apart the refusals of a create', async () => {
      simulator.set({ shortages: [{ gpu: 'NVIDIA GeForce RTX 4090' }] });
      const count = podsIn(await client.pods.list()).length;
      assert.equal((await failure(client.pods.create(gpuPod('none-left')))).code, 'no-capacity');
      simulator.set({ shortages: [] });
      const unknownField = { ...gpuPod('odd'), bogus: 1 };
      const invalid = await failure(client.pods.create(unknownField));
      assert.equal(invalid.code, 'invalid');
      assert.match(invalid.errors?.join() ?? '', /bogus/);
      assert.equal((await failure(client.pods.create(gpuPod('both', { mounts: { persistent: { size: 20, path: '/a' }, network: [{ volumeId: 'agv6w2qcg7', path: '/b' }] } })))).code, 'rejected');
      assert.equal((await failure(client.pods.create({ name: 'no-template', templateId: 'nowhere', gpu: { id: 'NVIDIA L4', count: 1 } }))).code, 'not-found');
      const balance = (await client.account())?.balance ?? 0;
      simulator.set({ balance: 0.01 });
      assert.equal((await failure(client.pods.create(gpuPod('broke')))).code, 'payment-required');
      simulator.set({ balance });
      assert.equal(podsIn(await client.pods.list()).length, count);
    });

    if (contract === '2026-10') {
      it('speaks what came later: commands in exec form, placement floors, and a limit of the size', async () => {
        const made = await client.pods.create(gpuPod('exec-form', { cmd: ['bash', '-c', 'sleep 1'], entrypoint: ['/usr/bin/env'], gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1, minRamPerGpu: 8, minVcpuCountPerGpu: 4 } }));
        assert.deepEqual(made.cmd, ['bash', '-c', 'sleep 1']);
        assert.deepEqual(made.entrypoint, ['/usr/bin/env']);
        assert.ok((made.gpu?.vcpuCount ?? 0) > 0 && (made.gpu?.memoryGb ?? 0) > 0);
        await client.pods.terminate(made.id);
        assert.equal((await failure(client.pods.create(gpuPod('too-large', { env: { DATA: 'x'.repeat(110_000) } })))).code, 'too-large');
      });
    }

    it('makes one pod at most out of a create that fails after it was done', async () => {
      simulator.fault({ method: 'POST', path: '/v2/pods', when: 'after', effect: { kind: 'status', status: 502 } });
      const error = await failure(client.pods.create(gpuPod('made-all-the-same')));
      assert.equal(error.code, 'server');
      assert.equal(error.maybeDone, true);
      const made = podsIn(await client.pods.list()).filter((pod) => pod.name === 'made-all-the-same');
      assert.equal(made.length, 1);
      await client.pods.terminate(made[0]?.id ?? '');
    });

    for (const kind of ['hang', 'reset', 'html', 'truncated', 'cloudflare'] as const) {
      it(`meets ${kind} with a typed error on a write, and once more with an answer on a read where that helps`, async () => {
        simulator.fault({ method: 'POST', path: '/v2/pods', effect: { kind } });
        const hasty = clientFor(simulator.restUrl, { key: () => Promise.resolve(simulator.apiKey), ...(kind === 'hang' ? { timings: { createMs: 1_000, callMs: 1_000 } } : {}) });
        const codes = { hang: 'timeout', reset: 'network', html: 'server', truncated: 'not-json', cloudflare: 'edge-blocked' } as const;
        const error = await failure(hasty.pods.create(gpuPod(`fault-${kind}`)));
        assert.equal(error.code, codes[kind]);
        assert.equal(error.maybeDone, kind !== 'cloudflare');
        simulator.fault({ method: 'GET', path: '/v2/pods', effect: { kind } });
        if (kind === 'hang' || kind === 'cloudflare') assert.equal((await failure(hasty.pods.list())).code, codes[kind]);
        else assert.ok((await hasty.pods.list()).length >= 3);
        hasty.dispose();
      });
    }

    it('shows a row that cannot be read', async () => {
      const [first] = podsIn(await client.pods.list());
      simulator.set({ unreadableRows: [first?.id ?? ''] });
      const rows = await client.pods.list();
      simulator.set({ unreadableRows: [] });
      violationsOnPurpose = [...simulator.violations];
      assert.ok(violationsOnPurpose.every((violation) => violation.startsWith('GET /v2/pods 200: $.pods[0]')));
      const row = rows.find((one) => one.kind === 'unreadable');
      assert.equal(row?.kind === 'unreadable' && row.row.id, first?.id);
      assert.equal(rows.length, podsIn(await client.pods.list()).length);
    });

    it('reads all pages there are', async () => {
      const whole = podsIn(await client.pods.list()).map((pod) => pod.id);
      simulator.forgetRequests();
      simulator.set({ pageCap: 1 });
      const paged = podsIn(await client.pods.list()).map((pod) => pod.id);
      simulator.set({ pageCap: 0 });
      assert.deepEqual(paged, whole);
      if (contract === '2026-10') assert.ok(simulator.requests.length >= whole.length);
    });

    it('follows a log with its fingerprints over cuts, each line once', async () => {
      const pod = podsIn(await client.pods.list()).find((one) => one.name === 'llama-ft');
      const id = pod?.id ?? '';
      simulator.set({ logCut: { afterEvents: 4, times: 3 }, logIds: contract === '2026-08' ? 'counter' : 'time' });
      const numbers = Array.from({ length: 40 }, (_, n) => `step ${n}`);
      simulator.print(id, 'container', numbers.slice(0, 20));
      const lines: LogLine[] = [];
      for await (const line of client.pods.logs(id, { tail: 5000 })) {
        if (lines.push(line) === 10) simulator.print(id, 'container', numbers.slice(20));
        if (line.line === 'step 39') break;
      }
      simulator.set({ logCut: { afterEvents: 0, times: 0 } });
      assert.deepEqual(lines.filter((line) => line.line.startsWith('step ')).map((line) => line.line), numbers);
      assert.ok(lines.some((line) => /SHA256:/.test(line.line)));
      if (contract === '2026-08') assert.equal(new Set(lines.map((line) => line.id)).size, lines.length);
      const since = pod?.startedAt ?? new Date(0);
      for await (const line of client.pods.logs(id, { since, source: 'container' })) {
        assert.equal(line.source, 'container');
        if (line.line === 'step 0') break;
      }
      assert.equal((await failure((async () => { for await (const _ of client.pods.logs('nobody')); })())).code, 'not-found');
    });

    it('reads the catalog with and without stock', async () => {
      const plain = await client.catalog.gpus();
      assert.ok(plain.length > 3);
      assert.ok(plain.every((gpu) => gpu.availability === undefined && gpu.dataCenters === undefined));
      const stocked = await client.catalog.gpus({ availability: { cloud: 'SECURE', count: 1 } });
      const rtx = stocked.find((gpu) => gpu.id === 'NVIDIA GeForce RTX 4090');
      assert.ok((rtx?.price.secure ?? 0) > 0);
      assert.notEqual(rtx?.availability, undefined);
      assert.ok((rtx?.dataCenters?.length ?? 0) > 0);
      assert.ok(stocked.every((gpu) => gpu.id !== 'unknown'));
      const [cpu] = await client.catalog.cpus({ availability: { vcpuCount: 4 } });
      assert.ok((cpu?.pricePerVcpu ?? 0) > 0);
      const centers = await client.catalog.dataCenters({ availability: true });
      assert.ok(centers.some((center) => (center.gpuAvailability?.length ?? 0) > 0 && center.networkVolumeTypes.length > 0));
      const [template] = await client.catalog.templates('official');
      assert.ok(template !== undefined);
      assert.equal((await client.templates.get(template.id)).id, template.id);
      assert.ok(Array.isArray(await client.templates.list()));
    });

    it('adds an account key beside the others, once', async () => {
      const before = await client.sshKeys.read();
      const mine = publicKey('runpod-workspaces');
      assert.equal(await client.sshKeys.add(mine), true);
      assert.equal(await client.sshKeys.add(mine), false);
      assert.deepEqual(await client.sshKeys.read(), [...before, mine]);
    });

    it('makes, grows, renames and deletes a network volume', async () => {
      const volume = await client.networkVolumes.create({ name: 'data', size: 10, dataCenter: 'US-KS-2' });
      assert.equal((await client.networkVolumes.grow(volume.id, 20)).sizeGb, 20);
      assert.equal((await client.networkVolumes.rename(volume.id, 'more')).name, 'more');
      assert.equal((await failure(client.networkVolumes.grow(volume.id, 12))).code, 'rejected');
      assert.ok((await client.networkVolumes.list()).some((one) => one.id === volume.id));
      await client.networkVolumes.delete(volume.id);
      assert.equal((await failure(client.networkVolumes.get(volume.id))).code, 'not-found');
    });

    it('reads bills and the balance', async () => {
      const records = await client.billing.pods({ bucketSize: 'day', lastN: 30 });
      assert.ok(records.length > 0);
      assert.ok(records.every((record) => record.total !== undefined && record.end > record.start));
      const account = await client.account();
      assert.ok((account?.balance ?? 0) > 0);
      assert.ok((account?.spendPerHour ?? 0) > 0);
      for (const [graphql, code] of [['gone', 'gone'], ['forbidden', 'forbidden'], ['errors', undefined]] as const) {
        const other = clientFor(simulator.restUrl, { graphqlUrl: simulator.graphqlUrl, key: () => Promise.resolve(simulator.apiKey) });
        simulator.set({ graphql });
        assert.equal(await other.account(), undefined, graphql);
        assert.notEqual(other.accountProblem, undefined);
        if (code !== undefined) assert.equal(other.accountProblem?.code, code);
        other.dispose();
      }
      simulator.set({ graphql: 'on' });
    });

    it('is told when the key is wrong or may only read', async () => {
      const wrong = clientFor(simulator.restUrl, { key: () => Promise.resolve('rpa_WRONG') });
      assert.equal((await failure(wrong.pods.list())).code, 'unauthorized');
      const reader = simulator.newKey('read');
      const reading = clientFor(simulator.restUrl, { key: () => Promise.resolve(reader) });
      assert.ok((await reading.pods.list()).length >= 3);
      assert.equal((await failure(reading.pods.create(gpuPod('forbidden')))).code, 'forbidden');
      wrong.dispose();
      reading.dispose();
    });

    it('keeps to a small quota without ever being refused', async () => {
      simulator.set({ quotas: { minute: 5 } });
      simulator.forgetRequests();
      for (let n = 0; n < 5; n++) await client.pods.list();
      assert.equal((await failure(client.pods.list({ background: true }))).code, 'rate-limited');
      assert.equal(simulator.requests.length, 5);
      simulator.set({ quotas: { minute: 600 } });
    });
  });
}
