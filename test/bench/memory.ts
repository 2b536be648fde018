import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PodFiles } from '../../src/files/pod/podFiles';
import { identityOf, loginOptions } from '../ssh/support';
import type { Place } from './client';
import { Ground } from './ground';
import { PodHost } from './podHost';

export interface MemoryFigures {
  readonly bytes: number;
  /** By how much the process grew while it downloaded that much to disk. */
  readonly grewBytes: number;
}

interface Task {
  readonly place: Place;
  readonly hostKeyFingerprint: string;
}

/** Downloads a big file to disk in a process of its own and watches how that grows. */
export async function measureMemory(bytes: number): Promise<MemoryFigures> {
  const ground = await Ground.make(bytes);
  try {
    const { place } = await ground.reach(0, 'memory');
    const child = fork(fileURLToPath(import.meta.url), { execArgv: ['--import', 'tsx'], env: { ...process.env, RUNPOD_BENCH_MEMORY: '1' }, stdio: 'inherit' });
    child.send({ place, hostKeyFingerprint: ground.sshd.hostKeyFingerprint } satisfies Task);
    const [grewBytes] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(() => Promise.reject(new Error('The download did not end well')))])) as [number];
    return { bytes, grewBytes };
  } finally {
    await ground.clear();
  }
}

async function downloadWatched({ place, hostKeyFingerprint }: Task): Promise<number> {
  const host = new PodHost(loginOptions({ ...place, hostKeyFingerprint }, place.port, [await identityOf(place.keyFile)]));
  const files = new PodFiles(host);
  const plan = await files.planDownload([place.bigFile], join(place.scratch, 'down'));
  await files.who();
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  const { failed } = await files.transfer(plan);
  clearInterval(watch);
  if (failed.length > 0) throw failed[0]?.error ?? new Error('failed');
  files.dispose();
  await host.end();
  return most - before;
}

if (process.env['RUNPOD_BENCH_MEMORY'] === '1')
  process.once('message', (task: Task) => {
    downloadWatched(task).then(
      (grew) => process.send?.(grew, () => process.exit()),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
