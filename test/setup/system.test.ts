import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

describe('a machine that lacks programs', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'setup-test-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** What a set-up that finds nothing on its path says, as this user on this system. */
  async function said(who: string): Promise<string> {
    const system = pathToFileURL(join(__dirname, 'system.mjs')).href;
    const script = `${who}; import(${JSON.stringify(system)}).then((m) => m.installSystemPackages(['simulator'])).then(() => console.log('fine'), (error) => console.log(error.name === 'Error' ? error.message : error.stack))`;
    return (await promisify(execFile)(process.execPath, ['-e', script], { env: { PATH: dir, HOME: dir, RUNPOD_WORKSPACES_CACHE: dir } })).stdout;
  }

  it('is told the one command that brings them, where we may not install', async () => {
    await writeFile(join(dir, 'apt-get'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const words = await said(`Object.defineProperty(process, 'platform', { value: 'linux' }); process.getuid = () => 1000`);
    assert.match(words, /^Missing: /);
    const command = /sudo sh -c '(apt-get update && apt-get install -y .*)'$/m.exec(words)?.[1] ?? '';
    for (const name of ['openssh-client', 'busybox', 'curl', 'ripgrep', 'inotify-tools', 'openssl', 'python3']) assert.ok(command.split(' ').includes(name), `${name}: ${words}`);
  });

  it('is told the names of packages where there is no apt, and of WSL on Windows', async () => {
    assert.match(await said(`Object.defineProperty(process, 'platform', { value: 'linux' })`), /by Debian's package names: .*curl/);
    assert.match(await said(`Object.defineProperty(process, 'platform', { value: 'win32' })`), /WSL/);
  });
});
