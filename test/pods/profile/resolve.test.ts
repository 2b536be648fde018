import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Catalog } from '../../../src/pods/candidates';
import { connectionFileOf, readConnectionFile } from '../../../src/pods/profile/connectionFile';
import { costOf } from '../../../src/pods/profile/cost';
import { profileFromDevcontainer, withDefaults } from '../../../src/pods/profile/devcontainer';
import { environmentOf, environmentShown, leavingOf, MissingValuesError } from '../../../src/pods/profile/environment';
import { disksOf, requestFor, resolveProfile, type Account } from '../../../src/pods/profile/resolve';
import type { Profile } from '../../../src/pods/profile/schema';
import type { GpuType } from '../../../src/runpod/types';
import { aPod } from '../fixtures';

const l4: GpuType = { id: 'NVIDIA L4', name: 'L4', memoryGb: 24, secure: true, community: false, price: { secure: 0.43 }, maxCount: { secure: 8 }, availability: 'HIGH', dataCenters: [{ id: 'US-KS-2', name: 'Kansas', availability: 'HIGH' }] };
const catalog: Catalog = { secure: [l4], community: [l4], cpus: [{ id: 'cpu3c', name: 'Compute-Optimized', vcpu: { min: 2, max: 32 }, ramGbPerVcpu: 2, pricePerVcpu: 0.03, availability: 'HIGH', dataCenters: [] }] };
const account: Account = {
  catalog,
  dataCenterIds: ['US-KS-2', 'EU-RO-1'],
  volumes: [{ id: 'v1', name: 'data-1', sizeGb: 200, dataCenterId: 'US-KS-2' }, { id: 'v2', name: 'twin', sizeGb: 10, dataCenterId: 'EU-RO-1' }, { id: 'v3', name: 'twin', sizeGb: 10, dataCenterId: 'EU-RO-1' }],
};
const resolve = (profile: Profile, key?: string): ReturnType<typeof resolveProfile> => resolveProfile({ key, profile }, account, 'sdxl');
const told = (profile: Profile): string[] => resolve(profile).problems.map((p) => `${p.path.join('.')} ${p.code}: ${p.permitted?.join(', ') ?? ''}`);

describe('a profile against the catalog', () => {
  it('is a create request with everything it asks for', () => {
    const profile: Profile = { gpu: 'L4', gpuCount: 2, minCudaVersion: '12.8', minRamPerGpu: 32, minVcpuPerGpu: 8, disk: 40, volume: 100, ports: ['8888/http'], args: 'bash', registry: 'r', startJupyter: true };
    const found = resolve(profile, 'train');
    assert.deepEqual(requestFor(found, found.candidates[0] ?? assert.fail(), profile, { A: '1' }), {
      name: 'train',
      image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
      disk: 40,
      mounts: { persistent: { size: 100, path: '/workspace' } },
      ports: ['8888/http'],
      args: 'bash',
      registry: 'r',
      startJupyter: true,
      cloud: 'SECURE',
      gpu: { id: 'NVIDIA L4', count: 2, minCudaVersion: '12.8', minRamPerGpu: 32, minVcpuCountPerGpu: 8 },
      env: { A: '1' },
    });
  });

  it('finds a network volume by id or name, and goes where it lies', () => {
    const found = resolve({ gpu: 'L4', networkVolume: 'data-1', mountPath: '/data' });
    assert.deepEqual(found.base.mounts, { network: [{ volumeId: 'v1', path: '/data' }] });
    assert.deepEqual(found.base.dataCenterIds, ['US-KS-2']);
    assert.equal(found.candidates[0]?.stock, 'HIGH');
    assert.deepEqual(told({ gpu: 'L4', networkVolume: 'v2' }), []);
    assert.deepEqual(told({ gpu: 'L4', networkVolume: 'twin' }), ['networkVolume unknown-volume: v2, v3']);
    assert.deepEqual(told({ gpu: 'L4', networkVolume: 'none' }), ['networkVolume unknown-volume: data-1, twin, twin']);
    assert.deepEqual(told({ gpu: 'L4', networkVolume: 'v1', dataCenterIds: ['EU-RO-1'] }), ['dataCenterIds volume-elsewhere: US-KS-2']);
  });

  it('says what nothing is called', () => {
    assert.deepEqual(told({ gpu: ['L4', 'RTX 9999'] }), ['gpu.1 unknown-gpu: L4']);
    assert.deepEqual(told({ cpu: 'cpu9z-2' }), ['cpu unknown-cpu: cpu3c']);
    assert.deepEqual(told({ cpu: 'cpu3c-2-8' }), ['cpu cpu-memory: cpu3c-2-4']);
    assert.deepEqual(told({ gpu: 'L4', dataCenterIds: ['US-XX-9'] }), ['dataCenterIds unknown-data-center: US-KS-2, EU-RO-1']);
  });

  it('asks for nothing above its cap', () => {
    const found = resolve({ gpu: 'L4', gpuCount: 4, maxPricePerHour: 1.5 });
    assert.deepEqual(found.candidates, []);
    assert.equal(found.refused[0]?.reason, 'over-cap');
  });

  it('costs what its parts cost', () => {
    const found = resolve({ gpu: 'L4', volume: 100, disk: 50 });
    const cost = costOf(0.43, disksOf(found, false), 240);
    assert.equal(cost.storageRunningPerHour.toFixed(5), (15 / 730).toFixed(5));
    assert.equal(cost.storageStoppedPerHour.toFixed(5), (20 / 730).toFixed(5));
    assert.equal(cost.perWorkingMonth?.toFixed(2), ((0.43 + 15 / 730) * 176 + (20 / 730) * 554).toFixed(2));
    assert.equal(cost.atLimit?.toFixed(2), ((0.43 + 15 / 730) * 4).toFixed(2));
    assert.equal(costOf(undefined, disksOf(found, false), 240).atLimit, undefined);
    assert.equal(costOf(1, disksOf(resolve({ gpu: 'L4', networkVolume: 'v1' }), false)).networkPerMonth.toFixed(6), '14.000000');
  });
});

