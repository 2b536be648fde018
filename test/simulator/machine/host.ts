import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../../src/base/errors';
import { silentLog, type Logger } from '../../../src/base/log';
import type { LogSource, Machine, MachineHost, MachineSpec } from '../machine';
import { NamespaceMachine, type NamespaceGrounds } from './namespaceMachine';
import { PlainMachine } from './plainMachine';

const run = promisify(execFile);

/** The container's own disk, or the pod's volume where it has a quota. */
export type Disk = 'container' | 'volume';

/** A pod's machine on this computer, with what a test may do to it. */
export interface LocalMachine extends Machine {
  /** Fills a disk now, so that all but `freeBytes` are taken. Full mode only; a volume must have a quota. */
  fill(disk: Disk, freeBytes?: number): Promise<void>;
  /** Undoes `fill`. */
  release(disk: Disk): Promise<void>;
}

export interface LocalMachineHost extends MachineHost {
  start(spec: MachineSpec, log: (source: LogSource, line: string) => void): Promise<LocalMachine>;
  /** Why the mode is `plain`, in one line. */
  readonly whyPlain: string | undefined;
}

export interface MachineHostOptions {
  /** Where the machines keep their sockets and scratch files; made when missing. */
  readonly stateDir: string;
  /** `auto` (the default) takes `full` where the machine grants it. */
  readonly mode?: 'auto' | 'full' | 'plain';
  readonly log?: Logger;
  /** Size of each pod's container disk; it lies in memory as far as it is used. 2 GiB unless told. */
  readonly containerDiskBytes?: number;
  /** Show this Python to pods as `/opt/python3` whatever the machine has. */
  readonly pythonPrefix?: string;
}

/**
 * Looks what this computer grants and makes pods accordingly.
 * @throws Error on Windows, when the mode asked for is refused, or when a program is missing; the message says what to do.
 */
export async function createMachineHost(options: MachineHostOptions): Promise<LocalMachineHost> {
  const { mode = 'auto', log = silentLog } = options;
  if (process.platform === 'win32') throw new Error('Pods are real Linux processes here: run this in WSL (https://learn.microsoft.com/windows/wsl)');
  const stateDir = path.resolve(options.stateDir);
  await mkdir(stateDir, { recursive: true });
  if (mode === 'plain') return new Host(undefined, stateDir, 'asked for');
  try {
    const grounds = await survey(options, stateDir);
    return new Host(grounds, stateDir, undefined);
  } catch (error) {
    if (mode === 'full') throw error;
    log.info(`Pods without namespaces: ${messageOf(error)}`);
    return new Host(undefined, stateDir, messageOf(error));
  }
}

class Host implements LocalMachineHost {
  readonly #machines = new Set<LocalMachine>();

  constructor(
    private readonly grounds: NamespaceGrounds | undefined,
    private readonly stateDir: string,
    readonly whyPlain: string | undefined,
  ) {}

  get mode(): 'full' | 'plain' {
    return this.grounds === undefined ? 'plain' : 'full';
  }

  async start(spec: MachineSpec, log: (source: LogSource, line: string) => void): Promise<LocalMachine> {
    const machine = this.grounds === undefined ? new PlainMachine(spec, log) : new NamespaceMachine(this.stateDir, spec, this.grounds, log);
    this.#machines.add(machine);
    await machine.start();
    return machine;
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#machines].map((machine) => machine.stop()));
    this.#machines.clear();
  }
}

const packages: Record<string, string> = {
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  sshd: 'openssh-server',
  busybox: 'busybox',
  ip: 'iproute2',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mount: 'mount',
  umount: 'mount',
  pivot_root: 'util-linux',
  rsync: 'rsync',
  script: 'bsdutils',
  df: 'coreutils',
};

/** Finds the tools, then tries a whole container: nothing less tells whether each step is allowed. */
async function survey(options: MachineHostOptions, stateDir: string): Promise<NamespaceGrounds> {
  if (process.platform !== 'linux') throw new Error('Only Linux has namespaces');
  const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', ...(process.env['PATH'] ?? '').split(':')];
  const found = new Map<string, string>();
  for (const name of Object.keys(packages)) {
    const file = folders.map((folder) => path.join(folder, name)).find((candidate) => existsSync(candidate));
    if (file !== undefined) found.set(name, file);
  }
  const missing = new Set(Object.entries(packages).flatMap(([name, from]) => (found.has(name) ? [] : [from])));
  if (missing.size > 0) throw new Error(`Programs are missing. On Debian or Ubuntu: apt-get install ${[...missing].join(' ')}`);
  const grounds: NamespaceGrounds = {
    unprivileged: process.getuid?.() !== 0,
    pythonPrefix: options.pythonPrefix ?? (await pythonElsewhere()),
    containerDiskBytes: options.containerDiskBytes ?? 2 ** 31,
    tool: (name) => found.get(name) ?? name,
  };
  const trial = new NamespaceMachine(stateDir, trialSpec, grounds, () => undefined);
  await trial.start();
  await trial.stop();
  return grounds;
}

const trialSpec: MachineSpec = {
  id: 'trial',
  hostname: 'trial',
  image: 'no-sshd',
  args: 'sleep infinity',
  env: {},
  volumeDir: undefined,
  mountPath: undefined,
  networkVolume: false,
  gpuCount: 0,
  gpuName: '',
  vcpuCount: 1,
  memoryGb: 1,
  apiPort: 1,
  sshDelayMs: 0,
  chatterLines: 0,
  volumeQuotaBytes: undefined,
};

/** The prefix of the Python on the PATH when pods would not see it: below a home directory, for example. */
async function pythonElsewhere(): Promise<string | undefined> {
  if (existsSync('/usr/bin/python3') || existsSync('/usr/local/bin/python3')) return undefined;
  try {
    const { stdout } = await run('python3', ['-c', 'import sys; print(sys.base_prefix)']);
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}
