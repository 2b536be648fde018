// The programs that the simulator, the editor's server and the browser need from the operating system.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './cache.mjs';
import { findBrowser } from './browser.mjs';
import { withLock } from './lock.mjs';
import { run, SetupError, step, which } from './shell.mjs';

const program = (...names) => () => names.every((name) => which(name) !== undefined);
const file = (...paths) => () => paths.some((path) => existsSync(path));

/** For each need, Debian packages and how to see that what they bring is there. */
const packages = {
  simulator: [
    ['openssh-server', program('sshd')],
    ['openssh-client', program('ssh', 'ssh-keygen')],
    ['busybox', program('busybox')],
    ['iproute2', program('ip')],
    ['util-linux', program('unshare', 'nsenter', 'setpriv')],
    ['bsdutils', program('script')],
    ['mount', program('mount', 'umount')],
    ['procps', program('ps')],
    ['rsync', program('rsync')],
    ['git', program('git')],
    ['python3', program('python3')],
    // Another server than OpenSSH's, for the files' contract.
    ['dropbear-bin', program('dropbear', 'dropbearkey')],
    // What pods have: the guard asks the API with one of the first, search and watching use the others where they are.
    ['curl', program('curl')],
    ['wget', program('wget')],
    ['ripgrep', program('rg')],
    ['inotify-tools', program('inotifywait')],
    // Keys and certificates in other forms than OpenSSH's.
    ['openssl', program('openssl')],
  ],
  // What the bench measures us against.
  bench: [
    ['sshfs', program('sshfs')],
    ['fuse3', program('fusermount3')],
    ['rsync', program('rsync')],
  ],
  // What npm compiles the server's native parts with.
  server: [
    ['python3', program('python3')],
    ['make', program('make')],
    ['g++', program('g++')],
    ['libkrb5-dev', file('/usr/include/gssapi.h', '/usr/include/gssapi/gssapi.h')],
  ],
  browser: [
    ['chromium', () => findBrowser() !== undefined],
    ['fonts-dejavu-core', file('/usr/share/fonts/truetype/dejavu')],
    ['fonts-noto-color-emoji', file('/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf')],
  ],
};

/** @param {('simulator' | 'bench' | 'server' | 'browser')[]} needs */
function missing(needs) {
  const names = needs.flatMap((need) => packages[need]).filter(([, isThere]) => !isThere()).map(([name]) => name);
  return [...new Set(names)];
}

/**
 * Installs what is missing (Debian and Ubuntu, as root) or names the one command that does.
 * @param {('simulator' | 'bench' | 'server' | 'browser')[]} needs
 */
export async function installSystemPackages(needs) {
  if (process.platform === 'darwin') return checkMac(needs);
  if (process.platform === 'win32') {
    if (needs.includes('simulator')) throw new SetupError('The simulator runs real SSH servers and needs Linux. Run the same command inside WSL:\n  wsl npm test');
    return;
  }
  const names = missing(needs);
  if (names.length === 0) return;
  const aptInstall = ['install', '-y', '--no-install-recommends'];
  // A fresh machine is often busy with updates of its own.
  const patience = ['-o', 'DPkg::Lock::Timeout=300'];
  if (which('apt-get') === undefined) {
    throw new SetupError(`Missing on this machine, by Debian's package names: ${names.join(' ')}\nInstall them with your system's package manager, then run this again.`);
  }
  if (process.getuid() !== 0) throw new SetupError(`Missing: ${names.join(', ')}. Run this, then try again:\n  sudo sh -c 'apt-get update && apt-get ${aptInstall.join(' ')} ${debianNames(names).join(' ')}'`);
  await withLock(join(cacheDir(), 'apt.lock'), 'installing packages', async () => {
    const names = missing(needs);
    if (names.length === 0) return;
    await step(`Installing from ${distribution()}: ${names.join(' ')}`, async () => {
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      await run('apt-get', ['update', '-q', ...patience], { env });
      await withoutServices(() => run('apt-get', [...aptInstall, '-q', ...patience, ...debianNames(names)], { env }));
      // The program is wanted, not a machine that lets people in.
      if (names.includes('openssh-server') && which('systemctl') !== undefined) await run('systemctl', ['disable', 'ssh.service', 'ssh.socket']).catch(() => undefined);
    });
    const left = missing(needs).filter((name) => name !== 'chromium' || !isUbuntu());
    if (left.length > 0) throw new SetupError(`Installed, but still not found: ${left.join(', ')}`);
  });
}

/** Installs packages without starting the services in them, by Debian's own means. */
async function withoutServices(install) {
  const policy = '/usr/sbin/policy-rc.d';
  // Left behind, it would keep every service of the machine from starting; one of ours that was is known by its words.
  const ours = '#!/bin/sh\n# RunPod Workspaces, while it installs packages\nexit 101\n';
  if (existsSync(policy) && readFileSync(policy, 'utf8') !== ours) return install();
  writeFileSync(policy, ours, { mode: 0o755 });
  const remove = () => rmSync(policy, { force: true });
  const interrupted = () => process.exit(130);
  process.once('exit', remove).once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await install();
  } finally {
    process.off('exit', remove).off('SIGINT', interrupted).off('SIGTERM', interrupted);
    remove();
  }
}

// Ubuntu's package of that name only points to a snap, which containers can't run: browser.mjs fetches one there.
const debianNames = (names) => names.filter((name) => name !== 'chromium' || !isUbuntu());

function osRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
const isUbuntu = () => /^ID=ubuntu$/m.test(osRelease());
const distribution = () => /^PRETTY_NAME="(.*)"$/m.exec(osRelease())?.[1] ?? 'the system';

function checkMac(needs) {
  if (needs.includes('server') && which('make') === undefined) throw new SetupError('Missing: a compiler. Run this, then try again:\n  xcode-select --install');
}
