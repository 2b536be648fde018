import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import { SshConnection } from '../../src/ssh/connection';
import { keyFileIdentity } from '../../src/ssh/keyFile';
import { loadSsh2 } from '../../src/ssh/loadSsh2';
import { mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import { makeKeyPair, startSshd, type Sshd, type SshdOptions } from '../support/sshd';

/** A real sshd and the means to connect to it; `mount` stands for a pod's mount path. */
export interface SshPod {
  readonly sshd: Sshd;
  readonly mount: string;
  /** Of the private key that is let in. */
  readonly keyPath: string;
  connect(): Promise<SshConnection>;
  stop(): Promise<void>;
}

export async function startSshPod(options: Omit<SshdOptions, 'authorizedKeys'> = {}): Promise<SshPod> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'ssh-pod-'));
  const key = await makeKeyPair(path.join(dir, 'key'));
  const sshd = await startSshd({ ...options, authorizedKeys: [key.publicKey] });
  const mount = path.join(dir, 'workspace');
  await mkdir(mount);
  const open: SshConnection[] = [];
  return {
    sshd,
    mount,
    keyPath: key.path,
    async connect() {
      const identities = [await keyFileIdentity(key.path, 'own', { ssh2: await loadSsh2() })];
      const connection = await SshConnection.connect({ host: sshd.host, port: sshd.port, username: sshd.username, identities, verifyHostKey: () => true });
      open.push(connection);
      return connection;
    },
    async stop() {
      for (const connection of open) connection.end();
      await sshd.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
