import type { ChildProcess } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { generateEd25519 } from '../../src/ssh/opensshKey';
import { Server, utils, type AuthContext, type Connection, type PseudoTtyInfo, type ServerChannel, type Session } from 'ssh2';
import { fingerprintOf } from '../support/sshd';
import type { Machine } from './machine';
import { podTools } from './machine/image';

/** Whom a user name of the proxy leads to, and who may go there. */
export interface ProxyDestination {
  /** `undefined`: the pod does not run. */
  readonly machine: Machine | undefined;
  /** Public keys of the account, one per line or per element. Keys of the pod alone do not count here. */
  readonly authorizedKeys: readonly string[];
}

export interface ProxyShellOptions {
  /** @param username `<pod id>-<hex>`, as the API gives it. */
  readonly lookup: (username: string) => ProxyDestination | undefined;
  /** The proxy's private key, OpenSSH format; a new one unless told. */
  readonly hostKey?: string;
}

/** A stand-in for `ssh.runpod.io`. */
export interface ProxyShell {
  readonly host: string;
  readonly port: number;
  /** The public key's line. */
  readonly hostKey: string;
  readonly hostKeyFingerprint: string;
  close(): Promise<void>;
}

/** What the real proxy says to anything but a terminal. */
const noTerminal = "Error: Your SSH client doesn't support PTY\n";

/**
 * RunPod's SSH proxy: knows keys of the account only, and gives a terminal only. As seen on the real one: without a
 * terminal there is an error text and status 1, a command that comes with a terminal is ignored in favour of a login shell,
 * subsystems (SFTP) and forwarding are refused.
 */
export async function openProxyShell(options: ProxyShellOptions): Promise<ProxyShell> {
  const hostKey = options.hostKey ?? generateEd25519('proxy@simulator').privateKey;
  const parsed = utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  const publicLine = `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`;
  const connections = new Set<Connection>();
  const server = new Server({ hostKeys: [hostKey] }, (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => undefined);
    serve(connection, options.lookup);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    hostKey: publicLine,
    hostKeyFingerprint: fingerprintOf(publicLine),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) connection.end();
      }),
  };
}

function serve(connection: Connection, lookup: ProxyShellOptions['lookup']): void {
  let machine: Machine | undefined;
  let podId = '';
  connection.on('authentication', (attempt) => {
    const destination = lookup(attempt.username);
    if (destination === undefined || !proves(attempt, destination.authorizedKeys)) {
      attempt.reject(['publickey']);
      return;
    }
    machine = destination.machine;
    podId = attempt.username.replace(/-[^-]*$/, '');
    attempt.accept();
  });
  connection.on('session', (accept) => serveSession(accept(), () => machine, podId));
  // Forwarding of every kind is refused by ssh2 as long as nobody listens for it.
}

/** Whether the client shows, or offers, one of `keys`. */
function proves(attempt: AuthContext, keys: readonly string[]): boolean {
  if (attempt.method !== 'publickey') return false;
  for (const line of keys.flatMap((text) => text.split('\n'))) {
    const key = line.trim() === '' ? undefined : utils.parseKey(line.trim());
    if (key === undefined || key instanceof Error || !key.getPublicSSH().equals(attempt.key.data)) continue;
    // Without a signature the client only asks whether the key would do.
    return attempt.signature === undefined || attempt.blob === undefined || key.verify(attempt.blob, attempt.signature, attempt.hashAlgo) === true;
  }
  return false;
}

function serveSession(session: Session, machine: () => Machine | undefined, podId: string): void {
  let terminal: PseudoTtyInfo | undefined;
  let shell: Shell | undefined;
  session.on('pty', (accept, _reject, info) => {
    terminal = info;
    accept?.();
  });
  session.on('window-change', (accept, _reject, info) => {
    accept?.();
    shell?.resize(info.cols, info.rows);
  });
  const open = (accept: () => ServerChannel): void => {
    const channel = accept();
    const pod = machine();
    if (terminal === undefined || pod === undefined) {
      channel.write(terminal === undefined ? noTerminal : 'Error: pod is not running\n');
      channel.exit(1);
      channel.end();
      return;
    }
    channel.write(`\r\n\r\n-- RUNPOD.IO --\r\nEnjoy your Pod #${podId} ^_^\r\n\r\n`);
    shell = new Shell(pod, channel, terminal);
  };
  session.on('shell', open);
  session.on('exec', open);
}

/** A login shell on a terminal of the pod. */
class Shell {
  readonly #child: ChildProcess;
  readonly #note: string;

  constructor(
    private readonly machine: Machine,
    channel: ServerChannel,
    terminal: PseudoTtyInfo,
  ) {
    this.#note = `/tmp/.proxy-shell-${Math.random().toString(36).slice(2)}`;
    // The terminal's name, for resizes, and the shell's process, for the end.
    const start = `stty echo rows ${terminal.rows} cols ${terminal.cols}; echo "$(tty) $$" >${this.#note}; cd; if command -v bash >/dev/null; then exec bash -l; else exec sh -l; fi`;
    this.#child = machine.exec(['sh', '-c', scriptCommand, 'sh', start], { env: { TERM: terminal.term || 'xterm-256color' } });
    this.#child.stdout?.pipe(channel, { end: false });
    if (this.#child.stdin) channel.pipe(this.#child.stdin);
    this.#child.stdin?.on('error', () => undefined);
    this.#child.once('close', (code) => {
      if (channel.destroyed) return;
      channel.exit(code ?? 255);
      channel.end();
    });
    channel.once('close', () => this.#onPod(`read -r tty pid <${this.#note} && rm ${this.#note} && kill -HUP "-$pid"`));
  }

  resize(cols: number, rows: number): void {
    this.#onPod(`read -r tty pid <${this.#note} && stty rows ${rows} cols ${cols} <"$tty"`);
  }

  #onPod(command: string): void {
    try {
      this.machine.exec(['sh', '-c', command]).on('error', () => undefined);
    } catch {
      // The pod stopped meanwhile, and the shell with it.
    }
  }
}

/** Runs a command on a terminal of its own: `script` of Linux (the pod's copy, or the system's) or of macOS. */
const scriptCommand = `
  if [ -x ${podTools}/script ]; then exec ${podTools}/script -qfec "$1" /dev/null
  elif [ "$(uname)" = Darwin ]; then exec script -q /dev/null sh -c "$1"
  else exec script -qfec "$1" /dev/null; fi`;
