import { CancelledError, isCancelled, messageOf } from '../base/errors';
import { silentLog, type Logger } from '../base/log';
import { sleep } from '../base/time';
import { RunPodError } from '../runpod/errors';
import type { Pod } from '../runpod/types';
import { probeBanner } from '../ssh/probe';
import { addressOf, sameAddress, type PodAddress } from './address';
import { PodUnavailableError, type UnavailableCode } from './contracts';
import { LogFollower } from './logFollower';
import { apiTrouble, type GetPod, type ReadPodLogs } from './podApi';

/** `placing`: a machine is sought; `pulling`: the image comes; `starting`: the container starts and gets its port; `ssh`: its sshd is awaited. */
export type ReadyPhase = 'placing' | 'pulling' | 'starting' | 'ssh' | 'ready';

export interface ReadyProgress {
  readonly phase: ReadyPhase;
  /** The latest line of the pod's log. */
  readonly line?: string;
  /** Of the image pull, 0 to 100, where the log tells. */
  readonly percent?: number;
  readonly elapsedMs: number;
  /** USD of compute since the wait began, at the pod's price; `undefined` while that is not known. */
  readonly spent?: number;
  /** Why the API could not be asked just now; the wait goes on. */
  readonly problem?: unknown;
}

/** What a person is asked to decide on. */
export interface Stuck {
  readonly phase: ReadyPhase;
  readonly elapsedMs: number;
  readonly spent?: number;
  /** What is most likely wrong. */
  readonly code: UnavailableCode;
  readonly pod: Pod | undefined;
  /** Why its container does not start, in RunPod's words, where the log says so. */
  readonly failure?: string;
}

export interface ReadyDeps {
  readonly getPod: GetPod;
  readonly logs: ReadPodLogs;
  readonly probe?: typeof probeBanner;
  readonly log?: Logger;
  /** Milliseconds since 1970 on the API's clock. */
  readonly now?: () => number;
  readonly timings?: Partial<ReadyTimings>;
}

export interface ReadyTimings {
  /** First and longest pause between two looks at the pod. */
  readonly pollMs: number;
  readonly pollCapMs: number;
  readonly readMs: number;
  readonly probeMs: number;
  /** How long a pod may be 404 right after its create, and EXITED right after its start. */
  readonly unseenMs: number;
  /** How long an absence must last to be believed of a pod that has been seen. */
  readonly goneMs: number;
  /** How long after its start a Community pod is given to get a public port. */
  readonly publicPortWaitMs: number;
  /** How long a RUNNING pod with an address may leave it unanswered before that is asked about. */
  readonly silentSshMs: number;
}

const defaults: ReadyTimings = {
  pollMs: 1_000,
  pollCapMs: 5_000,
  readMs: 20_000,
  probeMs: 5_000,
  unseenMs: 60_000,
  goneMs: 5_000,
  publicPortWaitMs: 5 * 60_000,
  silentSshMs: 10 * 60_000,
};

export interface ReadyOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReadyProgress) => void;
  /** After so many milliseconds without an end, `onStuck` is asked; and again after as many when it says `wait`. */
  readonly stuckAfterMs?: number;
  /** Asked beside the wait, which goes on meanwhile. `stop` ends it with the reason that was shown. */
  readonly onStuck?: (stuck: Stuck, signal: AbortSignal) => Promise<'wait' | 'stop'>;
}

/**
 * Waits until a pod that is being made or started answers on SSH (a banner, no login), and tells how far it is.
 * @returns the pod as read after its sshd answered
 * @throws PodUnavailableError when it will not get there by waiting; CancelledError when `signal` aborts
 */
export async function waitUntilReady(deps: ReadyDeps, podId: string, options: ReadyOptions = {}): Promise<Pod> {
  const wait = new ReadyWait(deps, podId, options);
  try {
    return await wait.run();
  } catch (error) {
    throw options.signal?.aborted ? new CancelledError() : error;
  } finally {
    wait.end();
  }
}

class ReadyWait {
  readonly #timings: ReadyTimings;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  readonly #began: number;
  readonly #follower: LogFollower;
  #pod: Pod | undefined;
  #problem: unknown;
  #phase: ReadyPhase = 'placing';
  #seenActive = false;
  /** The status was another while the image came, so RUNNING means that the container runs. */
  #statusTells = false;
  #absentSince: number | undefined;
  #silentSince: number | undefined;
  #askAt: number;
  #asking = false;
  /** The failure in RunPod's words that was asked about last. */
  #askedAbout: string | undefined;
  #verdict: PodUnavailableError | undefined;
  #wake: (() => void) | undefined;

