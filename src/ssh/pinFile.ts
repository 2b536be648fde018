import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { sleep, steadyNow } from '../base/time';
import { whileBusy } from '../base/whileBusy';
import type { PinStorage } from './pins';
import { systemCode } from './tcp';

/**
 * Keeps pins in one file: written whole and renamed into place, under a lock file that other windows honour.
 * @param staleMs a lock that was watched for so long belongs to a window that died holding it; the work under it takes milliseconds
 */
export function pinFile(file: string, { staleMs = 3_000, giveUpMs = 10_000 } = {}): PinStorage {
  const lock = `${file}.lock`;
  const ready = (): Promise<unknown> => fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  return {
    async read() {
      try {
        return await fs.readFile(file, 'utf8');
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(text) {
      await ready();
      const fresh = `${file}.${randomBytes(6).toString('hex')}.new`;
      try {
        await fs.writeFile(fresh, text, { mode: 0o600, flag: 'wx' });
        await whileBusy(() => fs.rename(fresh, file));
      } catch (error) {
        await fs.rm(fresh, { force: true });
        throw error;
      }
    },
    async exclusive(work) {
      await ready();
      await take(lock, staleMs, giveUpMs);
      try {
        return await work();
      } finally {
        await whileBusy(() => fs.rm(lock, { force: true }));
      }
    },
  };
}

async function take(lock: string, staleMs: number, giveUpMs: number): Promise<void> {
  const deadline = steadyNow() + giveUpMs;
  let seen: { readonly lockedAt: number | undefined; readonly since: number } | undefined;
  for (;;) {
    try {
      await (await fs.open(lock, 'wx', 0o600)).close();
      return;
    } catch (error) {
      // Windows answers EPERM for a file that is just being removed, EBUSY for one that a scanner looks into.
      if (!['EEXIST', 'EPERM', 'EBUSY'].includes(systemCode(error) ?? '') || steadyNow() > deadline) throw error;
    }
    // Watched, not dated: the file's clock may be another than ours, and either may be set.
    const lockedAt = await fs.stat(lock).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    if (seen === undefined || lockedAt !== seen.lockedAt) seen = { lockedAt, since: steadyNow() };
    else if (lockedAt !== undefined && steadyNow() - seen.since > staleMs) await fs.rm(lock, { force: true }).catch(() => undefined);
    await sleep(5 + Math.random() * 20);
  }
}
