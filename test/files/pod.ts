import { mkdtemp, realpath, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { Client, type ClientChannel } from 'ssh2';
import { readFileSync } from 'node:fs';
import { Emitter } from '../../src/base/emitter';
import type { FilesHost, RawSftp, RunOptions, RunResult } from '../../src/files/host';
import { PodFiles, type PodFilesOptions } from '../../src/files/pod/podFiles';
import { withExitKept } from '../../src/ssh/channels';
import { openRelay, type LinkPort } from '../simulator/link';
import { type KeyPair, makeKeyPair, type Sshd, type SshdOptions, startSshd } from '../support/sshd';

/** A connection over ssh2 that is made again when it is gone, as a pod's session does. */
export class TestHost implements FilesHost {
  readonly #down = new Emitter<void>();
  readonly onDown = this.#down.event;
  #client: Promise<Client> | undefined;
  connections = 0;
  /** Commands that have been run. */
  readonly commands: string[] = [];
  /** See `Server`. */
  oneAtATime = false;
  #before: Promise<unknown> = Promise.resolve();

  constructor(
    readonly address: { host: string; port: number },
    readonly username: string,
    readonly key: KeyPair,
    readonly keepaliveMs = 0,
  ) {}

  async sftp(): Promise<RawSftp> {
    const client = await this.#connected();
    return new Promise<ClientChannel>((resolve, reject) => {
      client.once('close', () => reject(new Error('The connection closed')));
      client.subsys('sftp', (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
    });
  }

  async run(command: string, options: RunOptions): Promise<RunResult> {
    if (!this.oneAtATime) return this.#run(command, options);
    const run = this.#before.then(() => this.#run(command, options));
    this.#before = run.catch(() => undefined);
    return run;
  }

  async #run(command: string, options: RunOptions): Promise<RunResult> {
    this.commands.push(command);
    const client = await this.#connected();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The command took too long')), options.deadlineMs);
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        settle();
      };
      const onClose = (): void => done(() => reject(new Error('The connection closed')));
      client.once('close', onClose);
      client.exec(command, (error, channel) => {
        if (error !== undefined) return done(() => reject(error));
        const out: Buffer[] = [];
        const err: Buffer[] = [];
        let code: number | undefined;
        let exited = false;
        channel.on('data', (chunk: Buffer) => out.push(chunk));
        channel.stderr.on('data', (chunk: Buffer) => err.push(chunk));
        channel.on('error', () => undefined);
        channel.on('exit', (exit: number | null) => {
          exited = true;
          code = exit ?? undefined;
        });
        channel.on('close', () => {
          client.off('close', onClose);
          done(() => (exited ? resolve({ stdout: Buffer.concat(out), stderr: Buffer.concat(err), code }) : reject(new Error('The command was cut off'))));
        });
        channel.end(options.input === undefined ? undefined : Buffer.from(options.input));
      });
    });
  }

  /** A command whose output is read as it comes. */
  async exec(command: string): Promise<ClientChannel> {
    this.commands.push(command);
    const client = await this.#connected();
    return new Promise((resolve, reject) => client.exec(command, withExitKept((error, channel) => (error === undefined ? resolve(channel) : reject(error)))));
  }

  #connected(): Promise<Client> {
    return (this.#client ??= this.#connect());
  }

  #connect(): Promise<Client> {
    const client = new Client();
    return new Promise<Client>((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#client = undefined;
        reject(error);
      };
      client.on('error', fail);
      client.on('close', () => {
        fail(new Error('The connection closed'));
        this.#down.fire();
      });
      client.on('ready', () => {
        this.connections++;
        resolve(client);
      });
      client.connect({
        ...this.address,
        username: this.username,
        privateKey: readFileSync(this.key.path),
        readyTimeout: 5_000,
        keepaliveInterval: this.keepaliveMs,
        algorithms: { cipher: ['aes128-gcm@openssh.com', 'aes128-ctr'] },
      });
    });
  }

  async end(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    client?.destroy();
  }
}

export interface TestPod {
  readonly sshd: Server;
  readonly link: LinkPort;
  readonly host: TestHost;
  readonly files: PodFiles;
  /** An empty folder that both sides see under the same path. */
  readonly dir: string;
  readonly at: (name: string) => string;
  stop(): Promise<void>;
}

export interface TestPodOptions {
  readonly files?: PodFilesOptions;
  readonly sshd?: Partial<SshdOptions>;
}

/** A real sshd behind a link that counts, delays and cuts, with a folder of its own. */
export async function startPod(options: TestPodOptions = {}): Promise<TestPod> {
  return podOf((key) => startSshd({ authorizedKeys: [key.publicKey], ...options.sshd }), options.files);
}

/** What a pod's files need of a server. */
export type Server = Pick<Sshd, 'host' | 'port' | 'username' | 'stop'> & {
  /** Cannot run several commands over one connection: some are refused, and some end it. */
  readonly oneAtATime?: boolean;
};

/** A server of any kind behind such a link. `start` gets the key that may log in and the pod's folder. */
export async function podOf<S extends Server>(start: (key: KeyPair, dir: string) => Promise<S>, filesOptions?: PodFilesOptions): Promise<TestPod & { readonly sshd: S }> {
  const home = await realpath(await mkdtemp(path.join(os.tmpdir(), 'runpod-files-')));
  const key = await makeKeyPair(path.join(home, 'key'));
  const dir = await realpath(await mkdtemp(path.join(os.tmpdir(), 'runpod-files-dir-')));
  const sshd = await start(key, dir);
  const link = await openRelay(sshd);
  const host = new TestHost(link, sshd.username, key);
  host.oneAtATime = sshd.oneAtATime ?? false;
  const files = new PodFiles(host, filesOptions);
  return {
    sshd,
    link,
    host,
    files,
    dir,
    at: (name) => `${dir}/${name}`,
    stop: async () => {
      files.dispose();
      await host.end();
      await link.close();
      await sshd.stop();
      await rm(home, { recursive: true, force: true });
      await rm(dir, { recursive: true, force: true });
    },
  };
}
