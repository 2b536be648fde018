import { cp, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPod, type CreateRequest } from './createPod';
import type { Lifecycle } from './lifecycle';
import { diskRate, volumeRate, type NetworkVolume } from './meter';
import type { Pod } from './pod';
import { pullLines } from './pullLines';
import type { World } from './world';

const HOUR = 3_600_000;
const workspaces = join(dirname(fileURLToPath(import.meta.url)), 'workspaces');

const TORCH = 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404';

/** Hours before now, as `[from, to]`. */
type Span = readonly [from: number, to: number];

interface Member {
  readonly id: string;
  readonly request: CreateRequest;
  readonly createdHoursAgo: number;
  /** When it ran; one that ends at 0 runs still. */
  readonly ran: readonly Span[];
  /** Files that lie on its volume from the start. */
  readonly workspace: string;
}

const members: readonly Member[] = [
  {
    id: 'k3v9mzt5x1q8re',
    createdHoursAgo: 24 * 24,
    ran: [[24 * 24, 24 * 24 - 9], [24 * 22, 24 * 22 - 14], [24 * 17, 24 * 17 - 6], [24 * 10, 24 * 9]],
    workspace: 'old-exp',
    request: {
      name: 'old-exp',
      image: 'runpod/pytorch:1.0.2-cu1281-torch271-ubuntu2404',
      gpu: { id: 'NVIDIA A40', count: 1 },
      disk: 40,
      mounts: { persistent: { size: 60, path: '/workspace' } },
      ports: ['8888/http', '22/tcp'],
      dataCenterIds: ['CA-MTL-1'],
      startSsh: true,
    },
  },
  {
    id: 'gfj8b292vyg08g',
    createdHoursAgo: 24 * 6,
    ran: [[24 * 6, 24 * 6 - 8], [24 * 4, 24 * 4 - 11], [24 * 2, 24 * 2 - 7], [3.2, 0]],
    workspace: 'llama-ft',
    request: {
      name: 'llama-ft',
      image: TORCH,
      gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
      disk: 50,
      mounts: { persistent: { size: 100, path: '/workspace' } },
      ports: ['8888/http', '22/tcp'],
      env: { WANDB_MODE: 'offline' },
      dataCenterIds: ['US-KS-2'],
      startSsh: true,
      startJupyter: true,
    },
  },
  {
    id: 'w7c2ph4n0d6jba',
    createdHoursAgo: 29,
    ran: [[29, 24], [1.1, 0]],
    workspace: 'datasets',
    request: {
      name: 'prep-cpu',
      image: 'runpod/base:1.0.2-ubuntu2204',
      cpu: { id: 'cpu5c', vcpuCount: 4 },
      disk: 20,
      mounts: { network: [{ volumeId: 'agv6w2qcg7', path: '/workspace' }] },
      ports: ['22/tcp'],
      startSsh: true,
    },
  },
];

/** A pod that was terminated and lives on in the bills. */
const gone = { id: 'd5r1yq8s2t7lfk', perHour: 1.39, ran: [[24 * 20, 24 * 20 - 5], [24 * 19, 24 * 19 - 3]] as readonly Span[] };

export const FLEET_BALANCE_USD = 18.42;

/**
 * Fills an account with a small believable past: a GPU pod that trains, a stopped pod whose disk still bills, a CPU pod
 * on a network volume, and a month of bills that fit them.
 */
export async function seedFleet(world: World, lifecycle: Lifecycle): Promise<void> {
  const now = world.clock.now();
  const ago = (hours: number): number => now - hours * HOUR;
  const volume: NetworkVolume = { id: 'agv6w2qcg7', name: 'datasets', size: 200, dataCenter: 'US-KS-2', type: 'STANDARD', createdAt: ago(24 * 26) };
  world.volumes.set(volume.id, volume);
  world.ledger.charge(volume.id, 'storageStandardAmount', volumeRate(volume), volume.createdAt, now);
  for (const [from, to] of gone.ran) world.ledger.charge(gone.id, 'podGpuAmount', gone.perHour, ago(from), ago(to));

  const { shortages } = world.settings;
  world.settings.shortages = [];
  const pods = members.map((member) => ({ member, pod: createPod(world, member.request, { id: member.id, createdAt: ago(member.createdHoursAgo) }) }));
  world.settings.shortages = shortages;

  for (const { member, pod } of pods) {
    bill(world, pod, member, ago);
    await fill(await lifecycle.volumeDir(pod), join(workspaces, member.workspace));
    const [from, to] = member.ran.at(-1) ?? [0, 0];
    for (const line of pullLines(pod.image, false)) pod.log.write('system', line, ago(from));
    if (to > 0) lifecycle.adoptStopped(pod, ago(to), ago(from));
  }
  await Promise.all(
    pods.flatMap(({ member, pod }) => {
      const [from, to] = member.ran.at(-1) ?? [0, 0];
      return to > 0 ? [] : [lifecycle.adopt(pod, ago(from))];
    }),
  );
}

function bill(world: World, pod: Pod, member: Member, ago: (hours: number) => number): void {
  const component = pod.cpu === undefined ? 'podGpuAmount' : 'podCpuAmount';
  const running = diskRate({ ...pod, status: 'RUNNING' });
  const stopped = diskRate({ ...pod, status: 'EXITED' });
  let idleFrom = member.createdHoursAgo;
  for (const [from, to] of member.ran) {
    world.ledger.charge(pod.id, 'podDiskAmount', stopped, ago(idleFrom), ago(from));
    world.ledger.charge(pod.id, component, pod.rate, ago(from), ago(to));
    world.ledger.charge(pod.id, 'podDiskAmount', running, ago(from), ago(to));
    idleFrom = to;
  }
  world.ledger.charge(pod.id, 'podDiskAmount', stopped, ago(idleFrom), ago(0));
}

/** Puts the files there unless the volume is one of an earlier run. */
async function fill(dir: string | undefined, from: string): Promise<void> {
  if (dir === undefined || (await readdir(dir)).length > 0) return;
  await cp(from, dir, { recursive: true });
}
