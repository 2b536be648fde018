import { mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { silentLog } from '../../src/base/log';
import { PodSessions, type SessionTimings } from '../../src/pods/session';
import { RunPodError, type RunPodErrorCode } from '../../src/runpod/errors';
import type { Pod, SshEndpoint } from '../../src/runpod/types';
import type { Identity } from '../../src/ssh/identity';
import { keyFileIdentity } from '../../src/ssh/keyFile';
import { loadSsh2 } from '../../src/ssh/loadSsh2';
import { PinStore } from '../../src/ssh/pins';
import { makeKeyPair, startSshd, type KeyPair, type Sshd, type SshdOptions } from '../support/sshd';
import { aPod } from './podFixture';
import { ScriptedLog, startScriptLines } from './sessionLog';

export const quickTimings: Partial<SessionTimings> = {
  settleMs: 150,
  readMs: 3_000,
  probeMs: 400,
  stageMs: 3_000,
  keepaliveMs: 200,
  retryMs: 20,
  retryCapMs: 60,
  comeBackMs: 20,
  comeBackCapMs: 100,
  comeBackUnwatchedCapMs: 100,
  coolDownMs: 100,
  printedKeys: { silenceMs: 60, firstLineMs: 120, longestMs: 2_000 },
};

export const apiError = (code: RunPodErrorCode): RunPodError => new RunPodError(code, { method: 'GET', path: '/v2/pods/llamaft01' });

/** One pod as the API tells it, with real servers at its addresses; what a test changes here the session finds out. */
export class Rig {
  readonly log = new ScriptedLog();
  pinned: string | undefined;
  pod: Pod = aPod();
  /** Thrown instead of `pod`. */
  apiFails: Error | undefined;
  reads = 0;
  /** Whether somebody looks at the window. */
  watched = true;
  identityOf!: Identity;
  /** What the session is given to log in with; `identityOf` unless a test has others. */
  identities: (mayAsk: () => boolean) => readonly Identity[] | Promise<readonly Identity[]> = () => [this.identityOf];
  key!: KeyPair;
  keyDir!: string;
  readonly #undo: (() => unknown)[] = [];

  async begin(): Promise<void> {
    this.keyDir = await mkdtemp(path.join(os.tmpdir(), 'runpod-session-'));
    this.key = await makeKeyPair(path.join(this.keyDir, 'key'));
    this.identityOf = await keyFileIdentity(this.key.path, 'own', { ssh2: await loadSsh2() });
  }

  async end(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
    await rm(this.keyDir, { recursive: true, force: true });
  }

  onEnd(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  async sshd(options: Partial<SshdOptions> = {}): Promise<Sshd> {
    const server = await startSshd({ authorizedKeys: [this.key.publicKey], ...options });
    this.onEnd(() => server.stop());
    return server;
  }

  /** The pod now runs there; with `printed` its log says so. */
  runsAt(at: { host: string; port: number; username?: string }, options: { startedAgoMs?: number; printed?: string | false; proxy?: SshEndpoint } = {}): Pod {
    const startedAt = new Date(Date.now() - (options.startedAgoMs ?? 600_000));
    this.pod = aPod({
      startedAt,
      ssh: { direct: { host: at.host, port: at.port, username: at.username ?? os.userInfo().username }, ...(options.proxy ? { proxy: options.proxy } : {}) },
      env: { PUBLIC_KEY: this.key.publicKey },
    });
    if (typeof options.printed === 'string') this.log.add(startScriptLines(options.printed), { at: new Date(startedAt.getTime() + 500) });
    return this.pod;
  }

  sessions(timings: Partial<SessionTimings> = {}): PodSessions {
    const pins = new PinStore({
      read: async () => this.pinned,
      write: async (text) => {
        this.pinned = text;
      },
      exclusive: (work) => work(),
    });
    const sessions = new PodSessions({
      getPod: async () => {
        this.reads++;
        if (this.apiFails) throw this.apiFails;
        return this.pod;
      },
      logs: this.log.read,
      identities: async (_pod, mayAsk = () => true) => this.identities(mayAsk),
      pins,
      log: silentLog,
      watched: () => this.watched,
      timings: { ...quickTimings, ...timings },
    });
    this.onEnd(() => sessions.dispose());
    return sessions;
  }
}

/** A TCP port that nothing listens on. */
export async function deadPort(): Promise<{ host: string; port: number }> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No TCP address');
  return { host: '127.0.0.1', port: address.port };
}