describe('what leaves this machine', () => {
  const profile: Profile = {
    env: { HF_HOME: '/x', WHO: 'me-${env:USER}', REGION: '${env:REGION:eu}' },
    secrets: { HF_TOKEN: { from: 'environment' }, WANDB: { from: 'secretStorage', name: 'wandb', required: false }, S3: { from: 'runpod', name: 's3' } },
  };
  const local = (values: Record<string, string>) => ({ environment: (n: string) => values[n], secretStorage: async (n: string) => values[n] });

  it('is told by name', () => {
    assert.deepEqual(leavingOf(profile).map((l) => `${l.from} ${l.name} → ${l.to}${l.required ? '' : ' (optional)'}`), ['environment HF_TOKEN → HF_TOKEN', 'environment REGION → REGION (optional)', 'environment USER → WHO', 'secretStorage wandb → WANDB (optional)']);
  });

  it('is filled in, and what is missing is named', async () => {
    assert.deepEqual(await environmentOf(profile, local({ USER: 'u', HF_TOKEN: 't' })), { HF_HOME: '/x', WHO: 'me-u', REGION: 'eu', HF_TOKEN: 't', S3: '{{ RUNPOD_SECRET_s3 }}' });
    await assert.rejects(environmentOf(profile, local({ USER: 'u' })), (e) => e instanceof MissingValuesError && e.missing.map((m) => m.name).join() === 'HF_TOKEN');
  });

  it('never stands in a plan', () => {
    assert.deepEqual(environmentShown(profile), { HF_HOME: '/x', WHO: 'me-${env:USER}', REGION: '${env:REGION:eu}', HF_TOKEN: '${env:HF_TOKEN}', WANDB: '${secret:wandb}', S3: '{{ RUNPOD_SECRET_s3 }}' });
  });
});

describe('files of other tools', () => {
  it('devcontainer.json gives defaults', () => {
    const defaults = profileFromDevcontainer('{ // x\n "image": "img:1", "containerEnv": { "A": "1", "T": "${localEnv:TOKEN}", "R": "${localEnv:R:eu}" }, "forwardPorts": [3000, "localhost:6006", "db:5432"], "postCreateCommand": ["pip", "install", "-e", ".[dev]"], }');
    assert.deepEqual(defaults, { image: 'img:1', env: { A: '1', T: '${env:TOKEN}', R: '${env:R:eu}' }, ports: ['3000/http', '6006/http'], setup: "pip install -e '.[dev]'" });
    assert.deepEqual(withDefaults({ gpu: 'L4', env: { A: '2' }, ports: ['8888/http'] }, defaults), { image: 'img:1', env: { A: '2', T: '${env:TOKEN}', R: '${env:R:eu}' }, ports: ['8888/http'], setup: "pip install -e '.[dev]'", gpu: 'L4' });
    assert.equal(withDefaults({ templateId: 't' }, defaults).image, undefined);
    assert.deepEqual(profileFromDevcontainer('no json'), {});
  });

  it('.runpod_config.json names a machine', () => {
    assert.deepEqual(readConnectionFile('{"user":"root","host":"203.0.113.7","port":"22022","ssh_key":"~/.ssh/id_ed25519","remote_dir":"/workspace/x"}'), { user: 'root', host: '203.0.113.7', port: 22022, sshKey: '~/.ssh/id_ed25519', remoteDir: '/workspace/x' });
    assert.throws(() => readConnectionFile('{"host":"a b","port":0}'), /host.*port/s);
    assert.throws(() => readConnectionFile('{"host":"-oProxyCommand=x;y"}'), /host/);
    assert.deepEqual(JSON.parse(connectionFileOf(aPod(), '~/k') ?? ''), { user: 'root', host: '127.0.0.1', port: 22022, ssh_key: '~/k', remote_dir: '/workspace' });
  });
});