  constructor(
    private readonly deps: ReadyDeps,
    private readonly podId: string,
    private readonly options: ReadyOptions,
  ) {
    this.#timings = { ...defaults, ...deps.timings };
    this.#now = deps.now ?? Date.now;
    this.#log = deps.log ?? silentLog;
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#ended.signal]) : this.#ended.signal;
    this.#began = this.#now();
    this.#askAt = this.#stuckAfterMs;
    this.#follower = new LogFollower(deps.logs, podId, new Date(this.#began - 30_000), this.#signal, () => this.#tell(), this.#log);
  }

  end(): void {
    this.#ended.abort();
  }

  async run(): Promise<Pod> {
    this.#follower.start();
    for (let look = 0; ; look++) {
      await this.#read();
      if (this.#pod !== undefined && this.#absentSince === undefined) {
        const address = this.#addressIn(this.#pod);
        this.#tell();
        if (address !== undefined && (await this.#answers(address))) {
          const pod = await this.#confirm(address);
          if (pod) return pod;
        }
      }
      this.#askWhenStuck();
      this.#tell();
      await this.#pause(this.#timings.pollMs * 1.4 ** Math.min(look, 20));
      if (this.#verdict) throw this.#verdict;
    }
  }

  get #stuckAfterMs(): number {
    return this.options.stuckAfterMs ?? 15 * 60_000;
  }

  get #elapsedMs(): number {
    return this.#now() - this.#began;
  }

  get #spent(): number | undefined {
    const rate = this.#pod?.costPerHour;
    return rate === undefined ? undefined : (rate * this.#elapsedMs) / 3_600_000;
  }

  #failure(code: UnavailableCode, detail: string, cause?: unknown): PodUnavailableError {
    return new PodUnavailableError(code, this.podId, this.#pod, { detail, ...(cause === undefined ? {} : { cause }) });
  }

