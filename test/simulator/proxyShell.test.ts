import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { ClientChannel } from 'ssh2';
import { sleep } from '../../src/base/time';
import { makeKeyPair } from '../support/sshd';
import type { ImageKind } from './machine';
import { Fixture, run, tracesOf, type Pod } from './machine/fixture';
import { openProxyShell, type ProxyShell } from './proxyShell';

const username = 'abc123-64411278';

describe('the SSH proxy', () => {
  let center: Fixture;
  let pod: Pod | undefined;
  let proxy: ProxyShell;
  let accountKeys: string[];
  let options: string[];

  before(async () => {
    center = await Fixture.open();
    proxy = await openProxyShell({ lookup: (name) => (name === username ? { machine: pod?.machine, authorizedKeys: accountKeys } : undefined) });
    const knownHosts = path.join(center.dir, 'known-proxy');
    await writeFile(knownHosts, `[${proxy.host}]:${proxy.port} ${proxy.hostKey}\n`);
    options = ['-F', 'none', '-i', center.key.path, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'LogLevel=ERROR'];
  });
  beforeEach(async () => {
    accountKeys = [center.key.publicKey];
    pod ??= await center.start();
  });
  after(async () => {
    await proxy.close();
    await center.close();
  });

  const noPty = (error: { stdout: string; code: number }): boolean => error.stdout === "Error: Your SSH client doesn't support PTY\n" && error.code === 1;
  const ssh = (...args: string[]): ReturnType<typeof run> => run('ssh', [...options, ...args, '-p', String(proxy.port), `${username}@${proxy.host}`]);

  /** What a person sees who types `lines` at a terminal. */
  async function typed(lines: string, ...command: string[]): Promise<string> {
    const client = spawn('ssh', ['-tt', ...options, '-p', String(proxy.port), `${username}@${proxy.host}`, ...command]);
    let seen = '';
    client.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    client.stdin.write(lines);
    await once(client, 'close');
    return seen;
  }

  it('gives a terminal with a login shell of the pod', async () => {
    const seen = await typed('echo "shell of $(hostname) as $(whoami) in $(pwd -P) on $(tty) with $TERM"; exit 7\n');
    assert.match(seen, /-- RUNPOD\.IO --\r\nEnjoy your Pod #abc123 \^_\^/);
    if (center.host.mode === 'full') assert.match(seen, /shell of host-pod1 as root in \/root on \/dev\/pts\/\d+ with \S+\r\n/);
  });

  it('starts a shell although a command came with the terminal', async () => {
    const seen = await typed('echo still $((40 + 2)); exit\n', 'touch /workspace/ignored');
    assert.match(seen, /still 42\r\n/);
    assert.equal(await pod?.run('ls /workspace 2>/dev/null'), '');
  });

  it('refuses a command, a shell without a terminal, SFTP and forwarding', async () => {
    await assert.rejects(run('ssh', [...options, '-p', String(proxy.port), `${username}@${proxy.host}`, 'echo in']), noPty);
    await assert.rejects(ssh('-T'), noPty);
    await assert.rejects(run('sftp', [...options, '-P', String(proxy.port), `${username}@${proxy.host}`]), /subsystem request failed/);
    await assert.rejects(ssh('-W', '127.0.0.1:22'), /administratively prohibited|open failed|forwarding failed/);
    await assert.rejects(ssh('-N', '-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:22'), /forwarding failed/);
  });

  it('knows keys of the account only', async () => {
    accountKeys = [(await makeKeyPair(path.join(center.dir, 'account-key'))).publicKey];
    await assert.rejects(ssh('-tt'), /Permission denied \(publickey\)/);
    accountKeys.push(`garbage\n${center.key.publicKey}\n`);
    assert.match(await typed('echo let $((1 + 1)) in; exit\n'), /let 2 in/);
    await assert.rejects(run('ssh', [...options, '-p', String(proxy.port), `stranger@${proxy.host}`]), /Permission denied/);
  });

  it('takes RSA and ECDSA keys of the account', async () => {
    for (const type of ['rsa', 'ecdsa'] as const) {
      const key = await makeKeyPair(path.join(center.dir, type), { type });
      accountKeys = [key.publicKey];
      await assert.rejects(run('ssh', [...options.map((word) => (word === center.key.path ? key.path : word)), '-p', String(proxy.port), `${username}@${proxy.host}`, 'true']), noPty);
    }
  });

  it('resizes the terminal, and ends what ran on it with the connection', async function () {
    if (center.host.mode === 'plain') return this.skip();
    const { Client } = await import('ssh2');
    const client = new Client();
    client.connect({ host: proxy.host, port: proxy.port, username, privateKey: await readFile(center.key.path) });
    await once(client, 'ready');
    const shell = await new Promise<ClientChannel>((resolve, reject) => client.shell({ rows: 24, cols: 80, term: 'xterm' }, (error, channel) => (error ? reject(error) : resolve(channel))));
    let seen = '';
    shell.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const until = async (pattern: RegExp): Promise<void> => {
      for (let i = 0; i < 6000 && !pattern.test(seen); i++) await sleep(10);
      assert.match(seen, pattern);
    };
    shell.write('stty size\n');
    await until(/24 80\r\n/);
    shell.setWindow(50, 132, 0, 0);
    const marker = `31${Date.now()}`;
    shell.write('until [ "$(stty size)" = "50 132" ]; do sleep 0.05; done; echo now $(stty size)\n');
    await until(/now 50 132\r\n/);
    shell.write(`sleep ${marker}\n`);
    for (let i = 0; i < 3000 && (await tracesOf(`sleep\0${marker}`)).length === 0; i++) await sleep(20);
    client.end();
    for (let i = 0; i < 3000 && (await tracesOf(`sleep\0${marker}`)).length > 0; i++) await sleep(20);
    assert.deepEqual(await tracesOf(`sleep\0${marker}`), []);
  });

  for (const image of ['busybox', 'no-sshd'] as const satisfies readonly ImageKind[])
    it(`reaches a pod of kind ${image}`, async function () {
      if (center.host.mode === 'plain') return this.skip();
      await pod?.machine.stop();
      pod = await center.start({ image });
      assert.match(await typed('echo in $(hostname); exit\n'), /in host-pod\d+\r\n/);
      await pod.machine.stop();
      pod = undefined;
    });

  it('says so when the pod does not run', async () => {
    await pod?.machine.stop();
    const running = pod;
    pod = undefined;
    assert.match(await typed(''), /pod is not running/);
    pod = running === undefined ? undefined : await center.start();
  });
});
