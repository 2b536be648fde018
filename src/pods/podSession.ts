import type { ClientChannel } from 'ssh2';
import type { Disposable } from '../base/disposable';
import { Emitter, type Event } from '../base/emitter';
import { CancelledError, isCancelled, messageOf } from '../base/errors';
import { backoff, sleep } from '../base/time';
import type { Pod } from '../runpod/types';
import { isSshError, type SshError } from '../ssh/errors';
import type { SshLink } from '../ssh/pool';
import type { ExecOptions, RunOptions, RunResult, ShellOptions } from '../ssh/sessions';
import { sameAddress, startedFor, startOf } from './address';
import { PodUnavailableError } from './contracts';
import { openProxyShell } from './proxyShell';
import type { Trust } from './hostKeyTrust';
import { reach, ReachFailed, type Reached, type ReachDeps } from './reach';
import { defaultSessionTimings, type SessionTimings } from './sessionTimings';
import { isPassing, unavailableByStatus } from './unavailable';
import { Whereabouts } from './whereabouts';

export interface SessionDeps extends ReachDeps {
  readonly timings?: Partial<SessionTimings>;
}

/**
 * - `idle`: nobody needs it. `connecting`: somebody waits for it. `connected`.
 * - `retrying`: it was lost, or could not be had yet, and is tried again by itself.
 * - `unavailable`: it cannot be had until something changes; `reason` says what.
 */
export type SessionState = 'idle' | 'connecting' | 'connected' | 'retrying' | 'unavailable';

/** Attempts under way, shared by all who wait. */
interface Endeavour {
  readonly promise: Promise<Reached>;
  readonly abort: AbortController;
  waiting: number;
  /** Nobody has asked for it: nobody is to be asked for a passphrase because of it. */
  quiet: boolean;
}

export interface LinkOptions {
  /** For what happens by itself: a key that would ask a person for its passphrase is left locked. */
  readonly quiet?: boolean;
}

/**
 * The one connection to a pod that files, terminals and tasks share. It is made when somebody needs it, comes back after a
 * drop and after a stop and start at another address, and ends early when news of the pod says that it must be dead.
 */
export class PodSession implements Disposable {
  readonly #timings: SessionTimings;
  readonly #whereabouts: Whereabouts;
  readonly #down = new Emitter<void>();
  readonly #changed = new Emitter<PodSession>();
  readonly #proxyShells = new AbortController();
  #state: SessionState = 'idle';
  #reason: PodUnavailableError | undefined;
  #trust: Trust | undefined;
  #reached: Reached | undefined;
  #endeavour: Endeavour | undefined;
  #news: Pod | undefined;
  #holds = 0;
  #losses = 0;
  #comeBack: NodeJS.Timeout | undefined;
  #coolUntil = 0;
  #disposed = false;

  /** The connection has gone; what was open over it is dead. The next call makes a new one. */
  readonly onDown: Event<void> = this.#down.event;
  readonly onDidChange: Event<PodSession> = this.#changed.event;

