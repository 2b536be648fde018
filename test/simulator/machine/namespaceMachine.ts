import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { messageOf } from '../../../src/base/errors';
import { backoff, sleep, withDeadline } from '../../../src/base/time';
import type { LogSource, MachineSpec } from '../machine';
import type { Disk, LocalMachine } from './host';
import { commandOf, environmentOf, podTools, writeImage, type PodUser } from './image';
import { eachLine } from './lines';
import { connectThroughRelay, serveApiTo } from './relay';
import { shellWords } from './words';
import { killed } from '../../support/kill';

const run = promisify(execFile);
const scripts = path.join(__dirname, 'namespace');
/** Sixty times what a pod needs here; a deadline only against a hang. */
const startDeadlineMs = 120_000;

/** What a machine that grants namespaces offers, found out once. */
export interface NamespaceGrounds {
  /** Whether namespaces need one for users first. The pod's `root` is then an ordinary user of that name. */
  readonly unprivileged: boolean;
  /** A Python to show to pods when the machine's is not where programs lie. */
  readonly pythonPrefix: string | undefined;
  readonly containerDiskBytes: number;
  /** Absolute paths of the machine's tools. */
  readonly tool: (name: string) => string;
}

const without = ['sys_admin', 'sys_module', 'sys_rawio', 'sys_boot', 'sys_time', 'sys_resource', 'sys_tty_config', 'sys_pacct', 'mknod', 'net_admin', 'syslog', 'mac_admin', 'mac_override', 'dac_read_search', 'linux_immutable', 'audit_control', 'wake_alarm', 'block_suspend', 'lease'];

