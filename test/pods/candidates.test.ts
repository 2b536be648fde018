import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { cpuCandidate, gpuCandidates, keyOf, parseCpu, withinCap, type Catalog } from '../../src/pods/candidates';
import { nearestNames, parseGpuChoice, typesNamed } from '../../src/pods/gpuChoice';
import type { Availability, GpuType } from '../../src/runpod/types';

const gpu = (id: string, name: string, memoryGb: number, secure: number | undefined, community: number | undefined, pool: string, stock: Availability = 'HIGH'): GpuType => ({
  id, name, pool, memoryGb,
  secure: secure !== undefined,
  community: community !== undefined,
  price: { ...(secure === undefined ? {} : { secure }), ...(community === undefined ? {} : { community }) },
  maxCount: { secure: 8, community: 2 },
  availability: stock,
  dataCenters: stock === 'NONE' ? [] : [{ id: 'US-KS-2', name: 'Kansas', availability: stock }, { id: 'EU-RO-1', name: 'Romania', availability: 'LOW' }],
});

const types = [
  gpu('NVIDIA GeForce RTX 4090', 'RTX 4090', 24, 0.69, 0.34, 'ADA_24'),
  gpu('NVIDIA L4', 'L4', 24, 0.43, undefined, 'ADA_24'),
  gpu('NVIDIA A40', 'A40', 48, 0.4, undefined, 'AMPERE_48', 'NONE'),
  gpu('NVIDIA L40S', 'L40S', 48, 0.86, 0.79, 'ADA_48_PRO'),
  gpu('NVIDIA H100 80GB HBM3', 'H100 SXM', 80, 2.99, undefined, 'ADA_80_PRO'),
  gpu('NVIDIA H100 PCIe', 'H100 PCIe', 80, 2.39, 1.99, 'ADA_80_PRO'),
];
const catalog: Catalog = {
  secure: types,
  community: types,
  cpus: [{ id: 'cpu3c', name: 'Compute-Optimized', vcpu: { min: 2, max: 32 }, ramGbPerVcpu: 2, pricePerVcpu: 0.03, availability: 'HIGH', dataCenters: [] }],
};
const keys = (choices: string[], more: object = {}): string[] => gpuCandidates({ choices, count: 1, clouds: ['SECURE'], ...more }, catalog).candidates.map((c) => `${c.label}@${c.cloud}`);

describe('the words for a GPU', () => {
  it('are an id, a display name, a pool or part of a name', () => {
    const names = (text: string): string[] => typesNamed(text, types).map((t) => t.name);
    assert.deepEqual(names('NVIDIA GeForce RTX 4090'), ['RTX 4090']);
    assert.deepEqual(names('rtx 4090'), ['RTX 4090']);
    assert.deepEqual(names('4090'), ['RTX 4090']);
    assert.deepEqual(names('ADA_24'), ['RTX 4090', 'L4']);
    assert.deepEqual(names('h100'), ['H100 SXM', 'H100 PCIe']);
    assert.deepEqual(names('L4'), ['L4']);
    assert.deepEqual(names('RTX 9090'), []);
    assert.deepEqual(names('---'), []);
  });

  it('are a floor of memory, with or without a ceiling of price', () => {
    assert.deepEqual(parseGpuChoice('≥ 24 GB under $0.60'), { kind: 'floor', memoryGb: 24, under: 0.6 });
    for (const text of ['>=24GB', '24 GB+', 'at least 24 GB', '≥24', '24 GB']) assert.deepEqual(parseGpuChoice(text), { kind: 'floor', memoryGb: 24 }, text);
    assert.deepEqual(parseGpuChoice('48GB+ < 0.9/hr'), { kind: 'floor', memoryGb: 48, under: 0.9 });
    assert.deepEqual(parseGpuChoice('L4'), { kind: 'named', text: 'L4' });
  });

  it('have a nearest neighbour', () => {
    assert.equal(nearestNames('RTX 4900', types)[0], 'RTX 4090');
    assert.equal(nearestNames('H10O SXM', types)[0], 'H100 SXM');
  });
});

describe('candidates', () => {
  it('keep the person’s order, then the clouds’, then the price; what is out of stock comes last', () => {
    assert.deepEqual(keys(['H100', 'ADA_24']), ['H100 PCIe@SECURE', 'H100 SXM@SECURE', 'L4@SECURE', 'RTX 4090@SECURE']);
    assert.deepEqual(keys(['A40', '4090'], { clouds: ['COMMUNITY', 'SECURE'] }), ['RTX 4090@COMMUNITY', 'RTX 4090@SECURE', 'A40@SECURE']);
  });

  it('satisfy a floor with the cheapest first, under the ceiling', () => {
    assert.deepEqual(keys(['≥ 24 GB under $0.70']), ['L4@SECURE', 'RTX 4090@SECURE', 'A40@SECURE']);
  });

  it('are never named twice', () => {
    assert.deepEqual(keys(['L4', 'ADA_24', '≥ 24 GB under $0.50']), ['L4@SECURE', 'RTX 4090@SECURE', 'A40@SECURE']);
  });

  it('tell which choices nothing is called', () => {
    assert.deepEqual(gpuCandidates({ choices: ['RTX 9090', 'L4'], count: 1, clouds: ['SECURE'] }, catalog).unknown, ['RTX 9090']);
  });

  it('are only machines that hold so many GPUs', () => {
    assert.deepEqual(keys(['L40S'], { count: 4, clouds: ['COMMUNITY', 'SECURE'] }), ['4× L40S@SECURE']);
  });

  it('are in stock only where they may be', () => {
    const [only] = gpuCandidates({ choices: ['4090'], count: 2, clouds: ['SECURE'], dataCenterIds: ['EU-RO-1'] }, catalog).candidates;
    assert.equal(only?.stock, 'LOW');
    assert.equal(only?.perHour, 1.38);
    assert.deepEqual(only?.dataCenters.map((d) => d.id), ['EU-RO-1']);
    assert.equal(gpuCandidates({ choices: ['4090'], count: 1, clouds: ['SECURE'], dataCenterIds: ['OC-AU-1'] }, catalog).candidates[0]?.stock, 'NONE');
  });

  it('are refused above the cap, and where nobody knows the price, before anything is asked', () => {
    const { candidates } = gpuCandidates({ choices: ['L4', '4090', 'L40S'], count: 3, clouds: ['SECURE'] }, catalog);
    const { allowed, refused } = withinCap([...candidates, { label: '?', cloud: 'SECURE', perHour: undefined, stock: 'HIGH', dataCenters: [] }], 2.07);
    assert.deepEqual(allowed.map((c) => c.label), ['3× L4', '3× RTX 4090']);
    assert.deepEqual(refused.map((r) => `${r.candidate.label} ${r.reason}`), ['3× L40S over-cap', '? price-unknown']);
  });

  it('are CPU pods as well', () => {
    assert.deepEqual(parseCpu('cpu3c-2-4'), { id: 'cpu3c', vcpuCount: 2, memoryGb: 4 });
    assert.deepEqual(parseCpu('cpu5c-8'), { id: 'cpu5c', vcpuCount: 8 });
    assert.equal(parseCpu('cpu3c'), undefined);
    const cpu = cpuCandidate({ id: 'cpu3c', vcpuCount: 4 }, catalog);
    assert.deepEqual({ perHour: cpu?.perHour, memoryGb: cpu?.memoryGb, key: keyOf(cpu) }, { perHour: 0.12, memoryGb: 8, key: 'cpu3c-4@SECURE' });
  });
});