  constructor(
    readonly podId: string,
    private readonly deps: SessionDeps,
  ) {
    this.#timings = { ...defaultSessionTimings, ...deps.timings };
    this.#whereabouts = new Whereabouts(this.#timings.freshMs);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Why it is not connected, as far as known: of the last failure, while it is tried again too. */
  get reason(): PodUnavailableError | undefined {
    return this.#reason;
  }

  /** How sure we are of the machine at the other end; of the last connection when there is none. */
  get trust(): Trust | undefined {
    return this.#trust;
  }

  /** Where the connection leads and the key that was checked there; `undefined` when there is none. */
  get reached(): Pick<Reached, 'pod' | 'address' | 'hostKey' | 'trust'> | undefined {
    return this.#reached;
  }

  /** The pod as the API told it for the connection there is. */
  get pod(): Pod | undefined {
    return this.#reached?.pod;
  }

  /**
   * The connection, made first where there is none. Callers at the same time share one attempt; one who aborts leaves it to
   * the others.
   * @throws PodUnavailableError says why not; CancelledError
   */
  async link(signal?: AbortSignal, { quiet = false }: LinkOptions = {}): Promise<SshLink> {
    if (signal?.aborted) throw new CancelledError();
    if (this.#disposed) throw this.#gone();
    if (this.#reached) return this.#reached.link;
    if (this.#reason && !this.#endeavour && Date.now() < this.#coolUntil) throw this.#reason;
    const endeavour = this.#endeavour ?? this.#begin(quiet);
    if (!quiet) endeavour.quiet = false;
    endeavour.waiting++;
    try {
      return (await orAbort(endeavour.promise, signal)).link;
    } finally {
      endeavour.waiting--;
      this.#abandonUnwanted();
    }
  }

  /** Tries at once, whatever failed before: a person asked for it. */
  async reconnect(signal?: AbortSignal): Promise<void> {
    this.#coolUntil = 0;
    await this.link(signal);
  }

  /** A new channel of raw SFTP bytes. */
  async sftp(signal?: AbortSignal): Promise<ClientChannel> {
    return this.#over(signal, (link) => link.rawSftp({ signal }));
  }

  /** Runs a command to its end under the login shell, without a terminal. */
  async run(command: string, options: RunOptions = {}): Promise<RunResult> {
    // Not repeated on another connection once it may have begun.
    return (await this.link(options.signal)).run(command, options);
  }

  /** Starts a command; resolves when it runs. */
  async exec(command: string, options: ExecOptions = {}): Promise<ClientChannel> {
    return (await this.link(options.signal)).exec(command, options);
  }

  /** A login shell in a pseudoterminal. */
  async shell(options: ShellOptions): Promise<ClientChannel> {
    return this.#over(options.signal, (link) => link.shell(options));
  }

  /**
   * An interactive shell by way of RunPod's SSH proxy, for pods without a direct address. It carries nothing else, takes
   * the account's keys only and has a connection of its own, which ends with the shell.
   */
  async proxyShell(options: ShellOptions): Promise<ClientChannel> {
    const ends = options.signal ? AbortSignal.any([options.signal, this.#proxyShells.signal]) : this.#proxyShells.signal;
    return openProxyShell(this.deps, this.#timings, this.podId, { ...options, signal: ends });
  }

  /** While something is open over this session (a folder, a terminal), it comes back by itself after a drop. */
  hold(): Disposable {
    let held = true;
    this.#holds++;
    if (this.#state === 'retrying') this.#planComeBack();
    return {
      dispose: () => {
        if (!held) return;
        held = false;
        if (--this.#holds > 0) return;
        this.#stayAway();
        if (this.#state === 'retrying' && !this.#endeavour) this.#set('idle');
        this.#abandonUnwanted();
      },
    };
  }

  /** News of the pod from elsewhere, for example the list that is polled. Old news is recognised by its start. */
  podChanged(pod: Pod): void {
    if (this.#disposed || isOlder(pod, this.#reached?.pod ?? this.#news)) return;
    const before = this.#news;
    const why = this.#reached && this.#staleBy(pod, this.#reached);
    this.#news = pod;
    this.#whereabouts.see(pod, this.#now());
    const running = pod.status === 'RUNNING';
    if (this.#reached) {
      if (why === undefined) return;
      this.deps.log.info(`Connection to pod ${this.podId} ended: ${why}`);
      this.#reached.link.end();
    }
    if (running) {
      const newStart = before === undefined || startOf(before) !== startOf(pod) || before.status !== 'RUNNING' || !sameAddress(before.ssh.direct, pod.ssh.direct);
      if (!newStart) return;
      this.#losses = 0;
      this.#coolUntil = 0;
      if (this.#holds > 0 && this.#state !== 'idle') this.#comeBackNow();
    } else if (this.#state !== 'idle' && !this.#endeavour) {
      // Nothing to be had until it runs again, and the news of that will come.
      this.#stayAway();
      this.#fail(unavailableByStatus(pod) ?? new PodUnavailableError('starting', this.podId, pod));
    }
  }

  /** Ends the connection and whatever waits for it. The session can be used again afterwards, unless disposed. */
  end(): void {
    this.#stayAway();
    this.#giveUp();
    this.#reached?.link.end();
    this.#stayAway();
    this.#reason = undefined;
    this.#set('idle');
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#holds = 0;
    this.#proxyShells.abort();
    this.end();
    this.#down.dispose();
    this.#changed.dispose();
  }

  #now(): number {
    return (this.deps.now ?? Date.now)();
  }

  #gone(): PodUnavailableError {
    return new PodUnavailableError('gone', this.podId, this.#news, { detail: `Pod ${this.podId} is no longer there` });
  }

  /** Opens something over the connection; once more when just that connection turned out to be dead. */
  async #over<T>(signal: AbortSignal | undefined, open: (link: SshLink) => Promise<T>): Promise<T> {
    const link = await this.link(signal);
    try {
      return await open(link);
    } catch (error) {
      if (link.downBy === undefined || isCancelled(error) || signal?.aborted) throw error;
      return open(await this.link(signal));
    }
  }

  #begin(quiet: boolean): Endeavour {
    this.#stayAway();
    const abort = new AbortController();
    // Who joins later may be a person.
    const promise = this.#strive(abort.signal, () => !endeavour.quiet);
    const endeavour: Endeavour = { promise, abort, waiting: 0, quiet };
    this.#endeavour = endeavour;
    if (this.#state !== 'retrying') this.#set('connecting');
    void promise.then(
      (reached) => {
        // Given up meanwhile; another attempt may be under way.
        if (this.#endeavour !== endeavour) return reached.link.end();
        this.#endeavour = undefined;
        this.#adopt(reached);
      },
      (error: unknown) => {
        if (this.#endeavour !== endeavour) return;
        this.#endeavour = undefined;
        // Who asks for it will be asked for the passphrase, and at once.
        if (error instanceof PodUnavailableError && !wasLeftLocked(error)) this.#fail(error);
        else this.#set('idle');
      },
    );
    return endeavour;
  }

  /** Attempts until one succeeds or waiting longer is pointless. */
  async #strive(signal: AbortSignal, mayAsk: () => boolean): Promise<Reached> {
    for (let attempt = 0; ; attempt++) {
      try {
        const reached = await reach(this.deps, this.#timings, this.podId, this.#whereabouts, signal, mayAsk);
        if (!signal.aborted) return reached;
        reached.link.end();
        throw new CancelledError();
      } catch (error) {
        if (signal.aborted) throw new CancelledError();
        if (!(error instanceof ReachFailed)) throw isCancelled(error) ? error : this.#unexpected(error);
        const { reason, soonOver } = error;
        this.deps.log.debug(`Pod ${this.podId}, attempt ${attempt + 1}: ${reason.code}, ${reason.message}`);
        if (wasLeftLocked(reason) && mayAsk()) continue;
        if (!soonOver && !(isPassing(reason) && reason.code !== 'starting' && attempt + 1 < this.#timings.attempts)) throw reason;
        this.#reason = reason;
        this.#changed.fire(this);
        await sleep(backoff(attempt, this.#timings.retryMs, this.#timings.retryCapMs), signal);
      }
    }
  }

  #unexpected(error: unknown): PodUnavailableError {
    return new PodUnavailableError('unreachable', this.podId, this.#news, { cause: error, detail: messageOf(error) });
  }

  #adopt(reached: Reached): void {
    this.#reached = reached;
    this.#news = reached.pod;
    this.#trust = reached.trust;
    this.#reason = undefined;
    this.#coolUntil = 0;
    const since = Date.now();
    reached.link.onDown((why: SshError) => this.#lost(reached, why, Date.now() - since));
    if (this.#reached === reached) this.#set('connected');
  }

  #lost(reached: Reached, why: SshError, lastedMs: number): void {
    if (this.#reached !== reached) return;
    this.#reached = undefined;
    // A connection that lasted says nothing against the next; one that is cut at once again and again does.
    if (lastedMs >= 10 * this.#timings.comeBackMs) this.#losses = 0;
    this.deps.log.info(`Connection to pod ${this.podId} is gone: ${why.message}`);
    this.#set(this.#holds > 0 && !this.#disposed ? 'retrying' : 'idle');
    this.#down.fire();
    this.#planComeBack();
  }

  #fail(reason: PodUnavailableError): void {
    this.#reason = reason;
    this.#coolUntil = Date.now() + this.#timings.coolDownMs;
    const again = this.#holds > 0 && isPassing(reason);
    this.#set(again ? 'retrying' : 'unavailable');
    if (again) this.#planComeBack();
  }

  #planComeBack(): void {
    if (this.#state !== 'retrying' || this.#holds === 0 || this.#endeavour || this.#comeBack || this.#disposed) return;
    const wait = backoff(this.#losses++, this.#timings.comeBackMs, this.#timings.comeBackCapMs);
    this.#comeBack = setTimeout(() => this.#comeBackNow(), wait);
  }

  #comeBackNow(): void {
    this.#stayAway();
    if (this.#reached || this.#endeavour || this.#disposed) return;
    this.#set('retrying');
    // What becomes of it shows in the state.
    this.#begin(false).promise.catch(() => {});
  }

  #stayAway(): void {
    clearTimeout(this.#comeBack);
    this.#comeBack = undefined;
  }

  /** Nobody waits and nothing is held: the attempt has lost its purpose. */
  #abandonUnwanted(): void {
    const endeavour = this.#endeavour;
    if (endeavour && endeavour.waiting === 0 && this.#holds === 0) this.#giveUp();
  }

  #giveUp(): void {
    const endeavour = this.#endeavour;
    if (!endeavour) return;
    this.#endeavour = undefined;
    endeavour.abort.abort();
    this.#set('idle');
  }

  /** Why a connection cannot be good any more after this news, or `undefined`. */
  #staleBy(pod: Pod, { pod: then, address }: Reached): string | undefined {
    if (pod.status === 'EXITED' || pod.status === 'ERROR' || pod.status === 'TERMINATED') return `the pod is ${pod.status}`;
    if (pod.startedAt !== undefined && startOf(pod) !== startOf(then)) return 'the pod was started again';
    // Right after a start the API still tells the old address now and then; a connection that stands knows better.
    const moved = pod.ssh.direct !== undefined && !sameAddress(pod.ssh.direct, address);
    const age = startedFor(then, this.#now());
    return moved && (age === undefined || age >= this.#timings.freshMs) ? 'the pod has another address' : undefined;
  }

  #set(state: SessionState): void {
    if (state === this.#state && state !== 'unavailable') return;
    this.#state = state;
    this.#changed.fire(this);
  }
}

/** A key would have opened the pod, but nobody was there to be asked for its passphrase. */
const wasLeftLocked = (reason: PodUnavailableError): boolean => isSshError(reason.cause, 'key-locked') && reason.cause.params.reason === 'unasked';

/** Whether news is of an earlier start than what is known. */
const isOlder = (pod: Pod, known: Pod | undefined): boolean =>
  pod.startedAt !== undefined && known?.startedAt !== undefined && pod.startedAt < known.startedAt;

/** Settles with `promise`, unless `signal` aborts first; the promise's own work goes on. */
function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new CancelledError());
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
