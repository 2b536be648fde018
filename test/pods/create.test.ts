import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CREATE_MARK, CreateUncertainError, createPod, uniqueName, withSshAccess } from '../../src/pods/create';
import { RunPodError } from '../../src/runpod/errors';
import type { CreatePodRequest, Pod, PodRow } from '../../src/runpod/types';
import { aPod } from './fixtures';

const request: CreatePodRequest = { name: 'llama-ft', image: 'runpod/base:1.0.2-ubuntu2404', gpu: { id: 'NVIDIA A40', count: 1 } };
const rowOf = (pod: Pod): PodRow => ({ kind: 'pod', pod });
const looks = { count: 3, everyMs: 1 };

/** An account where a create may lose its answer before or after the pod was made. */
class Account {
  pods: Pod[] = [];
  creates = 0;
  constructor(private readonly lose: 'never' | 'before' | 'after' = 'never', private readonly hiddenLooks = 0) {}
  #looks = 0;

  create = async (r: CreatePodRequest): Promise<Pod> => {
    this.creates++;
    const pod = aPod({ id: `p${this.creates}`, name: r.name, env: r.env ?? {} });
    if (this.lose !== 'before') this.pods.push(pod);
    if (this.lose !== 'never') throw new RunPodError('server', { method: 'POST', path: '/pods', status: 502, maybeDone: true });
    return pod;
  };
  list = async (): Promise<PodRow[]> => (this.creates > 0 && this.#looks++ < this.hiddenLooks ? [] : this.pods.map(rowOf));
}

describe('creating a pod', () => {
  it('sends what SSH needs, whatever was asked', () => {
    const sent = withSshAccess({ ...request, ports: ['8888/http'], env: { A: '1', PUBLIC_KEY: 'ssh-ed25519 MINE x\r' } }, { ownKey: 'ssh-ed25519 OWN e', accountKeys: ['ssh-rsa ACC a', 'ssh-ed25519 OWN e'] });
    assert.deepEqual(sent.ports, ['8888/http', '22/tcp']);
    assert.equal(sent.startSsh, true);
    assert.equal(sent.env?.['PUBLIC_KEY'], 'ssh-ed25519 OWN e\nssh-rsa ACC a\nssh-ed25519 MINE x');
    assert.equal(sent.env?.['A'], '1');
    assert.equal(sent.gpu?.count, 1);
  });

  it('repeats the ports of a template, for ports in the body replace them', () => {
    const sent = withSshAccess({ name: 'x', templateId: 't', gpu: { id: 'g', count: 2 } }, { ownKey: 'k', accountKeys: [], templatePorts: ['8888/http', '6006/http'] });
    assert.deepEqual(sent.ports, ['8888/http', '6006/http', '22/tcp']);
    assert.equal(sent.gpu?.count, 2);
  });

  it('asks for a machine whose driver knows the CUDA version of the image, where nothing else is said', () => {
    const asked = (more: Partial<CreatePodRequest>, templateImage?: string): CreatePodRequest['gpu'] =>
      withSshAccess({ name: 'x', gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 }, ...more }, { ownKey: 'k', accountKeys: [], ...(templateImage === undefined ? {} : { templateImage }) }).gpu;
    const floor = (image: string): string | undefined => asked({ image })?.minCudaVersion;
    assert.equal(floor('runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404'), '12.8');
    assert.equal(floor('runpod/base:1.0.2-cuda1300-ubuntu2204'), '13.0');
    assert.equal(floor('runpod/pytorch:2.4.0-py3.11-cuda12.4.1-devel-ubuntu22.04'), '12.4');
    assert.equal(floor('pytorch/pytorch:2.4.0-cuda12.1-cudnn9-devel'), '12.1');
    assert.equal(floor('nvidia/cuda:12.8.1-base-ubuntu22.04'), '12.8');
    assert.equal(floor('vllm/vllm-openai:cu118'), '11.8');
    for (const none of ['runpod/base:1.0.2-ubuntu2404', 'runpod/base:1.0.2-rocm644-ubuntu2404', 'someone/cube3000:1', 'someone/accu1281x:2', 'ghcr.io/x/focus-cu:1', 'python:3.12']) assert.equal(floor(none), undefined, none);
    assert.equal(asked({ templateId: 't' }, 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404')?.minCudaVersion, '12.8');
    const image = 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404';
    assert.equal(asked({ image, gpu: { id: 'NVIDIA L4', count: 1, minCudaVersion: '12.4' } })?.minCudaVersion, '12.4');
    assert.deepEqual(asked({ image, gpu: { id: 'NVIDIA L4', count: 1, allowedCudaVersions: ['12.6'] } }), { id: 'NVIDIA L4', count: 1, allowedCudaVersions: ['12.6'] });
    assert.equal(asked({ image, gpu: { id: 'AMD Instinct MI300X OAM', count: 1 } })?.minCudaVersion, undefined);
    assert.equal(withSshAccess({ name: 'x', image, cpu: { id: 'cpu3c', vcpuCount: 2 } }, { ownKey: 'k', accountKeys: [] }).gpu, undefined);
  });

  it('gives a name that nobody has', () => {
    assert.equal(uniqueName('a', []), 'a');
    assert.equal(uniqueName('a', [rowOf(aPod({ name: 'a' })), rowOf(aPod({ name: 'a-2' }))]), 'a-3');
  });

  it('finds the pod whose answer was lost, with one create, though the list lags behind', async () => {
    const account = new Account('after', 2);
    const pod = await createPod(account, request, { looks });
    assert.equal(account.creates, 1);
    assert.equal(pod.id, account.pods[0]?.id);
    assert.ok(pod.env[CREATE_MARK]);
  });

  it('takes no stranger of the same name for its own', async () => {
    const account = new Account('before');
    const list = account.list;
    account.list = async () => [...(await list()), ...(account.creates > 0 ? [rowOf(aPod({ id: 'other', name: 'llama-ft' }))] : [])];
    await assert.rejects(createPod(account, request, { looks }), CreateUncertainError);
    assert.equal(account.creates, 1);
  });

  it('hands on a clean refusal without looking', async () => {
    let lists = 0;
    const refusal = new RunPodError('no-capacity', { method: 'POST', path: '/pods', status: 400 });
    const api = { create: () => Promise.reject(refusal), list: async () => (lists++, []) };
    await assert.rejects(createPod(api, request, { looks }), (e) => e === refusal);
    assert.equal(lists, 1);
  });
});
