import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { openRelay } from '../simulator/link';
import { makeKeyPair, startSshd, type KeyPair, type Sshd } from './sshd';
import { until } from './until';

const run = promisify(execFile);

describe('a real sshd for tests', () => {
  let dir: string;
  let key: KeyPair;
  let sshd: Sshd | undefined;

  before(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'runpod-sshd-test-'));
    key = await makeKeyPair(path.join(dir, 'id'));
  });
  afterEach(async () => {
    await sshd?.stop();
    sshd = undefined;
  });
  after(() => rm(dir, { recursive: true }));

  /** OpenSSH's client, told which host key to expect. */
  const clientOptions = async (server: Sshd, port = server.port): Promise<string[]> => {
    const knownHosts = path.join(dir, `known_${port}`);
    await writeFile(knownHosts, server.hostKeys.map((hostKey) => `[127.0.0.1]:${port} ${hostKey.publicKey}\n`).join(''));
    return ['-F', 'none', '-i', key.path, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${knownHosts}`];
  };
  const ssh = async (server: Sshd, command: string, port = server.port): Promise<string> =>
    (await run('ssh', [...(await clientOptions(server, port)), '-p', String(port), `${server.username}@${server.host}`, command])).stdout;

  it('runs commands, knows its fingerprint, passes its environment', async () => {
    sshd = await startSshd({ authorizedKeys: [key.publicKey], env: { MODEL: 'llama ft', RANK: '8' } });
    assert.equal(await ssh(sshd, 'echo "$MODEL $RANK"; pwd'), `llama ft 8\n${sshd.home}\n`);
    assert.match(sshd.log, /Accepted publickey/);
    const { stdout } = await run('ssh-keygen', ['-lf', `${sshd.hostKeys[0]?.path}.pub`]);
    assert.ok(stdout.includes(sshd.hostKeyFingerprint));
  });

  it('serves SFTP, through a link too', async () => {
    sshd = await startSshd({ authorizedKeys: [key.publicKey] });
    const link = await openRelay(sshd, { rttMs: 10 });
    const batch = path.join(dir, 'batch');
    const file = path.join(sshd.dir, 'train.py');
    await writeFile(batch, `put ${key.path}.pub ${file}\nls -l ${file}\n`);
    await run('sftp', [...(await clientOptions(sshd, link.port)), '-P', String(link.port), '-b', batch, `${sshd.username}@${link.host}`]);
    assert.equal((await readFile(file, 'utf8')).trim(), key.publicKey);
    assert.ok(link.counts.flightsUp > 5);
    await link.close();
  });

  it('has the host keys it was asked for, and can come back as itself on its port', async () => {
    const keys = await Promise.all((['rsa', 'ecdsa'] as const).map((type) => makeKeyPair(path.join(dir, `host_${type}`), { type })));
    sshd = await startSshd({ authorizedKeys: [key.publicKey], hostKeys: keys });
    const { port } = sshd;
    assert.equal(sshd.hostKeyFingerprint, keys[0]?.fingerprint);
    await sshd.stop();
    sshd = await startSshd({ authorizedKeys: [key.publicKey], hostKeys: keys, port });
    assert.equal(sshd.port, port);
    assert.equal(await ssh(sshd, 'echo back'), 'back\n');
  });

  it('refuses keys it was not given', async () => {
    const stranger = await makeKeyPair(path.join(dir, 'stranger'));
    sshd = await startSshd({ authorizedKeys: [stranger.publicKey] });
    await assert.rejects(ssh(sshd, 'true'), /Permission denied/);
  });

  it('takes configuration, and leaves SFTP out when told', async () => {
    sshd = await startSshd({ authorizedKeys: [key.publicKey], sftp: 'none', extraConfig: 'Banner none\nMaxSessions 1' });
    const batch = path.join(dir, 'batch-none');
    await writeFile(batch, 'ls\n');
    await assert.rejects(run('sftp', [...(await clientOptions(sshd)), '-P', String(sshd.port), '-b', batch, `${sshd.username}@${sshd.host}`]));
    assert.match(sshd.log, /subsystem request for sftp.*failed/i);
  });

  it('is gone when stopped, with what its sessions left running', async () => {
    sshd = await startSshd({ authorizedKeys: [key.publicKey] });
    const marker = `86${Date.now()}`;
    await ssh(sshd, `setsid sleep ${marker} >/dev/null 2>&1 </dev/null & echo started`);
    const { dir: serverDir, port, contained } = sshd;
    await sshd.stop();
    assert.equal(existsSync(serverDir), false);
    const socket = net.connect(port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    if (contained) assert.deepEqual(await processesNaming(marker), []);
  });

  it('dies with the program that started it, even when that is killed', async () => {
    const script = `import { startSshd } from ${JSON.stringify(path.join(__dirname, 'sshd.ts'))};
      startSshd({ authorizedKeys: [] }).then((sshd) => console.log(JSON.stringify([sshd.port, sshd.dir])));`;
    const file = path.join(dir, 'starter.ts');
    await writeFile(file, script);
    const child = spawn(process.execPath, ['--import', require.resolve('tsx'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const [, serverDir] = JSON.parse(line.toString()) as [number, string];
    assert.notDeepEqual(await processesNaming(serverDir), []);
    child.kill('SIGKILL');
    await until(async () => (await processesNaming(serverDir)).length === 0, 'its end');
    await rm(serverDir, { recursive: true });
  });
});

/** Command lines of all processes that mention `text`. */
async function processesNaming(text: string): Promise<string[]> {
  if (!existsSync('/proc')) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(text)).map((line) => line.replaceAll('\0', ' '));
}
