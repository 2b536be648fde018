import type { ClientChannel } from 'ssh2';
import type { Disposable } from '../base/disposable';
import { Emitter, type Event } from '../base/emitter';
import { CancelledError } from '../base/errors';
import { steadyNow } from '../base/time';
import type { Pod } from '../runpod/types';
import type { SshError } from '../ssh/errors';
import type { SshLink } from '../ssh/pool';
import type { ExecOptions, RunOptions, RunResult, ShellOptions } from '../ssh/sessions';
import { ComeBack } from './comeBack';
import { PodUnavailableError } from './contracts';
import { Endeavour, wasLeftLocked, type Striving } from './endeavour';
import { isNewStart, isOlder, staleBy } from './news';
import { overLink } from './overLink';
import { openProxyShell } from './proxyShell';
import type { Trust } from './hostKeyTrust';
import type { Reached, ReachDeps } from './reach';
import { defaultSessionTimings, type SessionTimings } from './sessionTimings';
import type { LinkOptions, SessionState } from './sessionState';
import { isPassing, unavailableByStatus } from './unavailable';
import { Whereabouts } from './whereabouts';

export interface SessionDeps extends ReachDeps {
  readonly timings?: Partial<SessionTimings>;
  /** Whether somebody may be looking at the window; always, when not said. */
  readonly watched?: () => boolean;
}

/**
 * The one connection to a pod that files, terminals and tasks share. It is made when somebody needs it, comes back after a
 * drop and after a stop and start at another address, and ends early when news of the pod says that it must be dead.
 */
export class PodSession implements Disposable {
  readonly #timings: SessionTimings;
  readonly #whereabouts: Whereabouts;
  readonly #comeBack: ComeBack;
  readonly #striving: Striving;
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
    this.#comeBack = new ComeBack(this.#timings, deps.watched ?? (() => true), () => this.#comeBackNow());
    this.#striving = {
      deps,
      timings: this.#timings,
      podId,
      whereabouts: this.#whereabouts,
      news: () => this.#news,
      onSetback: (reason) => {
        this.#reason = reason;
        this.#changed.fire(this);
      },
    };
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
    if (this.#disposed) throw new PodUnavailableError('gone', this.podId, this.#news, { detail: `Pod ${this.podId} is no longer there` });
    if (this.#reached) return this.#reached.link;
    if (this.#reason && !this.#endeavour && steadyNow() < this.#coolUntil) throw this.#reason;
    try {
      return (await (this.#endeavour ?? this.#begin(quiet)).wait(signal, quiet)).link;
    } finally {
      this.#abandonUnwanted();
    }
  }

  /** Tries at once, whatever failed before: a person asked for it. */
  async reconnect(signal?: AbortSignal): Promise<void> {
    this.#coolUntil = 0;
    await this.link(signal);
  }

  /** Somebody looks again: what waits to come back does so at once. */
  awake(): void {
    if (this.#comeBack.planned) this.#comeBackNow();
  }

  /** A new channel of raw SFTP bytes. */
  async sftp(signal?: AbortSignal): Promise<ClientChannel> {
    return overLink(this, signal, (link) => link.rawSftp({ signal }));
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
    return overLink(this, options.signal, (link) => link.shell(options));
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
        this.#comeBack.stop();
        if (this.#state === 'retrying' && !this.#endeavour) this.#set('idle');
        this.#abandonUnwanted();
      },
    };
  }

  /** News of the pod from elsewhere, for example the list that is polled. Old news is recognised by its start. */
  podChanged(pod: Pod): void {
    if (this.#disposed || isOlder(pod, this.#reached?.pod ?? this.#news)) return;
    const before = this.#news;
    const now = (this.deps.now ?? Date.now)();
    const why = this.#reached && staleBy(pod, this.#reached, this.#timings.freshMs, now);
    this.#news = pod;
    this.#whereabouts.see(pod, now);
    const running = pod.status === 'RUNNING';
    if (this.#reached) {
      if (why === undefined) return;
      this.deps.log.info(`Connection to pod ${this.podId} ended: ${why}`);
      this.#reached.link.end();
    }
    if (running) {
      if (!isNewStart(pod, before)) return;
      this.#comeBack.forget();
      this.#coolUntil = 0;
      if (this.#holds > 0 && this.#state !== 'idle') this.#comeBackNow();
    } else if (this.#state !== 'idle' && !this.#endeavour) {
      // Nothing to be had until it runs again, and the news of that will come.
      this.#comeBack.stop();
      this.#fail(unavailableByStatus(pod) ?? new PodUnavailableError('starting', this.podId, pod));
    }
  }

  /** Ends the connection and whatever waits for it. The session can be used again afterwards, unless disposed. */
  end(): void {
    this.#comeBack.stop();
    this.#giveUp();
    this.#reached?.link.end();
    this.#comeBack.stop();
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

  #begin(quiet: boolean): Endeavour {
    this.#comeBack.stop();
    const endeavour = new Endeavour(this.#striving, quiet);
    this.#endeavour = endeavour;
    if (this.#state !== 'retrying') this.#set('connecting');
    void endeavour.promise.then(
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

  #adopt(reached: Reached): void {
    this.#reached = reached;
    this.#news = reached.pod;
    this.#trust = reached.trust;
    this.#reason = undefined;
    this.#coolUntil = 0;
    const since = steadyNow();
    reached.link.onDown((why: SshError) => this.#lost(reached, why, steadyNow() - since));
    if (this.#reached === reached) this.#set('connected');
  }

  #lost(reached: Reached, why: SshError, lastedMs: number): void {
    if (this.#reached !== reached) return;
    this.#reached = undefined;
    this.#comeBack.lost(lastedMs);
    this.deps.log.info(`Connection to pod ${this.podId} is gone: ${why.message}`);
    this.#set(this.#holds > 0 && !this.#disposed ? 'retrying' : 'idle');
    this.#down.fire();
    this.#planComeBack();
  }

  #fail(reason: PodUnavailableError): void {
    this.#reason = reason;
    this.#coolUntil = steadyNow() + this.#timings.coolDownMs;
    const again = this.#holds > 0 && isPassing(reason);
    this.#set(again ? 'retrying' : 'unavailable');
    if (again) this.#planComeBack();
  }

  #planComeBack(): void {
    if (this.#state !== 'retrying' || this.#holds === 0 || this.#endeavour || this.#comeBack.planned || this.#disposed) return;
    this.#comeBack.plan();
  }

  #comeBackNow(): void {
    this.#comeBack.stop();
    if (this.#reached || this.#endeavour || this.#disposed) return;
    this.#set('retrying');
    // What becomes of it shows in the state.
    this.#begin(false).promise.catch(() => {});
  }

  /** Nobody waits and nothing is held: the attempt has lost its purpose. */
  #abandonUnwanted(): void {
    const endeavour = this.#endeavour;
    if (endeavour && !endeavour.wanted && this.#holds === 0) this.#giveUp();
  }

  #giveUp(): void {
    const endeavour = this.#endeavour;
    if (!endeavour) return;
    this.#endeavour = undefined;
    endeavour.giveUp();
    this.#set('idle');
  }

  #set(state: SessionState): void {
    if (state === this.#state && state !== 'unavailable') return;
    this.#state = state;
    this.#changed.fire(this);
  }
}
