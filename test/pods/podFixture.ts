import type { Pod } from '../../src/runpod/types';

/** A running pod with a direct SSH address, started ten minutes ago unless told otherwise. */
export function aPod(fields: Partial<Pod> = {}): Pod {
  return {
    id: 'llamaft01',
    name: 'llama-ft',
    status: 'RUNNING',
    actions: ['stop', 'restart', 'terminate'],
    image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
    args: '',
    diskGb: 20,
    mount: { kind: 'persistent', sizeGb: 20, path: '/workspace' },
    ports: ['8888/http', '22/tcp'],
    env: {},
    cloud: 'SECURE',
    ssh: { direct: { host: '127.0.0.1', port: 1, username: 'root' } },
    costPerHour: 0.44,
    locked: false,
    createdAt: new Date(Date.now() - 3_600_000),
    startedAt: new Date(Date.now() - 600_000),
    ...fields,
  };
}
