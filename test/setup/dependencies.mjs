// The project's own npm packages.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './cache.mjs';
import { withLock } from './lock.mjs';
import { root } from './root.mjs';
import { npmEnvironment, run, step } from './shell.mjs';

const lockFile = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');

/** Whether what lies in node_modules is what the lock file asks for, however it came there. */
function upToDate() {
  if (!existsSync(installed)) return false;
  const { packages: wanted } = JSON.parse(readFileSync(lockFile, 'utf8'));
  const { packages: there } = JSON.parse(readFileSync(installed, 'utf8'));
  // Optional ones are left out where they don't fit the machine.
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) =>
    path === '' || (there[path] === undefined ? Boolean(optional || devOptional) : there[path].version === version));
}

export async function installDependencies() {
  if (upToDate()) return;
  await withLock(join(cacheDir(), `npm-ci-${createHash('sha256').update(root).digest('hex').slice(0, 12)}.lock`), 'npm ci', async () => {
    if (upToDate()) return;
    await step('Installing the npm packages', () => run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, env: npmEnvironment() }));
  });
}
