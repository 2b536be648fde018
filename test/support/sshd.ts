import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { quote } from '../../src/base/shell';
import { sleep } from '../../src/base/time';
import { killed } from './kill';

const run = promisify(execFile);

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface KeyPair {
  /** The private key's file, OpenSSH format, mode 0600; the public one lies beside it as `.pub`. */
  readonly path: string;
  readonly type: KeyType;
  /** The public key's line, as `authorized_keys` wants it. */
  readonly publicKey: string;
  /** `SHA256:…` as OpenSSH prints it. */
  readonly fingerprint: string;
}

export interface SshdOptions {
  /** Lines of public keys that may log in. */
  readonly authorizedKeys: readonly string[];
  /** `internal-sftp` (the default), the path of an SFTP server, or `none` for a server without the subsystem. */
  readonly sftp?: string;
  /** The types of host key it has, first one first. ED25519 alone unless told. */
  readonly hostKeyTypes?: readonly KeyType[];
  /** Host keys made before, for a server that comes back as the same one. */
  readonly hostKeys?: readonly KeyPair[];
  /** Lines of `sshd_config`; they come first, and the first mention of an option wins. */
  readonly extraConfig?: string;
  /** Set in every session. */
  readonly env?: Readonly<Record<string, string>>;
  /** The same port again, for a server that comes back; it must be free. */
  readonly port?: number;
  /** Who logs in; only root can serve others than itself. */
  readonly user?: string;
}

/** A plain OpenSSH server on loopback. */
export interface Sshd {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  /** The directory a login starts in. A folder of its own where we are root. */
  readonly home: string;
  readonly hostKeys: readonly KeyPair[];
  /** `SHA256:…` of the first host key. */
  readonly hostKeyFingerprint: string;
  /** What sshd has logged so far (`LogLevel VERBOSE`). */
  readonly log: string;
  /** A folder of the server's own that goes with it. */
  readonly dir: string;
  /** Whether what its sessions started ends with it; not so where namespaces are refused. */
  readonly contained: boolean;
  /** Ends the server and, where `contained`, everything its sessions started. */
  stop(): Promise<void>;
}

/** Makes a key pair in `file` and `file.pub` with ssh-keygen. RSA has 2048 bits. */
export async function makeKeyPair(file: string, options: { type?: KeyType; passphrase?: string; comment?: string } = {}): Promise<KeyPair> {
  const type = options.type ?? 'ed25519';
  const bits = type === 'rsa' ? ['-b', '2048'] : [];
  await run('ssh-keygen', ['-q', '-t', type, ...bits, '-N', options.passphrase ?? '', '-C', options.comment ?? 'test', '-f', file]);
  const publicKey = (await readFile(`${file}.pub`, 'utf8')).trim();
  return { path: file, type, publicKey, fingerprint: fingerprintOf(publicKey) };
}

