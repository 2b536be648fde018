import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Catalog } from '../../src/pods/candidates';
import { ceilingIn, countIn, hardwareRows, matchesQuery, offerOf, placesOf, suggestedRow } from '../../src/pods/hardwareSearch';
import type { Availability, GpuType } from '../../src/runpod/types';

const gpu = (name: string, memoryGb: number, secure: number | undefined, community: number | undefined, stock: Availability): GpuType => ({
  id: `NVIDIA ${name}`, name, memoryGb, pool: name === 'RTX 4090' ? 'ADA_24' : 'OTHER',
  secure: secure !== undefined, community: community !== undefined,
  price: { ...(secure === undefined ? {} : { secure }), ...(community === undefined ? {} : { community }) },
  maxCount: { secure: 8, community: 1 },
  availability: stock,
  dataCenters: stock === 'NONE' ? [] : [{ id: 'US-IL-1', name: 'Illinois', availability: 'LOW' }, { id: 'US-KS-2', name: 'Kansas', availability: stock }],
});
const secure = [gpu('RTX A4000', 16, 0.25, undefined, 'HIGH'), gpu('RTX 4090', 24, 0.69, 0.34, 'HIGH'), gpu('A40', 48, 0.4, undefined, 'NONE'), gpu('L40S', 48, 0.86, 0.79, 'LOW'), gpu('H100 PCIe', 80, 2.39, undefined, 'MEDIUM')];
const catalog: Catalog = { secure, community: secure.map((t) => ({ ...t, availability: t.name === 'RTX 4090' ? 'NONE' : (t.availability ?? 'NONE') })), cpus: [] };
const rows = hardwareRows(catalog, 1);
const names = (query: string): string[] => rows.filter((r) => matchesQuery(r, query)).map((r) => r.name);

describe('rows of hardware', () => {
  it('are one a GPU type, cheapest of what is free first, what is out last', () => {
    assert.deepEqual(rows.map((r) => r.name), ['RTX A4000', 'RTX 4090', 'L40S', 'H100 PCIe', 'A40']);
    assert.equal(rows[1] && offerOf(rows[1])?.cloud, 'SECURE');
    assert.deepEqual(rows[1] && placesOf(rows[1]).map((p) => p.id), ['US-KS-2', 'US-IL-1']);
  });

  it('mean Secure Cloud, unless only the other is free or cheap enough', () => {
    const row = (name: string): (typeof rows)[number] => rows.find((r) => r.name === name) ?? assert.fail(name);
    assert.equal(offerOf(row('L40S'))?.cloud, 'SECURE');
    assert.equal(offerOf(row('L40S'), 0.8)?.cloud, 'COMMUNITY');
    assert.equal(offerOf(row('RTX 4090'), 0.5)?.cloud, 'SECURE', 'the community price is no use while it has none');
    assert.equal(ceilingIn('l40s < $0.80'), 0.8);
    assert.deepEqual(names('<0.8 48'), ['L40S', 'A40']);
  });

  it('cost as many times as there are GPUs, in clouds with machines that large', () => {
    const row = hardwareRows(catalog, 4).find((r) => r.name === 'RTX 4090');
    assert.equal(row?.secure?.perHour, 2.76);
    assert.equal(row?.community, undefined);
  });

  it('are of one data center where a network volume says so', () => {
    assert.deepEqual(hardwareRows(catalog, 1, ['US-KS-2']).map((r) => `${r.name} ${r.stock}${r.community ? ' community' : ''}`), ['RTX A4000 HIGH', 'RTX 4090 HIGH', 'L40S LOW', 'H100 PCIe MEDIUM', 'A40 NONE']);
  });

  it('have a sensible first', () => {
    assert.equal(suggestedRow(rows)?.name, 'RTX 4090');
  });
});

describe('typing', () => {
  it('finds by memory, name and price', () => {
    assert.deepEqual(names('48'), ['L40S', 'A40']);
    assert.deepEqual(names('48 gb'), ['L40S', 'A40']);
    assert.deepEqual(names('4090'), ['RTX 4090']);
    assert.deepEqual(names('h100'), ['H100 PCIe']);
    assert.deepEqual(names('<1'), ['RTX A4000', 'RTX 4090', 'L40S', 'A40']);
    assert.deepEqual(names('< $0.7 24+'), ['RTX 4090', 'A40']);
    assert.deepEqual(names('≥48'), ['L40S', 'H100 PCIe', 'A40']);
    assert.deepEqual(names('>= 48 gb'), ['L40S', 'H100 PCIe', 'A40']);
    assert.deepEqual(names('ada_24'), ['RTX 4090']);
    assert.deepEqual(names('us-ks-2 80'), ['H100 PCIe']);
    assert.deepEqual(names('<'), names(''));
    assert.deepEqual(names('rtx 9'), ['RTX 4090']);
    assert.deepEqual(names('tpu'), []);
  });

  it('counts', () => {
    assert.deepEqual(countIn('2x 4090'), { count: 2, rest: '4090' });
    assert.deepEqual(countIn('4×'), { count: 4, rest: '' });
    assert.deepEqual(countIn('4090'), { count: undefined, rest: '4090' });
    assert.ok(rows[1] && matchesQuery(rows[1], '2x 4090'));
  });
});
