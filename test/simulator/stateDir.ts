import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../src/base/process';

const PREFIX = 'runpod-simulator-';
const OWNER = 'owner.pid';

/** A folder for a simulator's files. A fresh one goes with `release`, and with the next start if this process is killed. */
export async function openStateDir(kept: string | undefined): Promise<{ readonly path: string; release(): Promise<void> }> {
  if (kept !== undefined) {
    await mkdir(kept, { recursive: true });
    return { path: kept, release: async () => undefined };
  }
  await sweep();
  const path = await mkdtemp(join(tmpdir(), PREFIX));
  await writeFile(join(path, OWNER), String(process.pid));
  return { path, release: () => rm(path, { recursive: true, force: true }) };
}

/** Removes what killed simulators left. */
async function sweep(): Promise<void> {
  const left = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX)).map((name) => join(tmpdir(), name));
  await Promise.all(
    left.map(async (path) => {
      const owner = Number(await readFile(join(path, OWNER), 'utf8').catch(() => ''));
      // No owner yet: another simulator is making the folder at this moment.
      if (owner > 0 && !isAlive(owner)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }),
  );
}