/** `SHA256:…` of a public key's line, as `ssh-keygen -l` prints it. */
export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(/\s+/)[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The path of the OpenSSH server; it insists on being called by it. */
export function sshdPath(): string {
  if (process.platform === 'win32') throw new Error('A real sshd is needed: run this in WSL (https://learn.microsoft.com/windows/wsl)');
  const folders = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin', ...(process.env['PATH'] ?? '').split(':')];
  const found = folders.map((folder) => path.join(folder, 'sshd')).find((file) => existsSync(file));
  if (found === undefined) throw new Error('No sshd found. On Debian or Ubuntu: apt-get install openssh-server');
  return found;
}

/** Starts a real sshd on a free loopback port and waits until it answers. It dies with this process, however that ends. */
export async function startSshd(options: SshdOptions): Promise<Sshd> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'runpod-sshd-'));
  try {
    const hostKeys =
      options.hostKeys ?? (await Promise.all((options.hostKeyTypes ?? ['ed25519']).map((type) => makeKeyPair(path.join(dir, `host_${type}`), { type, comment: 'host' }))));
    const isRoot = process.getuid?.() === 0;
    // sshd's own place for unprivileged children; a service would have made it.
    if (isRoot) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    const username = options.user ?? os.userInfo().username;
    await writeFile(path.join(dir, 'authorized_keys'), options.authorizedKeys.map((key) => `${key}\n`).join(''));
    const accounts = isRoot ? await writeAccounts(dir, username) : undefined;
    const isolation = await grantedIsolation();
    for (let attempt = 1; ; attempt++) {
      const port = options.port ?? (await freePort());
      await writeFile(path.join(dir, 'sshd_config'), configOf(options, dir, hostKeys, port));
      const server = new SshdProcess(dir, isolation);
      if (await server.answers(port)) {
        const [first] = hostKeys;
        if (first === undefined) throw new Error('A server needs a host key');
        return {
          host: '127.0.0.1',
          port,
          username,
          home: accounts?.home ?? os.userInfo().homedir,
          hostKeys,
          hostKeyFingerprint: first.fingerprint,
          dir,
          contained: isolation !== 'none',
          get log() {
            return server.log;
          },
          stop: async () => {
            await server.stop();
            await rm(dir, { recursive: true, force: true });
          },
        };
      }
      await server.stop();
      // Between our look and sshd's bind, another process may have taken the port.
      if (attempt === 5 || options.port !== undefined || !server.log.includes('Address already in use')) throw new Error(`sshd did not start:\n${server.log}`);
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

function configOf(options: SshdOptions, dir: string, hostKeys: readonly KeyPair[], port: number): string {
  const sftp = options.sftp ?? 'internal-sftp';
  const env = Object.entries(options.env ?? {}).map(([name, value]) => `"${name}=${value.replaceAll('"', '\\"')}"`);
  return [
    options.extraConfig ?? '',
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeys.map((key) => `HostKey ${key.path}`),
    `AuthorizedKeysFile ${path.join(dir, 'authorized_keys')}`,
    'UsePAM no',
    'StrictModes no',
    'PidFile none',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PrintMotd no',
    'LogLevel VERBOSE',
    // Only the first SetEnv line counts.
    ...(env.length > 0 ? [`SetEnv ${env.join(' ')}`] : []),
    ...(sftp === 'none' ? [] : [`Subsystem sftp ${sftp}`]),
    '',
  ].join('\n');
}

/**
 * Account files of the server's own: the login gets an empty home, and an account that the machine keeps locked (as Ubuntu
 * does with root) can log in. They are bound over the machine's inside the server's mount namespace only.
 */
async function writeAccounts(dir: string, username: string): Promise<{ home: string } | undefined> {
  if ((await grantedIsolation()) !== 'accounts') return undefined;
  const home = path.join(dir, 'home');
  await mkdir(home, { mode: 0o755 });
  const passwd = await readFile('/etc/passwd', 'utf8');
  const line = passwd.split('\n').find((account) => account.startsWith(`${username}:`));
  if (line === undefined) throw new Error(`No account ${username}`);
  const fields = line.split(':');
  await run('chown', [`${fields[2]}:${fields[3]}`, home]);
  fields[5] = home;
  await writeFile(path.join(dir, 'passwd'), passwd.replace(line, fields.join(':')));
  const shadow = await readFile('/etc/shadow', 'utf8');
  await writeFile(path.join(dir, 'shadow'), shadow.replace(new RegExp(`^${username}:[^:]*`, 'm'), `${username}:*`), { mode: 0o600 });
  // sshd's unprivileged child reads the account list too.
  await run('chmod', ['755', dir]);
  return { home };
}

type Isolation = 'accounts' | 'processes' | 'none';
let granted: Promise<Isolation> | undefined;

/**
 * What this machine grants us. Root may make mount and process namespaces, others the latter inside a user namespace;
 * hardened hosts and other systems grant neither.
 */
function grantedIsolation(): Promise<Isolation> {
  const tryUnshare = (...flags: string[]): Promise<boolean> =>
    run('unshare', [...flags, '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'true']).then(
      () => true,
      () => false,
    );
  return (granted ??= (async () => {
    if (process.getuid?.() === 0 && (await tryUnshare())) return 'accounts';
    return process.getuid?.() !== 0 && (await tryUnshare('--user', '--map-current-user')) ? 'processes' : 'none';
  })());
}

class SshdProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #running = true;
  log = '';

  constructor(dir: string, isolation: Isolation) {
    const sshd = [sshdPath(), '-D', '-e', '-f', path.join(dir, 'sshd_config')];
    const bindAccounts = ['passwd', 'shadow'].map((name) => `mount --bind ${quote(path.join(dir, name))} /etc/${name}`).join(' && ');
    const unshare = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    // Without namespaces a shell waits for our end of its standard input to close, and ends the server with it.
    const guard = 'exec 3<&0; "$@" </dev/null 3<&- & p=$!; (cat <&3 >/dev/null; kill -9 $p 2>/dev/null) & exec 3<&-; wait $p';
    const commands: Record<Isolation, [string, string[]]> = {
      accounts: ['setpriv', [...unshare, 'sh', '-c', `${bindAccounts} && exec "$@"`, 'sshd', ...sshd]],
      processes: ['setpriv', [...unshare, '--user', '--map-current-user', ...sshd]],
      none: ['sh', ['-c', guard, 'sshd', ...sshd]],
    };
    const [file, args] = commands[isolation];
    this.#child = spawn(file, args, { stdio: [isolation === 'none' ? 'pipe' : 'ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    this.#ended = new Promise<void>((resolve) => {
      this.#child.once('error', (error) => {
        this.log += error.message;
        resolve();
      });
      this.#child.once('close', () => resolve());
    }).then(() => {
      this.#running = false;
    });
  }

  /** Whether sshd greets on `port` before it ends or a minute passes, which a busy machine may take. */
  async answers(port: number): Promise<boolean> {
    for (const until = Date.now() + 60_000; this.#running && Date.now() < until; ) {
      if (this.log.includes('Address already in use')) return false;
      if (this.log.includes('Server listening') && (await greets(port))) return true;
      await sleep(10);
    }
    return false;
  }

  async stop(): Promise<void> {
    if (this.#child.stdin) this.#child.stdin.end();
    else if (this.#running) {
      // The kernel ends a namespace before the parent of its first process hears of that one's end; ended the other way
      // round, what is in it would outlive this call by a moment. The parent ends only where that one is not known.
      const { pid } = this.#child;
      const [first] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')).split(' ');
      if (first === undefined || first === '' || !killed(Number(first))) this.#child.kill('SIGKILL');
    }
    await this.#ended;
  }
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('data', (chunk) => {
      resolve(chunk.toString().startsWith('SSH-2.0-'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('A TCP listener has no TCP address');
  return address.port;
}
