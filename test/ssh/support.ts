import { mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { SshConnection, type ConnectOptions } from '../../src/ssh/connection';
import { isSshError, type SshErrorCode } from '../../src/ssh/errors';
import type { Identity } from '../../src/ssh/identity';
import { keyFileIdentity } from '../../src/ssh/keyFile';
import { loadSsh2 } from '../../src/ssh/loadSsh2';
import type { Sshd } from '../support/sshd';

/** A folder that goes with the test, and a list of things to undo, last first. */
export class Scratch {
  #dir: string | undefined;
  readonly #undo: (() => unknown)[] = [];

  async dir(): Promise<string> {
    return (this.#dir ??= await mkdtemp(path.join(os.tmpdir(), 'runpod-ssh-')));
  }

  onEnd(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  async clear(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
    if (this.#dir !== undefined) await rm(this.#dir, { recursive: true, force: true });
    this.#dir = undefined;
  }
}

/** An identity of a key file that has no passphrase. */
export async function identityOf(file: string): Promise<Identity> {
  return keyFileIdentity(file, 'configured', { ssh2: await loadSsh2() });
}

export type Target = Pick<Sshd, 'host' | 'username' | 'hostKeyFingerprint'>;

/** Options for a login at a server whose host key is known. */
export const loginOptions = (server: Target, port: number, identities: readonly Identity[]): ConnectOptions => ({
  host: server.host,
  port,
  username: server.username,
  identities,
  verifyHostKey: (key) => (key.fingerprint === server.hostKeyFingerprint ? 'proven' : 'mismatch'),
});

export const connect = (server: Sshd, identities: readonly Identity[], more: Partial<ConnectOptions> = {}): Promise<SshConnection> =>
  SshConnection.connect({ ...loginOptions(server, server.port, identities), ...more });

/** For `assert.rejects`. */
export const withCode =
  (code: SshErrorCode, params: Record<string, unknown> = {}) =>
  (error: unknown): boolean => {
    if (!isSshError(error, code)) throw error;
    for (const [name, value] of Object.entries(params)) {
      const actual: unknown = Object.entries(error.params).find(([key]) => key === name)?.[1];
      if (JSON.stringify(actual) !== JSON.stringify(value)) throw new Error(`${name} is ${JSON.stringify(actual)}, not ${JSON.stringify(value)}`, { cause: error });
    }
    return true;
  };
