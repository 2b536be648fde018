import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Asked } from '../../src/pods/asked';
import { inOtherCloud, inOtherDataCenters, onHardware } from '../../src/pods/waysOut';
import type { CreatePodRequest, GpuType } from '../../src/runpod/types';

const type = (more: Partial<GpuType> = {}): GpuType => ({ id: 'L4', name: 'L4', secure: true, community: true, price: { secure: 0.39, community: 0.3 }, maxCount: { community: 4 }, availability: 'LOW', dataCenters: [], ...more });
const asked = (more: Partial<CreatePodRequest> = {}): Asked => ({ request: { name: 'x', image: 'i', gpu: { id: 'L4', count: 2 }, cloud: 'SECURE', ...more }, label: '2× L4', perHour: 0.78, limits: { limitMinutes: 60, atLimit: 'stop' } });
const network = { network: [{ volumeId: 'v', path: '/workspace' }] };

describe('where nothing is free', () => {
  it('the same may be had in other data centers, unless its volume lies in one', () => {
    assert.equal(inOtherDataCenters([asked()]), undefined);
    assert.deepEqual(inOtherDataCenters([asked({ dataCenterIds: ['US-KS-2'] })]), [asked()]);
    assert.equal(inOtherDataCenters([asked({ dataCenterIds: ['US-KS-2'], mounts: network })]), undefined);
  });

  it('the same may be had in the other cloud, at its price, with the limits that were asked for', async () => {
    const of = (types: readonly GpuType[]) => inOtherCloud([asked({ dataCenterIds: ['US-KS-2'] })], async (cloud, count) => (assert.deepEqual([cloud, count], ['COMMUNITY', 2]), types));
    assert.deepEqual(await of([type()]), [{ ...asked({ cloud: 'COMMUNITY' }), perHour: 0.6 }]);
    assert.equal(await of([type({ availability: 'NONE' })]), undefined);
    assert.equal(await of([type({ community: false })]), undefined);
    assert.equal(await of([type({ maxCount: { community: 1 } })]), undefined);
    const none = async (): Promise<readonly GpuType[]> => [type()];
    assert.equal(await inOtherCloud([asked({ mounts: network })], none), undefined);
    assert.equal(await inOtherCloud([asked(), asked({ cloud: 'COMMUNITY' })], none), undefined);
    const cpu: Asked = { ...asked(), request: { name: 'x', cpu: { id: 'cpu3c', vcpuCount: 2 } } };
    assert.equal(await inOtherCloud([cpu], none), undefined);
  });

  it('the same pod may be had on other hardware; a network volume keeps it where it lies', () => {
    const candidate = { label: 'A40', gpu: { id: 'NVIDIA A40', count: 1 }, cloud: 'COMMUNITY', perHour: 0.4, stock: 'HIGH', dataCenters: [] } as const;
    assert.deepEqual(onHardware([asked({ dataCenterIds: ['US-KS-2'] })], candidate), [{ ...asked({ gpu: candidate.gpu, cloud: 'COMMUNITY' }), label: 'A40', perHour: 0.4 }]);
    assert.deepEqual(onHardware([asked({ dataCenterIds: ['US-KS-2'], mounts: network })], candidate)[0]?.request.dataCenterIds, ['US-KS-2']);
    assert.equal(onHardware([asked()], { ...candidate, gpu: undefined, cpu: { id: 'cpu3c', vcpuCount: 2 } } as never)[0]?.request.gpu, undefined);
    assert.deepEqual(onHardware([], candidate), []);
  });
});
