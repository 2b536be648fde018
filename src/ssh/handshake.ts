import { getCiphers } from 'node:crypto';
import type { Socket } from 'node:net';
import type { AgentAuthMethod, Algorithms, CipherAlgorithm, Client } from 'ssh2';
import { CancelledError, isCancelled, messageOf } from '../base/errors';
import { plainWords, type Logger } from '../base/log';
import { SshError, type SshErrorParams } from './errors';
import { hostKeyOf, type HostKey } from './hostKeys';
import { chooseIdentities, type Identity } from './identity';
import { offerKeys } from './login';
import type { HostKeyVerdict } from './pins';
import { BannerSniffer } from './probe';
import type { Ssh2Module } from './loadSsh2';
import { StageClock } from './stageClock';
import { systemCode } from './tcp';

export interface HandshakeOptions {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly identities: readonly Identity[];
  readonly expectedPublicKeys?: readonly string[] | undefined;
  /** Asked before anything is sent that the server could use. `false` and `mismatch` end the connection. */
  readonly verifyHostKey: (key: HostKey) => boolean | HostKeyVerdict | Promise<boolean | HostKeyVerdict>;
  /** Milliseconds each stage may take; people who are asked something get more. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly log: Logger;
}

/** A connection that has proven who it is and knows who we are. */
export interface LoggedIn {
  readonly client: Client;
  readonly hostKey: HostKey;
  readonly verdict: boolean | HostKeyVerdict;
  /** The key it was done with; none where the server asked for none. */
  readonly identity: Identity | undefined;
  readonly banner: string;
}

/**
 * Ciphers by speed in Node, whose AES-GCM is the processor's own and whose ChaCha20 runs as WebAssembly, with Node's name for
 * each: the editor's Node lacks some, and ssh2 refuses a list with one it cannot do.
 */
const ciphers: readonly (readonly [CipherAlgorithm, string])[] = [
  ['aes128-gcm@openssh.com', 'aes-128-gcm'],
  ['aes256-gcm@openssh.com', 'aes-256-gcm'],
  ['aes128-ctr', 'aes-128-ctr'],
  ['aes192-ctr', 'aes-192-ctr'],
  ['aes256-ctr', 'aes-256-ctr'],
  ['chacha20-poly1305@openssh.com', 'chacha20'],
];

function algorithms(): Algorithms {
  const available = new Set(getCiphers());
  return {
    cipher: ciphers.filter(([, name]) => available.has(name)).map(([cipher]) => cipher),
    // Signatures over SHA-1 prove nothing any more.
    serverHostKey: { remove: ['ssh-rsa', 'ssh-dss'], append: [], prepend: [] },
    compress: ['none'],
  };
}

/**
 * Speaks SSH on a connected socket until the login has succeeded. Whatever fails, the socket is destroyed and the error says
 * at which stage and why. The host key is verified before the first byte of a login leaves this machine.
 */
export function handshake(ssh2: Ssh2Module, socket: Socket, options: HandshakeOptions): Promise<LoggedIn> {
  const { host, port, username, signal, log } = options;
  const where: SshErrorParams = { host, port };
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    const sniffer = new BannerSniffer();
    let settled = false;
    let verified: { key: HostKey; verdict: boolean | HostKeyVerdict } | undefined;

    const settle = (outcome: () => void): void => {
      if (settled) return;
      settled = true;
      clock.stop();
      signal?.removeEventListener('abort', onAbort);
      client.removeAllListeners();
      // ssh2 may report the same end in several ways, and an error event without a listener would end the process.
      client.on('error', () => {});
      outcome();
    };
    const fail = (error: Error): void =>
      settle(() => {
        // After 'error', because ssh2 may still want to say goodbye, on a socket that must be gone at once.
        socket.on('error', () => {});
        socket.destroy();
        reject(error);
      });
    const onAbort = (): void => fail(new CancelledError());
    const clock = new StageClock(options.deadlineMs, (stage, ms) => {
      if (stage === 'banner') fail(sniffer.failure('silent', { ...where, ms }));
      else fail(new SshError('timeout', { ...where, stage, ms }));
    });

    const verify = async (key: HostKey): Promise<void> => {
      clock.enter('host-key');
      const verdict = await clock.waitForPerson(Promise.resolve(options.verifyHostKey(key)));
      const facts = { ...where, keyType: key.type, fingerprint: key.fingerprint };
      if (verdict === 'mismatch') throw new SshError('host-key-mismatch', facts);
      if (verdict === false) throw new SshError('host-key-rejected', facts);
      verified = { key, verdict };
      clock.enter('handshake');
    };
    const hostVerifier = (raw: Buffer, answer: (accepted: boolean) => void): void => {
      // Keys are exchanged anew in long connections; the server must stay the one that was verified.
      if (verified !== undefined) return answer(verified.key.raw.equals(raw));
      const key = hostKeyOf(Buffer.from(raw));
      verify(key).then(
        () => settled || answer(true),
        (error: unknown) =>
          fail(
            error instanceof SshError || (error instanceof Error && isCancelled(error))
              ? error
              : new SshError('host-key-rejected', { ...where, stage: 'host-key', keyType: key.type, fingerprint: key.fingerprint, detail: messageOf(error) }, { cause: error }),
          ),
      );
    };

    const { offered, notOffered } = chooseIdentities(options.identities, options.expectedPublicKeys);
    const keys = offerKeys(ssh2, offered, (signature) => clock.waitForPerson(signature), log);
    let asked = false;
    const authHandler = (): AgentAuthMethod | false => {
      clock.enter('auth');
      if (asked || offered.length === 0) return false;
      asked = true;
      return { type: 'agent', username, agent: keys.agent };
    };
    const refused = (reason: string, detail?: string): Error =>
      keys.failure ??
      new SshError('auth-failed', { ...where, stage: 'auth', reason, detail, offered: offered.map(({ label }) => label), notOffered });

    /** ssh2's error, or the end of the stream, in our terms. */
    const explain = (error?: Error & { level?: string; code?: unknown }): Error => {
      if (sniffer.banner === undefined) return sniffer.failure('closed', where, error);
      const { stage } = clock;
      const detail = error && messageOf(error);
      if (error?.level === 'client-authentication') return refused(offered.length === 0 ? 'no-keys' : 'rejected');
      // A server that has had enough tries says so and hangs up.
      if (stage === 'auth' && typeof error?.code === 'number' && /auth/i.test(error.message)) return refused('rejected', detail);
      const lost = error === undefined || error.level === 'client-socket';
      if (lost) return new SshError('closed', { ...where, stage, reason: systemCode(error), detail }, { cause: error });
      return new SshError('protocol', { ...where, stage, detail }, { cause: error });
    };

    client
      .on('error', (error) => {
        // One key's failure to sign ends that key's turn, not the login.
        if ('level' in error && error.level === 'agent') return;
        fail(explain(error));
      })
      .on('handshake', () => clock.enter('auth'))
      .on('banner', (message) => log.debug(`${host}:${port} says before the login: ${plainWords(message)}`))
      .on('end', () => fail(explain()))
      .on('close', () => fail(explain()))
      .on('ready', () =>
        settle(() => {
          const { key, verdict } = verified ?? {};
          if (key === undefined || verdict === undefined) {
            socket.destroy();
            return reject(new SshError('host-key-rejected', { ...where, reason: 'not-verified' }));
          }
          resolve({ client, hostKey: key, verdict, identity: keys.accepted, banner: sniffer.banner ?? '' });
        }),
      );
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) return onAbort();
    try {
      client.connect({ sock: socket, username, hostVerifier, authHandler, algorithms: algorithms(), readyTimeout: 0, keepaliveInterval: 0 });
    } catch (error) {
      return fail(new SshError('protocol', { ...where, detail: messageOf(error) }, { cause: error }));
    }
    // ssh2 has paused the socket and listens from the next turn on; this only watches what goes by.
    socket.on('data', (chunk: Buffer) => {
      if (sniffer.banner !== undefined) return;
      sniffer.feed(chunk);
      if (sniffer.banner !== undefined && clock.stage === 'banner') clock.enter('handshake');
      else if (sniffer.hopeless) fail(sniffer.failure('closed', where));
    });
    clock.enter('banner');
  });
}
