import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { makeKeyPair, type KeyPair } from '../../support/sshd';
import { until } from '../../support/until';
import { openPublicPort, type LinkPort } from '../link';
import type { MachineSpec } from '../machine';
import { createMachineHost, type LocalMachine, type LocalMachineHost, type MachineHostOptions } from './host';

export const run = promisify(execFile);

/** A pod that runs, with its log, its public SSH port and a client's key for it. */
export interface Pod {
  readonly machine: LocalMachine;
  readonly log: string[];
  readonly volumeDir: string;
  readonly port: LinkPort;
  /** Arguments for OpenSSH's programs; the host key is the one that the log names. */
  client(): Promise<string[]>;
  /** Standard output of a command by OpenSSH's client. */
  ssh(command: string, ...options: string[]): Promise<string>;
  /** Output of a command that the platform runs on the pod. */
  run(command: string, env?: Record<string, string>): Promise<string>;
  /** Waits until the log has a line that matches. */
  logged(pattern: RegExp): Promise<string>;
}

/** A data center for one test file. */
export class Fixture {
  readonly #ports: LinkPort[] = [];
  #count = 0;

  private constructor(
    readonly dir: string,
    readonly key: KeyPair,
    readonly host: LocalMachineHost,
  ) {}

  static async open(options: Partial<MachineHostOptions> = {}): Promise<Fixture> {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'runpod-machine-'));
    const key = await makeKeyPair(path.join(dir, 'id'));
    return new Fixture(dir, key, await createMachineHost({ stateDir: path.join(dir, 'state'), ...options }));
  }

  async close(): Promise<void> {
    await this.host.dispose();
    await Promise.all(this.#ports.map((port) => port.close()));
    await rm(this.dir, { recursive: true });
  }

  spec(changes: Partial<MachineSpec> = {}): MachineSpec {
    const id = `pod${++this.#count}`;
    return {
      id,
      hostname: `host-${id}`,
      image: 'official',
      args: '',
      env: { PUBLIC_KEY: this.key.publicKey, RUNPOD_POD_ID: id, MODEL: 'llama-ft' },
      volumeDir: path.join(this.dir, `volume-${id}`),
      mountPath: '/workspace',
      networkVolume: false,
      gpuCount: 1,
      gpuName: 'NVIDIA GeForce RTX 4090',
      vcpuCount: 8,
      memoryGb: 31,
      apiPort: 4,
      sshDelayMs: 0,
      chatterLines: 0,
      volumeQuotaBytes: undefined,
      ...changes,
    };
  }

  async start(changes: Partial<MachineSpec> = {}): Promise<Pod> {
    const spec = this.spec(changes);
    const volumeDir = spec.volumeDir ?? '';
    if (volumeDir !== '') await mkdir(volumeDir, { recursive: true });
    const log: string[] = [];
    const machine = await this.host.start(spec, (_source, line) => log.push(line));
    const port = await openPublicPort();
    port.target(machine, 22);
    this.#ports.push(port);
    const logged = async (pattern: RegExp): Promise<string> => {
      const found = (): string | undefined => log.find((text) => pattern.test(text));
      await until(() => found() !== undefined, () => `a log line like ${pattern} in\n${log.join('\n')}`);
      return found() ?? '';
    };
    const client = async (): Promise<string[]> => {
      await answers(machine);
      const keys = await run('ssh-keyscan', ['-p', String(port.port), port.host]);
      const knownHosts = path.join(this.dir, `known-${spec.id}`);
      await writeFile(knownHosts, keys.stdout);
      return ['-F', 'none', '-i', this.key.path, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'LogLevel=ERROR'];
    };
    const user = this.host.mode === 'full' ? 'root' : os.userInfo().username;
    return {
      machine,
      log,
      volumeDir,
      port,
      client,
      ssh: async (command, ...options) => (await run('ssh', [...(await client()), ...options, '-p', String(port.port), `${user}@${port.host}`, command])).stdout,
      run: async (command, env) => {
        const child = machine.exec(['sh', '-c', command], env === undefined ? {} : { env });
        let out = '';
        child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
        child.stderr?.on('data', (chunk: Buffer) => (out += chunk.toString()));
        await new Promise((resolve) => child.once('close', resolve));
        return out;
      },
      logged,
    };
  }
}

/** Waits for the banner of a pod's sshd. */
async function answers(machine: LocalMachine): Promise<void> {
  await until(async () => {
    const stream = await machine.connect(22).catch(() => undefined);
    if (stream === undefined) return false;
    // Nor does it answer where the connection ends without a word.
    const said = await Promise.race([once(stream, 'data'), once(stream, 'close')]).catch(() => []);
    stream.destroy();
    return String(said[0]).startsWith('SSH-2.0-');
  }, 'the pod’s answer on SSH');
}

/** What of this computer's processes and mount tables mentions `text`. */
export async function tracesOf(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const traces = await Promise.all(
    pids.flatMap((pid) =>
      ['cmdline', 'environ', 'mountinfo'].map(async (file) => {
        const content = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
        return content.includes(text) ? `${pid}/${file}` : '';
      }),
    ),
  );
  return traces.filter((trace) => trace !== '');
}
