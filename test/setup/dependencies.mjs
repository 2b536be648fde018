// The project's own npm packages.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './cache.mjs';
import { withLock } from './lock.mjs';
import { root } from './root.mjs';
import { npmEnvironment, run, step } from './shell.mjs';

const lockFile = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');
const stamp = join(root, 'node_modules', '.lock-file-hash');

const hash = (data) => createHash('sha256').update(data).digest('hex');

function upToDate() {
  if (!existsSync(installed)) return false;
  const wanted = hash(readFileSync(lockFile));
  if (existsSync(stamp)) return readFileSync(stamp, 'utf8') === wanted;
  // Installed by hand: trusted when it is younger than the lock file, and remembered by content from now on.
  if (statSync(installed).mtimeMs < statSync(lockFile).mtimeMs) return false;
  writeFileSync(stamp, wanted);
  return true;
}

export async function installDependencies() {
  if (upToDate()) return;
  await withLock(join(cacheDir(), `npm-ci-${hash(root).slice(0, 12)}.lock`), 'npm ci', async () => {
    if (upToDate()) return;
    await step('Installing the npm packages', () => run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, env: npmEnvironment() }));
    writeFileSync(stamp, hash(readFileSync(lockFile)));
  });
}
