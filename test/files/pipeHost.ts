import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { Emitter } from '../../src/base/emitter';
import type { FilesHost, RawSftp, RunOptions, RunResult } from '../../src/files/host';
import { PacketCutter } from '../../src/files/wire';

/** Sends a packet on, or only so many of its first bytes. */
export type Pass = (packet: Buffer, bytes?: number) => void;
/** Sees every packet (type first, without its length) and says what goes on in its place; nothing keeps it back, and `pass` may send it later. */
export type Tamper = (packet: Buffer, pass: Pass) => Buffer | undefined;

export interface PipeHostOptions {
  /** Requests on their way to the server. */
  readonly up?: Tamper;
  /** Replies on their way back. */
  readonly down?: Tamper;
  /** Runs the server, and commands, as this user and group; only root can. */
  readonly uid?: number;
  /** `false`: commands are refused, as on an account for SFTP only. */
  readonly shell?: boolean;
  /** Where commands find their tools. */
  readonly path?: string;
}

/** Passes a stream of packets on as `tamper` changes it. @returns where the stream goes in */
export function tampered(tamper: Tamper | undefined, out: (bytes: Buffer) => void): (chunk: Buffer) => void {
  const pass: Pass = (packet, bytes = packet.length) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(packet.length);
    out(Buffer.concat([head, packet.subarray(0, bytes)]));
  };
  const cutter = new PacketCutter(1 << 24, (packet) => {
    const changed = tamper === undefined ? packet : tamper(packet, pass);
    if (changed !== undefined) pass(changed);
  });
  return (chunk) => cutter.push(chunk);
}

/** Where OpenSSH keeps its SFTP server. */
export function sftpServerPath(): string {
  const found = ['/usr/lib/openssh/sftp-server', '/usr/libexec/openssh/sftp-server', '/usr/lib/ssh/sftp-server', '/usr/libexec/sftp-server'].find((file) => existsSync(file));
  if (found === undefined) throw new Error('No sftp-server found. On Debian or Ubuntu: apt-get install openssh-sftp-server');
  return found;
}

/** OpenSSH's SFTP server over pipes, as any user, with a hand on every packet: a real server that can be made to misbehave. */
export class PipeHost implements FilesHost {
  readonly #down = new Emitter<void>();
  readonly onDown = this.#down.event;
  readonly #children = new Set<ChildProcess>();
  sessions = 0;

  constructor(readonly options: PipeHostOptions = {}) {}

  async sftp(): Promise<RawSftp> {
    this.sessions++;
    const child = this.#spawn([sftpServerPath()]);
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new Error('No pipes');
    stdin.on('error', () => undefined);
    const channel = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        up(chunk);
        done();
      },
      destroy: (_error, done) => {
        child.kill('SIGKILL');
        done(null);
      },
    });
    const up = tampered(this.options.up, (bytes) => stdin.write(bytes));
    const down = tampered(this.options.down, (bytes) => channel.push(bytes));
    stdout.on('data', (chunk: Buffer) => down(chunk));
    child.on('close', () => channel.push(null));
    return channel;
  }

  /** Servers and commands that have not ended. */
  get running(): number {
    return this.#children.size;
  }

  run(command: string, options: RunOptions): Promise<RunResult> {
    if (this.options.shell === false) return Promise.reject(new Error('This service allows sftp connections only.'));
    const { path } = this.options;
    const child = this.#spawn(['sh', '-c', path === undefined ? command : `PATH=${path}; export PATH; ${command}`]);
    return new Promise((resolve) => {
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input);
      child.on('close', (code) => resolve({ stdout: Buffer.concat(out), stderr: Buffer.concat(err), code: code ?? undefined }));
    });
  }

  end(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #spawn(command: readonly string[]): ChildProcess {
    const { uid } = this.options;
    const as = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'];
    const [file = '', ...args] = [...as, ...command];
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' });
    this.#children.add(child);
    child.on('close', () => this.#children.delete(child));
    return child;
  }
}