const toolPath = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${process.env['PATH'] ?? ''}`;

/** A pod with mounts, processes, network and host name of its own. */
export class NamespaceMachine implements LocalMachine {
  restarts = 0;
  #dir = '';
  #holder: ChildProcess | undefined;
  #container: ChildProcess | undefined;
  #api: { close(): void } | undefined;
  #starting: Promise<void> = Promise.resolve();
  #loop: Promise<void> = Promise.resolve();
  #stopping = new AbortController();
  #syncing: Promise<unknown> | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  readonly #execs = new Set<ChildProcess>();
  readonly #words: readonly string[];

  constructor(
    private readonly stateDir: string,
    private readonly spec: MachineSpec,
    private readonly grounds: NamespaceGrounds,
    private readonly log: (source: LogSource, line: string) => void,
  ) {
    this.#words = shellWords(spec.args);
  }

  get mountPath(): string | undefined {
    return this.spec.mountPath;
  }

  get #user(): PodUser {
    return this.grounds.unprivileged ? { uid: 1000, gid: 1000 } : { uid: 0, gid: 0 };
  }

  start(): Promise<void> {
    this.#stopping = new AbortController();
    this.restarts = 0;
    const started = this.#start();
    this.#starting = started.catch(() => undefined);
    return started;
  }

  async #start(): Promise<void> {
    // Short: the path of a Unix socket has room for a hundred bytes.
    this.#dir = await mkdtemp(path.join(this.stateDir.length < 60 ? this.stateDir : os.tmpdir(), 'pod-'));
    try {
      const [base, seed] = [path.join(this.#dir, 'base'), path.join(this.#dir, 'seed')];
      await mkdir(base);
      const { tool, unprivileged } = this.grounds;
      const tools = { df: tool('df'), own: [...(unprivileged ? [tool('unshare'), tool('nsenter')] : [tool('setpriv')]), tool('script')] };
      await writeImage(seed, this.spec, this.#user, tools);
      this.#api = await serveApiTo(this.#socket('api'), this.spec.apiPort);
      await this.#hold(base, seed);
      await this.#runOnce();
      if (this.#stopping.signal.aborted) throw new Error('Stopped while it started');
    } catch (error) {
      await this.#tearDown();
      throw error;
    }
    this.#loop = this.#keepRunning();
    if (this.spec.volumeQuotaBytes !== undefined) this.#syncSoon();
  }

  connect(privatePort: number): Promise<Duplex> {
    if (this.#container === undefined) return Promise.reject(new Error('The pod is not running'));
    return connectThroughRelay(this.#socket('relay'), privatePort);
  }

  exec(argv: readonly string[], options: { env?: Record<string, string> } = {}): ChildProcess {
    const [container, holder] = [this.#container?.pid, this.#holder?.pid];
    if (container === undefined || holder === undefined) throw new Error('The pod is not running');
    const enter = [
      'nsenter',
      `--mount=/proc/${container}/ns/mnt`,
      `--pid=/proc/${container}/ns/pid_for_children`,
      ...['net', 'uts', 'ipc'].map((kind) => `--${kind}=/proc/${holder}/ns/${kind}`),
      '--',
      // The pod's own user namespace lies within the holder's.
      ...(this.grounds.unprivileged ? [`${podTools}/nsenter`, '--user=/proc/1/ns/user', '--preserve-credentials', '--'] : this.#limits()),
      ...environment({ ...environmentOf(this.spec), ...options.env }),
      ...argv,
    ];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...this.#enterUserNamespace(), ...enter], { env: { PATH: toolPath } });
    this.#execs.add(child);
    child.once('close', () => this.#execs.delete(child));
    return child;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#starting;
    clearTimeout(this.#syncTimer);
    await this.#syncing;
    await this.#tearDown();
  }

  async #tearDown(): Promise<void> {
    this.#stopping.abort();
    const ran = this.#container !== undefined;
    await this.#killContainer();
    await this.#loop;
    await Promise.all([...this.#execs].map((child) => once(child, 'close')));
    // The last copy, now that nothing writes any more.
    if (ran) await this.#sync();
    const holder = this.#holder;
    this.#holder = undefined;
    if (holder?.pid !== undefined && holder.exitCode === null && holder.signalCode === null) {
      holder.kill('SIGKILL');
      await once(holder, 'close');
    }
    this.#api?.close();
    this.#api = undefined;
    if (this.#dir !== '') await rm(this.#dir, { recursive: true, force: true });
    this.#dir = '';
  }

  async fill(disk: Disk, freeBytes = 0): Promise<void> {
    // Something must be on the disk, for none is smaller than a page, and size 0 means no limit.
    await writeFile(path.join(this.#diskDir(disk), 'filler'), Buffer.alloc(4096));
    const { blocks, bfree, bsize } = await statfs(this.#diskDir(disk));
    await this.#resize(disk, (blocks - bfree) * bsize + freeBytes);
  }

  async release(disk: Disk): Promise<void> {
    const { volumeQuotaBytes = 0 } = this.spec;
    await this.#resize(disk, disk === 'container' ? this.grounds.containerDiskBytes : volumeQuotaBytes);
    await rm(path.join(this.#diskDir(disk), 'filler'), { force: true });
  }

  /** A disk that shrinks to what it holds is full, and takes no memory for it. */
  async #resize(disk: Disk, bytes: number): Promise<void> {
    const inside = path.join(this.#dir, 'base', disk === 'container' ? '' : 'volume');
    this.#diskDir(disk);
    const enter = [...this.#enterUserNamespace(), 'nsenter', `--mount=/proc/${this.#holder?.pid}/ns/mnt`, '--', 'mount', '-t', 'tmpfs', '-o', `remount,size=${bytes}`, 'tmpfs', inside];
    await run('env', enter, { env: { PATH: toolPath } });
  }

  /** A disk's own directory, above what the pod sees of it. Reached through its holder: nothing of it is mounted out here. */
  #diskDir(disk: Disk): string {
    if (this.#holder === undefined) throw new Error('The pod is not running');
    const base = `/proc/${this.#holder.pid}/cwd/`;
    if (disk === 'container') return base;
    if (this.spec.volumeQuotaBytes === undefined) throw new Error('Only a volume with a quota can be filled: another is as large as this machine has room');
    return path.join(base, 'volume/');
  }

  #socket(name: string): string {
    return path.join(this.#dir, `${name}.sock`);
  }

  async #hold(base: string, seed: string): Promise<void> {
    const { spec, grounds } = this;
    const node = ['--max-semi-space-size=1', path.join(scripts, 'relay.mjs'), this.#socket('relay'), this.#socket('api'), String(spec.apiPort)];
    const namespaces = [...(grounds.unprivileged ? ['--user', '--map-root-user'] : []), '--mount', '--net', '--uts', '--ipc'];
    const holder = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...namespaces, 'sh', path.join(scripts, 'hold.sh'), process.execPath, ...node], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: toolPath,
        BASE: base,
        SEED: seed,
        SIZE: String(grounds.containerDiskBytes),
        BUSYBOX: spec.image === 'busybox' ? grounds.tool('busybox') : '',
        OVERLAY: grounds.unprivileged ? ',userxattr' : '',
        VOLUME: spec.volumeDir ?? '',
        MOUNT: (spec.volumeDir !== undefined && spec.mountPath) || '',
        QUOTA: spec.volumeQuotaBytes === undefined ? '' : String(spec.volumeQuotaBytes),
        HIDE: [path.resolve(__dirname, '../../..'), this.stateDir, os.homedir()].map((dir) => `${dir}\n`).join(''),
        PYTHON: grounds.pythonPrefix ?? '',
        POD_HOSTNAME: spec.hostname,
      },
    });
    this.#holder = holder;
    await ready(holder, holder.stdout, 'The pod’s file system');
  }

  /** Starts PID 1 and waits until it is the command. */
  async #runOnce(): Promise<void> {
    const holder = this.#holder?.pid;
    const enter = ['nsenter', ...['mnt', 'net', 'uts', 'ipc'].map((kind) => `--${kind === 'mnt' ? 'mount' : kind}=/proc/${holder}/ns/${kind}`), '--'];
    const unshare = ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', path.join(scripts, 'run.sh'), path.join(this.#dir, 'base')];
    const command = [...this.#limits(), ...environment(environmentOf(this.spec)), ...commandOf(this.spec.image, this.#words)];
    const container = spawn('setpriv', ['--pdeathsig', 'KILL', ...this.#enterUserNamespace(), ...enter, ...unshare, ...command], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { PATH: toolPath },
    });
    eachLine(container.stdout as Readable, (line) => this.log('container', line));
    this.#container = container;
    await ready(container, container.stdio[3] as Readable, 'The container');
  }

  /** The platform starts a command that ends again, each time a little later. */
  async #keepRunning(): Promise<void> {
    for (let quick = 0; ; ) {
      const since = Date.now();
      const container = this.#container;
      if (container !== undefined && container.exitCode === null && container.signalCode === null) await once(container, 'close');
      if (this.#stopping.signal.aborted) return;
      quick = Date.now() - since < 10_000 ? quick + 1 : 0;
      try {
        await sleep(backoff(quick, 50, 5_000, () => 1), this.#stopping.signal);
        this.restarts++;
        await this.#runOnce();
        // Stopped while it came up.
        if (this.#stopping.signal.aborted) await this.#killContainer();
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        this.log('system', messageOf(error));
      }
    }
  }

  /** Kills PID 1. Its parent out here ends when the last process of the container has. */
  async #killContainer(): Promise<void> {
    const container = this.#container;
    if (container?.pid === undefined) return;
    if (container.exitCode === null && container.signalCode === null) {
      const closed = once(container, 'close');
      const first = await this.#firstProcess(container.pid);
      if (first === undefined) container.kill('SIGKILL');
      else killed(first);
      await closed;
    }
    if (this.#container === container) this.#container = undefined;
  }

  async #firstProcess(parent: number): Promise<number | undefined> {
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
    return Number(children.trim().split(' ')[0]) || undefined;
  }

  #enterUserNamespace(): string[] {
    return this.grounds.unprivileged ? ['nsenter', `--user=/proc/${this.#holder?.pid}/ns/user`, '--preserve-credentials', '--'] : [];
  }

  /** What keeps a container's processes from doing what a container's may not. */
  #limits(): string[] {
    const { uid, gid } = this.#user;
    return this.grounds.unprivileged
      ? [`${podTools}/unshare`, '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--']
      : [`${podTools}/setpriv`, `--bounding-set=${without.map((capability) => `-${capability}`).join(',')}`, '--'];
  }

  #syncSoon(): void {
    this.#syncTimer = setTimeout(() => {
      this.#syncing = this.#sync().finally(() => {
        if (!this.#stopping.signal.aborted) this.#syncSoon();
      });
    }, 1000);
  }

  /** Brings what a limited volume holds to the directory that outlives the pod. */
  async #sync(): Promise<void> {
    const { volumeDir, volumeQuotaBytes } = this.spec;
    if (volumeDir === undefined || volumeQuotaBytes === undefined || this.#holder === undefined) return;
    try {
      await run(this.grounds.tool('rsync'), ['-a', '--delete', `/proc/${this.#holder.pid}/cwd/volume/data/`, `${volumeDir}/`]);
    } catch (error) {
      // A file that went away during the copy (24) comes right the next time.
      if (!messageOf(error).includes('code 24')) this.log('system', `volume: ${messageOf(error)}`);
    }
  }
}

/** Runs what follows with this environment and no other. */
const environment = (env: Readonly<Record<string, string>>): string[] => ['env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];

/** Waits for the first word on `stream`; rejects with what the process complained about when it ends instead. */
async function ready(child: ChildProcess, stream: Readable, what: string): Promise<void> {
  let complaint = '';
  const onComplaint = (chunk: Buffer): void => {
    complaint += chunk.toString();
  };
  child.stderr?.on('data', onComplaint);
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${what} did not start: ${complaint.trim()}`)));
  });
  await withDeadline(Promise.race([once(stream, 'data'), ended]), startDeadlineMs, what);
  ended.catch(() => undefined);
  stream.resume();
}
