import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import type { PodSession } from '../../src/pods/session';
import { RunFollower, type RunEnd } from '../../src/runs/detached/follow';
import { outputPath, type RunRef, type TerminalKind } from '../../src/runs/detached/layout';
import { startRun, type StartedRun } from '../../src/runs/detached/start';
import { until } from '../support/until';
import { Rig } from '../pods/sessionRig';
import { openRelay, type LinkPort } from '../simulator/link';
import type { Sshd, SshdOptions } from '../support/sshd';

export const podId = 'llamaft01';

/** A pod with an empty volume, reached over a link that can be cut. */
export class RunRig extends Rig {
  dir!: string;
  link!: LinkPort;
  session!: PodSession;
  server!: Sshd;

  /** @param options `mounted`: puts a disk of the test's own in the place of its folder */
  async beginPod({ mounted, ...options }: Partial<SshdOptions> & { readonly mounted?: (dir: string) => void } = {}): Promise<void> {
    await this.begin();
    this.dir = await mkdtemp(path.join(os.tmpdir(), 'runs-detached-'));
    this.onEnd(() => rm(this.dir, { recursive: true, force: true }));
    mounted?.(this.dir);
    this.onEnd(() => this.#removeRuns());
    const sshd = await this.sshd(options);
    this.server = sshd;
    this.link = await openRelay(sshd);
    this.onEnd(() => this.link.close());
    this.moveTo({ host: this.link.host, port: this.link.port, username: sshd.username });
    this.session = this.newSession();
  }

  /** What its runs have in /tmp, and nobody else's: other tests have pods of that id at the same time. */
  async #removeRuns(): Promise<void> {
    const runs = await readdir(path.join(this.dir, '.runpod-workspaces', podId, 'runs')).catch(() => []);
    await Promise.all(runs.map((id) => rm(this.inTmp({ podId, id }), { recursive: true, force: true })));
  }

  /** What of a run goes with its container. */
  inTmp({ id }: RunRef, name = ''): string {
    return path.join('/tmp/.runpod-workspaces', podId, 'runs', id, name);
  }

  moveTo(address: { host: string; port: number; username: string }): void {
    this.pod = { ...this.runsAt(address), mount: { kind: 'persistent', sizeGb: 10, path: this.dir } };
  }

  /** As another window or machine has it. */
  newSession(): PodSession {
    return this.sessions({ retryCapMs: 20, comeBackCapMs: 30 }).get(podId);
  }

  start(command: string, terminals?: readonly TerminalKind[]): Promise<StartedRun> {
    return startRun(this.session, { title: 'train.py', command, costPerHour: 0.69, ...(terminals ? { terminals } : {}) });
  }

  watch(run: StartedRun, options: { session?: PodSession; offset?: number } = {}): Watched {
    const watched = new Watched(options.session ?? this.session, run, options.offset);
    this.onEnd(() => watched.follower.dispose());
    return watched;
  }

  file(run: StartedRun, name = 'out'): string {
    return path.join(path.dirname(outputPath(run, this.dir)), name);
  }
}

/** Somebody who reads a run's output. */
export class Watched {
  readonly #hash = createHash('sha256');
  /** The end of what has been read. */
  tail = '';
  bytes = 0;
  readonly follower: RunFollower;
  readonly end: Promise<RunEnd>;

  constructor(session: PodSession, run: StartedRun, offset = 0) {
    this.follower = new RunFollower(session, run, { offset });
    this.end = this.follower.follow((bytes) => {
      this.#hash.update(bytes);
      this.bytes += bytes.length;
      this.tail = (this.tail + bytes.toString('latin1')).slice(-100_000);
    });
    this.end.catch(() => undefined);
  }

  shows(what: string | RegExp): Promise<void> {
    return until(() => (typeof what === 'string' ? this.tail.includes(what) : what.test(this.tail)), `${String(what)} in ${JSON.stringify(this.tail.slice(-300))}`);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
