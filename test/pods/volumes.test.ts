import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { createVolume, VolumeUncertainError, type VolumesApi } from '../../src/pods/volumes';
import { RunPodError } from '../../src/runpod/errors';
import type { NetworkVolume } from '../../src/runpod/types';

const request = { name: 'data-1', size: 50, dataCenter: 'US-KS-2' };
const looks = { count: 2, everyMs: 1 };
const twin: NetworkVolume = { id: 'old', name: 'data-1', sizeGb: 50, dataCenterId: 'US-KS-2' };

function account(lose: 'never' | 'before' | 'after'): VolumesApi & { creates: number } {
  const all = [twin];
  return {
    creates: 0,
    list: async () => [...all],
    async create(r) {
      this.creates++;
      const made = { id: `v${this.creates}`, name: r.name, sizeGb: r.size, dataCenterId: r.dataCenter };
      if (lose !== 'before') all.push(made);
      if (lose !== 'never') throw new RunPodError('server', { method: 'POST', path: '/network-volumes', status: 502, maybeDone: true });
      return made;
    },
  };
}

describe('a network volume', () => {
  it('is created once, and found again when the answer was lost', async () => {
    for (const lose of ['never', 'after'] as const) {
      const api = account(lose);
      assert.equal((await createVolume(api, request, looks)).id, 'v1');
      assert.equal(api.creates, 1);
    }
  });

  it('is not taken for one of the same name that was there before', async () => {
    const api = account('before');
    await assert.rejects(createVolume(api, request, looks), VolumeUncertainError);
    assert.equal(api.creates, 1);
  });
});
