import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { Server as Ssh2Server, type Connection, type ServerChannel } from 'ssh2';
import { quote } from '../../src/base/shell';
import { sleep } from '../../src/base/time';
import { makeKeyPair, startSshd, type KeyPair } from '../support/sshd';
import { sftpServerPath, tampered, type Tamper } from './pipeHost';
import type { Server } from './pod';

/** OpenSSH's SFTP, locked into a folder of its own. `dir` becomes a link to where it lies in there, so both sides use one path. Needs root. */
export async function startLockedIn(key: KeyPair, dir: string): Promise<Server> {
  // Nobody else may be able to write to any folder on the way there.
  const root = await fs.mkdtemp('/run/runpod-chroot-');
  await fs.chmod(root, 0o755);
  await fs.mkdir(root + dir, { recursive: true });
  await fs.rmdir(dir);
  await fs.symlink(root + dir, dir);
  const sshd = await startSshd({ authorizedKeys: [key.publicKey], extraConfig: `ChrootDirectory ${root}\nForceCommand internal-sftp` });
  return {
    ...sshd,
    stop: async () => {
      await sshd.stop();
      await fs.rm(root, { recursive: true, force: true });
    },
  };
}

/**
 * Dropbear, which many small images have, with OpenSSH's SFTP server behind it. Needs root, for a home with the key. Where a
 * command ends while another session opens, dropbear 2022.83 closes that one, or dies of an assertion of its own.
 */
export async function startDropbear(key: KeyPair): Promise<Server> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-dropbear-'));
  const home = path.join(dir, 'home');
  await fs.mkdir(path.join(home, '.ssh'), { recursive: true, mode: 0o700 });
  await fs.chmod(dir, 0o755);
  await fs.writeFile(path.join(home, '.ssh', 'authorized_keys'), `${key.publicKey}\n`, { mode: 0o600 });
  execFileSync('dropbearkey', ['-t', 'ed25519', '-f', path.join(dir, 'host')], { stdio: 'ignore' });
  const { username } = os.userInfo();
  const accounts = (await fs.readFile('/etc/passwd', 'utf8')).split('\n').map((line) => (line.startsWith(`${username}:`) ? line.split(':').map((field, i) => (i === 5 ? home : field)).join(':') : line));
  await fs.writeFile(path.join(dir, 'passwd'), accounts.join('\n'));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const command = `mount --bind ${quote(path.join(dir, 'passwd'))} /etc/passwd && exec dropbear -F -E -s -p 127.0.0.1:${port} -r ${quote(path.join(dir, 'host'))} -P ''`;
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const stop = async (): Promise<void> => {
      await ended(child);
      await fs.rm(dir, { recursive: true, force: true });
    };
    for (let i = 0; i < 200 && child.exitCode === null; i++) {
      if (await answers(port)) return { host: '127.0.0.1', port, username, stop, oneAtATime: true };
      await sleep(25);
    }
    await ended(child);
    if (attempt === 3) throw new Error(`dropbear did not start: ${log}`);
  }
}

/** A server made of ssh2 in this process, with OpenSSH's SFTP server behind a hand on every packet. Whoever comes may log in. */
export async function startSsh2Server(how: { up?: () => Tamper; down?: () => Tamper } = {}): Promise<Server> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-ssh2-'));
  const hostKey = await makeKeyPair(path.join(dir, 'host'));
  const children = new Set<ChildProcess>();
  const connections = new Set<Connection>();
  const start = (channel: ServerChannel, file: string, args: readonly string[]): ChildProcess => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' });
    children.add(child);
    child.stdin.on('error', () => undefined);
    channel.on('error', () => undefined);
    child.on('close', (code) => {
      children.delete(child);
      channel.exit(code ?? 1);
      channel.end();
    });
    return child;
  };
  const server = new Ssh2Server({ hostKeys: [readFileSync(hostKey.path)] }, (connection) => {
    connections.add(connection);
    connection.on('error', () => undefined);
    connection.on('close', () => connections.delete(connection));
    connection.on('authentication', (attempt) => (attempt.method === 'publickey' ? attempt.accept() : attempt.reject(['publickey'])));
    connection.on('session', (accept) => {
      const session = accept();
      session.on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const child = start(channel, 'sh', ['-c', command]);
        channel.on('data', (chunk: Buffer) => child.stdin?.write(chunk));
        channel.on('end', () => child.stdin?.end());
        child.stdout?.on('data', (chunk: Buffer) => channel.write(chunk));
        child.stderr?.on('data', (chunk: Buffer) => channel.stderr.write(chunk));
      });
      session.on('subsystem', (acceptSubsystem, reject, { name }) => {
        if (name !== 'sftp') return reject();
        const channel = acceptSubsystem();
        const child = start(channel, sftpServerPath(), []);
        channel.on('data', tampered(how.up?.(), (bytes) => child.stdin?.write(bytes)));
        channel.on('close', () => child.kill('SIGKILL'));
        child.stdout?.on('data', tampered(how.down?.(), (bytes) => channel.write(bytes)));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as net.AddressInfo;
  return {
    host: '127.0.0.1',
    port: address.port,
    username: os.userInfo().username,
    stop: async () => {
      for (const connection of connections) connection.end();
      for (const child of children) child.kill('SIGKILL');
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await fs.rm(dir, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await over;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const done = (does: boolean): void => {
      socket.destroy();
      resolve(does);
    };
    socket.once('data', () => done(true));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
