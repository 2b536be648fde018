import type { Pod } from '../../src/runpod/types';

/** A running GPU pod as the API would give it; tests say only what matters to them. */
export function aPod(over: Partial<Pod> = {}): Pod {
  return {
    id: 'abc123',
    name: 'llama-ft',
    status: 'RUNNING',
    actions: ['stop', 'restart', 'terminate'],
    image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
    args: '',
    diskGb: 50,
    mount: { kind: 'persistent', sizeGb: 100, path: '/workspace' },
    ports: ['8888/http', '22/tcp'],
    env: {},
    gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
    cloud: 'SECURE',
    ssh: { direct: { host: '127.0.0.1', port: 22022, username: 'root' } },
    costPerHour: 0.69,
    locked: false,
    startedAt: new Date('2026-10-01T12:00:00Z'),
    createdAt: new Date('2026-10-01T11:58:00Z'),
    ...over,
  };
}