  /** Asks the API once; what passes by itself is kept as `#problem`, what does not is thrown. */
  async #read(): Promise<void> {
    try {
      this.#pod = await this.deps.getPod(this.podId, AbortSignal.any([this.#signal, AbortSignal.timeout(this.#timings.readMs)]));
      this.#problem = undefined;
      this.#absentSince = undefined;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof RunPodError && error.code === 'not-found') return this.#absent(error);
      const trouble = apiTrouble(error);
      if (trouble === 'lasting') throw this.#failure('api', messageOf(error), error);
      if (trouble === 'key') throw this.#failure('no-api-key', messageOf(error), error);
      this.#problem = error;
      this.#log.debug(`Pod ${this.podId} could not be read: ${messageOf(error)}`);
    }
  }

  #absent(error: RunPodError): void {
    this.#absentSince ??= this.#now();
    const patience = this.#pod === undefined ? this.#timings.unseenMs : this.#timings.goneMs;
    if (this.#now() - this.#absentSince >= patience) throw this.#failure('gone', `Pod ${this.podId} is gone`, error);
  }

  /** The address to knock at, or `undefined` while there is none yet. */
  #addressIn(pod: Pod): PodAddress | undefined {
    const past = pod.status === 'EXITED' || pod.status === 'ERROR';
    // Just after a start the API may still tell the state before it.
    if (past && !this.#seenActive && this.#elapsedMs < this.#timings.unseenMs) {
      this.#phase = 'placing';
      return undefined;
    }
    if (!past) this.#seenActive = true;
    if (pod.status !== 'RUNNING' && this.#follower.pulling) this.#statusTells = true;
    const pulling = this.#isPulling(pod);
    if (pod.status === 'RUNNING' && !pulling) this.#silentSince ??= this.#now();
    else this.#silentSince = undefined;
    try {
      const address = addressOf(pod, { now: this.#now(), publicPortWaitMs: this.#timings.publicPortWaitMs });
      this.#phase = pulling ? 'pulling' : 'ssh';
      return address;
    } catch (error) {
      if (!(error instanceof PodUnavailableError)) throw error;
      // On Secure Cloud every pod gets a public port in the end; and only `22/tcp` brings one.
      const portMayCome = pod.status === 'RUNNING' && (pod.cloud === 'SECURE' || pulling) && pod.ports.includes('22/tcp');
      if (error.code === 'bad-address' || (error.code !== 'starting' && !portMayCome)) throw error;
      if (pulling) this.#phase = 'pulling';
      else if (pod.status === 'PROVISIONING') this.#phase = this.#follower.pulling ? 'pulling' : 'placing';
      else this.#phase = pod.status === 'STARTING' && !this.#follower.containerStarted ? 'pulling' : 'starting';
      return undefined;
    }
  }

  /** RUNNING has been seen, with an address, from the moment a machine was found: then only the log tells that the image is on its way. */
  #isPulling(pod: Pod): boolean {
    return pod.status === 'RUNNING' && !this.#statusTells && this.#follower.pulling && !this.#follower.containerStarted && (pod.runtime?.uptimeSeconds ?? 0) === 0;
  }

  async #answers(address: PodAddress): Promise<boolean> {
    try {
      await (this.deps.probe ?? probeBanner)(address.host, address.port, { deadlineMs: this.#timings.probeMs, signal: this.#signal });
      return true;
    } catch (error) {
      if (isCancelled(error)) throw error;
      this.#signal.throwIfAborted();
      return false;
    }
  }

  /** The banner may have come from the address of the start before, so the pod is read once more. */
  async #confirm(address: PodAddress): Promise<Pod | undefined> {
    await this.#read();
    const pod = this.#pod;
    if (pod?.status !== 'RUNNING' || this.#problem !== undefined || !sameAddress(pod.ssh.direct, address)) return undefined;
    this.#phase = 'ready';
    this.#tell();
    return pod;
  }

  #askWhenStuck(): void {
    const elapsed = this.#elapsedMs;
    const silentFor = this.#phase === 'ssh' && this.#silentSince !== undefined ? this.#now() - this.#silentSince : 0;
    const noSsh = silentFor >= this.#timings.silentSshMs;
    const failure = this.#phase === 'ready' ? undefined : this.#follower.failure;
    const news = failure !== undefined && failure !== this.#askedAbout && this.options.onStuck !== undefined;
    if (this.#asking || (elapsed < this.#askAt && !noSsh && !news)) return;
    this.#askedAbout = failure;
    const code: UnavailableCode = failure !== undefined ? 'failed' : this.#phase === 'ssh' ? 'no-ssh' : this.#absentSince === undefined ? 'starting' : 'gone';
    const reason = this.#failure(code, `Pod ${this.podId} did not get ready in ${Math.round(elapsed / 1000)} s`, this.#problem);
    if (!this.options.onStuck) throw reason;
    this.#asking = true;
    const spent = this.#spent;
    const stuck: Stuck = { phase: this.#phase, elapsedMs: elapsed, code, pod: this.#pod, ...(spent === undefined ? {} : { spent }), ...(failure === undefined ? {} : { failure }) };
    void this.options.onStuck(stuck, this.#signal).then(
      (answer) => {
        this.#asking = false;
        this.#askAt = this.#elapsedMs + this.#stuckAfterMs;
        this.#silentSince = undefined;
        if (answer === 'stop') this.#verdict = reason;
        this.#wake?.();
      },
      (error: unknown) => {
        // No answer (the question was closed, or could not be shown): ask again later, for the pod bills.
        this.#asking = false;
        this.#askAt = this.#elapsedMs + this.#stuckAfterMs;
        this.#log.debug(`No decision on pod ${this.podId}: ${messageOf(error)}`);
      },
    );
  }

  async #pause(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const retryAfter = this.#problem instanceof RunPodError ? (this.#problem.retryAfterMs ?? 0) : 0;
    await sleep(Math.max(retryAfter, Math.min(this.#timings.pollCapMs, ms)), AbortSignal.any([this.#signal, woken.signal])).catch((error: unknown) => {
      if (this.#signal.aborted) throw error;
    });
  }

  #tell(): void {
    if (this.#ended.signal.aborted || !this.options.onProgress) return;
    const { line, percent } = this.#follower;
    const spent = this.#spent;
    this.options.onProgress({
      phase: this.#phase,
      elapsedMs: this.#elapsedMs,
      ...(line === undefined ? {} : { line }),
      ...(percent === undefined || this.#phase !== 'pulling' ? {} : { percent }),
      ...(spent === undefined ? {} : { spent }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    });
  }
}
