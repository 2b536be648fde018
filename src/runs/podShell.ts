import type { Disposable } from '../base/disposable';
import { Emitter, type Event } from '../base/emitter';
import { isCancelled } from '../base/errors';
import { steadyNow } from '../base/time';
import { PodUnavailableError } from '../pods/contracts';
import type { PodSession } from '../pods/podSession';
import { isSshError } from '../ssh/errors';
import { composeLoginShell } from './command';
import { exitCodeOf } from './exit';
import { onPod } from './podCommand';
import { defaultSize, TERM, terminalEnvironment, Tty, type TtySize } from './tty';

/** What a shell needs of a pod's session. */
export type ShellSession = Pick<PodSession, 'link' | 'proxyShell' | 'hold' | 'state' | 'reason' | 'reconnect' | 'pod' | 'onDidChange'>;

export type PodShellState =
  | { readonly kind: 'connecting' }
  /** A shell is there; `again` when an earlier one was lost. `proxy`: by way of RunPod's proxy, which carries nothing else. */
  | { readonly kind: 'connected'; readonly again: boolean; readonly proxy: boolean }
  /** There is none; a new one comes by itself when the pod is back, or when somebody asks for it. */
  | { readonly kind: 'waiting'; readonly lost: boolean; readonly reason: unknown }
  /** The proxy's connection has gone. It does not come back by itself: the proxy does not say whether the shell has ended. */
  | { readonly kind: 'proxy-ended' }
  /** The shell has ended by itself. */
  | { readonly kind: 'exited'; readonly code: number };

/** A channel that ends so soon without a word was refused rather than lost; to go on trying would be a loop. */
const TOO_SOON_MS = 1_000;
/** What is typed before the shell is there waits for it, up to a point. */
const TYPE_AHEAD = 1 << 20;

/**
 * A login shell on a pod for as long as somebody looks at it: when the connection goes, or the pod is stopped and started
 * again, a new shell takes the old one's place.
 */
export class PodShell implements Disposable {
  readonly #output = new Emitter<string>();
  readonly #states = new Emitter<PodShellState>();
  readonly #ended = new AbortController();
  #size: TtySize;
  #tty: Tty | undefined;
  #typed: string[] = [];
  #state: PodShellState = { kind: 'connecting' };
  #busy = false;
  #shells = 0;
  #held: Disposable | undefined;
  #watch: Disposable | undefined;
  #later: NodeJS.Timeout | undefined;

  readonly onOutput: Event<string> = this.#output.event;
  readonly onState: Event<PodShellState> = this.#states.event;

  /** @param options `cwd`: absolute, or below the mount path; that path itself unless told */
  constructor(
    private readonly session: ShellSession,
    private readonly options: { readonly size?: TtySize; readonly cwd?: string | undefined } = {},
  ) {
    this.#size = options.size ?? defaultSize;
  }

  get state(): PodShellState {
    return this.#state;
  }

  /** Opens the first shell. */
  start(): void {
    this.#held = this.session.hold();
    this.#watch = this.session.onDidChange(({ state, reason }) => {
      if (this.#state.kind !== 'waiting' || this.#busy) return;
      if (state === 'connected') void this.#open();
      else if (state === 'unavailable' && reason !== this.#state.reason) this.#set({ ...this.#state, reason });
    });
    void this.#open();
  }

  input(text: string): void {
    if (this.#tty) this.#tty.input(text);
    else if (this.#state.kind === 'connecting') {
      if (this.#typed.reduce((sum, { length }) => sum + length, 0) < TYPE_AHEAD) this.#typed.push(text);
    } else if ((this.#state.kind === 'waiting' || this.#state.kind === 'proxy-ended') && /[\r\n]/.test(text)) this.retry();
  }

  resize(size: TtySize): void {
    this.#size = size;
    this.#tty?.resize(size);
  }

  /** Tries now, whatever was the matter before. */
  retry(): void {
    if (this.#busy || this.#tty || this.#ended.signal.aborted) return;
    this.#set({ kind: 'connecting' });
    void this.#open(true);
  }

  dispose(): void {
    this.#ended.abort();
    clearTimeout(this.#later);
    this.#watch?.dispose();
    this.#held?.dispose();
    this.#tty?.hangUp();
    this.#output.dispose();
    this.#states.dispose();
  }

  async #open(asked = false): Promise<void> {
    const { signal } = this.#ended;
    this.#busy = true;
    try {
      if (asked) await this.session.reconnect(signal);
      const link = await this.session.link(signal);
      const cwd = onPod(this.options.cwd, this.session.pod?.mount?.path);
      const channel = await link.exec(composeLoginShell({ cwd, env: terminalEnvironment }), { pty: { ...this.#size, term: TERM }, signal });
      this.#adopt(new Tty(channel), false);
    } catch (error) {
      if (signal.aborted || isCancelled(error)) return;
      if (error instanceof PodUnavailableError && error.code === 'proxy-only') await this.#openByProxy(signal);
      else this.#wait(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Until the session tells of a new connection. It may have told already, while the attempt over the old one failed. */
  #wait(reason: unknown): void {
    this.#set({ kind: 'waiting', lost: this.#shells > 0, reason });
    if (!isSshError(reason, 'closed')) return;
    this.#later = setTimeout(() => {
      if (this.#state.kind === 'waiting' && !this.#busy && this.session.state === 'connected') void this.#open();
    }, TOO_SOON_MS);
  }

  async #openByProxy(signal: AbortSignal): Promise<void> {
    try {
      const channel = await this.session.proxyShell({ ...this.#size, term: TERM, signal });
      this.#adopt(new Tty(channel), true);
    } catch (error) {
      if (!signal.aborted && !isCancelled(error)) this.#wait(error);
    }
  }

  #adopt(tty: Tty, proxy: boolean): void {
    const opened = steadyNow();
    this.#tty = tty;
    this.#set({ kind: 'connected', again: this.#shells++ > 0, proxy });
    // The window may have changed its size on the way.
    tty.resize(this.#size);
    tty.read((text) => this.#output.fire(text));
    for (const text of this.#typed.splice(0)) tty.input(text);
    void tty.ended.then((end) => {
      this.#tty = undefined;
      if (this.#ended.signal.aborted) return;
      const code = exitCodeOf(end);
      if (code !== undefined) this.#set({ kind: 'exited', code });
      else if (proxy) this.#set({ kind: 'proxy-ended' });
      else {
        this.#set({ kind: 'waiting', lost: true, reason: this.session.reason });
        // The connection may stand, with only this shell's channel gone, or be back already.
        if (this.session.state === 'connected' && steadyNow() - opened > TOO_SOON_MS) void this.#open();
      }
    });
  }

  #set(state: PodShellState): void {
    this.#state = state;
    this.#states.fire(state);
  }
}
