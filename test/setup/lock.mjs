import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while holding a lock file, so that two starts never install the same thing at once.
 * The lock of a process that died is taken over.
 * @param {string} file
 * @param {string} what said to the person who waits
 * @param {() => Promise<void>} work
 */
export async function withLock(file, what, work) {
  mkdirSync(dirname(file), { recursive: true });
  let told = false;
  while (!take(file)) {
    if (isAbandoned(file)) rmSync(file, { force: true });
    else {
      if (!told) console.log(`Waiting: another process is at it (${what}).`);
      told = true;
      await sleep(500);
    }
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAbandoned(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // Created but not yet written: leave its owner a moment.
    return pid > 0 ? !isAlive(pid) : Date.now() - statSync(file).mtimeMs > 10_000;
  } catch {
    // Released just now: try again to take it.
    return false;
  }
}

/** As `isAlive` of src/base/process.ts, which plain Node cannot load. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}
