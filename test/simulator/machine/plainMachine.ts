import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';
import { isCancelled, messageOf } from '../../../src/base/errors';
import { sleep } from '../../../src/base/time';
import { makeKeyPair, startSshd, type KeyPair, type Sshd } from '../../support/sshd';
import type { LogSource, MachineSpec } from '../machine';
import type { Disk, LocalMachine } from './host';
import { killed } from '../../support/kill';

/**
 * A pod where the system refuses namespaces: sshd alone, as whoever we are, in the machine's own file system. Its start
 * command is not run, for it would run on the machine itself; the log says what the image's start script would.
 */
export class PlainMachine implements LocalMachine {
  readonly restarts = 0;
  mountPath: string | undefined;
  #dir: string | undefined;
  #sshd: Sshd | undefined;
  #starting: Promise<void> = Promise.resolve();
  #stopping = new AbortController();
  #running = false;
  readonly #execs = new Set<ChildProcess>();

  constructor(
    private readonly spec: MachineSpec,
    private readonly log: (source: LogSource, line: string) => void,
  ) {}

  async start(): Promise<void> {
    this.mountPath = this.spec.volumeDir === undefined ? undefined : await realpath(this.spec.volumeDir);
    this.#stopping = new AbortController();
    this.#dir = await mkdtemp(path.join(os.tmpdir(), 'runpod-plain-'));
    this.#running = true;
    const publicKey = this.spec.env['PUBLIC_KEY'] ?? '';
    const serves = publicKey !== '' && this.spec.image !== 'no-sshd' && (this.spec.args === '' || this.spec.image === 'entrypoint' || this.spec.args.includes('/start.sh'));
    this.log('container', 'Pod Started');
    if (!serves) return;
    const hostKeys = await this.#newHostKeys(this.#dir);
    for (let i = 1; i <= this.spec.chatterLines; i++) this.log('container', `[startup] checking component ${i} of ${this.spec.chatterLines}: ok`);
    this.log('container', 'Start script(s) finished, Pod is ready to use.');
    this.#starting = this.#serve(publicKey, hostKeys);
    if (this.spec.sshDelayMs === 0) await this.#starting;
  }

  async connect(privatePort: number): Promise<Duplex> {
    const port = privatePort === 22 ? this.#sshd?.port : undefined;
    if (port === undefined) throw new Error(`Nothing listens on port ${privatePort} of the pod`);
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  }

  exec(argv: readonly string[], options: { env?: Record<string, string> } = {}): ChildProcess {
    const [file, ...args] = argv;
    if (file === undefined || !this.#running) throw new Error('The pod is not running');
    const child = spawn(file, args, { cwd: this.mountPath, env: { ...process.env, ...this.spec.env, ...options.env }, detached: true });
    this.#execs.add(child);
    child.once('close', () => this.#execs.delete(child));
    return child;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#stopping.abort();
    await this.#starting;
    for (const child of this.#execs) if (child.pid !== undefined) killed(-child.pid);
    await this.#sshd?.stop();
    this.#sshd = undefined;
    if (this.#dir !== undefined) await rm(this.#dir, { recursive: true, force: true });
  }

  fill(disk: Disk): Promise<void> {
    return Promise.reject(new Error(`The ${disk} disk of a pod without namespaces is this machine's`));
  }

  release(_disk: Disk): Promise<void> {
    return Promise.resolve();
  }

  async #newHostKeys(dir: string): Promise<KeyPair[]> {
    this.log('container', 'Setting up SSH...');
    const types = ['rsa', 'ecdsa', 'ed25519'] as const;
    const keys = await Promise.all(types.map((type) => makeKeyPair(path.join(dir, `ssh_host_${type}_key`), { type, comment: `root@${this.spec.hostname}` })));
    if (this.spec.image === 'no-fingerprints') return keys;
    const print = (key: KeyPair): void => {
      const bits = { rsa: 2048, ecdsa: 256, ed25519: 256 }[key.type];
      this.log('container', `${bits} ${key.fingerprint} root@${this.spec.hostname} (${key.type.toUpperCase()})`);
    };
    for (const key of keys) {
      this.log('container', `${key.type.toUpperCase()} key fingerprint:`);
      print(key);
    }
    this.log('container', 'SSH host keys:');
    for (const key of keys) {
      this.log('container', `Key: /etc/ssh/ssh_host_${key.type}_key.pub`);
      print(key);
    }
    return keys;
  }

  async #serve(publicKey: string, hostKeys: readonly KeyPair[]): Promise<void> {
    try {
      await sleep(this.spec.sshDelayMs, this.#stopping.signal);
      const sshd = await startSshd({ authorizedKeys: publicKey.split('\n'), hostKeys });
      if (this.#running) this.#sshd = sshd;
      else await sshd.stop();
    } catch (error) {
      if (!isCancelled(error)) this.log('system', messageOf(error));
    }
  }
}
