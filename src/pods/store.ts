import { messageOf } from '../base/errors';
import type { Disposable } from '../base/disposable';
import { Emitter } from '../base/emitter';
import type { Logger } from '../base/log';
import type { RunPodError } from '../runpod/errors';
import type { Account, Pod, PodRow } from '../runpod/types';
import { newerAccount, type KnownAccount } from './balance';

/** How much a request may cost: `once` is a single try, for nobody looks. */
export interface Asking {
  readonly once: boolean;
}

/** The part of RunPod's API that the list lives on. */
export interface PodsApi {
  listPods(how?: Asking): Promise<PodRow[]>;
  /** undefined when the key cannot read it or GraphQL has ended. */
  readAccount(how?: Asking): Promise<Account | undefined>;
}

export interface PodsState {
  /** `no-key`: nothing to ask with; `loading`: no answer yet; `ready`: `rows` are the last good answer. */
  readonly phase: 'no-key' | 'loading' | 'ready';
  readonly rows: readonly PodRow[];
  readonly pods: readonly Pod[];
  /** When `rows` were true, ms since 1970. */
  readonly fetchedAt?: number;
  /** The last poll failed; `rows` are older than they should be. */
  readonly problem?: { readonly error: unknown; readonly nextTryAt: number };
  readonly account?: KnownAccount;
}

/** How much somebody looks: pods in view, only the ticker in a focused window, or a window in the background. */
export type Attention = 'view' | 'ticker' | 'background';

export interface StoreTimings {
  readonly poll: Readonly<Record<Attention, number>>;
  /** While a pod is on its way somebody waits for it. */
  readonly changing: number;
  readonly account: Readonly<Record<Attention, number>>;
  readonly retryCap: number;
}

/** In front under six requests a minute, in the background under one. */
export const defaultTimings: StoreTimings = {
  poll: { view: 15_000, ticker: 20_000, background: 150_000 },
  changing: 3_000,
  account: { view: 60_000, ticker: 60_000, background: 300_000 },
  retryCap: 60_000,
};

/**
 * The pods of the account as last seen, polled only as often as somebody looks. A failed poll keeps the last good
 * list and says since when it is old: a pod that bills is never hidden.
 */
export class PodStore implements Disposable {
  #changed = new Emitter<PodsState>();
  readonly onDidChange = this.#changed.event;

  #state: PodsState = { phase: 'loading', rows: [], pods: [] };
  #api: (() => Promise<PodsApi | undefined>) | undefined;
  #timer: Disposable | undefined;
  #inFlight: Promise<void> | undefined;
  #failures = 0;
  #attention: Attention = 'background';
  #accountAt = 0;
  /** When the last look ended, well or not. */
  #askedAt = 0;
  #epoch = 0;
  #disposed = false;
  #dress: (pod: Pod) => Pod = (pod) => pod;
  /** Polls left that somebody waits for. Counted, not timed: a clock that is set back must not prolong them. */
  #hurriedPolls = 0;
  #byId = new Map<string, Pod>();
  #told: KnownAccount | undefined;

  /** What is known of the account by other means, where RunPod does not tell: see `typedAccount`. */
  otherAccount: ((pods: readonly Pod[]) => KnownAccount | undefined) | undefined;

  /** @param api gives the API, or undefined where there is no key; asked again at every poll */
  constructor(
    api: () => Promise<PodsApi | undefined>,
    private readonly log: Logger,
    private readonly timings: StoreTimings = defaultTimings,
    private readonly now: () => number = Date.now,
    /** Runs `f` after `ms`; gives what takes that back. */
    private readonly after: (ms: number, f: () => void) => Disposable = afterTimeout,
  ) {
    this.#api = api;
  }

  get state(): PodsState {
    return this.#state;
  }

  /** Looks where no list of RunPod's does: machines connected by hand. */
  elsewhere: (id: string) => Pod | undefined = () => undefined;

  /** The pod with that id, or the only one with that name. */
  find(idOrName: string): Pod | undefined {
    const byId = this.#byId.get(idOrName);
    if (byId) return byId;
    const named = this.#state.pods.filter((p) => p.name === idOrName);
    return named.length === 1 ? named[0] : this.elsewhere(idOrName);
  }

  /** Says how much is looked at; more attention than before asks at once when the list is older than it should be. */
  set attention(level: Attention) {
    if (level === this.#attention) return;
    this.#attention = level;
    if (this.#timer) this.#schedule();
  }

  /** Somebody has just acted on a pod and waits for it to change: polls quickly for `ms` milliseconds. */
  hurry(ms = 20_000): void {
    this.#hurriedPolls = Math.ceil(ms / this.timings.changing);
    if (this.#timer) this.#schedule();
  }

  /** Begins to poll. */
  start(): void {
    if (!this.#timer && !this.#inFlight) void this.refresh();
  }

  /** Another key or another address: forgets everything and asks anew. */
  reset(): Promise<void> {
    this.#epoch++;
    this.#inFlight = undefined;
    this.#failures = 0;
    this.#accountAt = 0;
    this.#told = undefined;
    this.#set({ phase: 'loading', rows: [], pods: [] });
    return this.refresh();
  }

  /** Asks now; callers at the same time share one request. Never rejects: a failure is part of the state. */
  refresh(): Promise<void> {
    this.#inFlight ??= this.#poll().finally(() => {
      this.#inFlight = undefined;
      this.#askedAt = this.now();
      this.#schedule();
    });
    return this.#inFlight;
  }

  /** Puts one pod's newer state in place, as an action's answer or a single read gives it, before the next poll. */
  put(pod: Pod): void {
    const rows = this.#state.rows.some((r) => r.kind === 'pod' && r.pod.id === pod.id)
      ? this.#state.rows.map((r) => (r.kind === 'pod' && r.pod.id === pod.id ? { kind: 'pod' as const, pod } : r))
      : [{ kind: 'pod' as const, pod }, ...this.#state.rows];
    this.#set({ ...this.#state, rows, pods: podsOf(rows) });
  }

  /** `otherAccount` has another answer than before. */
  accountChanged(): void {
    const { account: _before, ...rest } = this.#state;
    const known = newerAccount(this.#told, this.otherAccount?.(rest.pods));
    this.#set({ ...rest, ...(known ? { account: known } : {}) });
  }

  /** Takes a pod out that the API has confirmed gone. */
  remove(podId: string): void {
    const rows = this.#state.rows.filter((r) => !(r.kind === 'pod' && r.pod.id === podId));
    this.#set({ ...this.#state, rows, pods: podsOf(rows) });
  }

  /** What else is known of a pod goes with it wherever the list does. Called for each pod of a new list. */
  dressWith(dress: (pod: Pod) => Pod): void {
    this.#dress = dress;
    this.redress();
  }

  /** That knowledge has changed. */
  redress(): void {
    this.#set({ ...this.#state, rows: [...this.#state.rows] });
  }

  dispose(): void {
    this.#disposed = true;
    this.#epoch++;
    this.#timer?.dispose();
    this.#changed.dispose();
  }

  async #poll(): Promise<void> {
    const epoch = this.#epoch;
    const stale = (): boolean => this.#disposed || epoch !== this.#epoch;
    try {
      if (this.#hurriedPolls > 0) this.#hurriedPolls--;
      const api = await this.#api?.();
      if (stale()) return;
      if (!api) {
        this.#failures = 0;
        this.#set({ phase: 'no-key', rows: [], pods: [] });
        return;
      }
      const how = { once: this.#attention === 'background' && this.#hurriedPolls === 0 };
      const sinceAccount = this.now() - this.#accountAt;
      const wantAccount = sinceAccount < 0 || sinceAccount >= this.timings.account[this.#attention];
      const [rows, account] = await Promise.all([api.listPods(how), wantAccount ? this.#readAccount(api, how) : undefined]);
      if (stale()) return;
      this.#failures = 0;
      const now = this.now();
      this.#told = account ?? this.#told;
      const pods = podsOf(rows);
      const known = newerAccount(this.#told, this.otherAccount?.(pods));
      this.#set({ phase: 'ready', rows, pods, fetchedAt: now, ...(known ? { account: known } : {}) });
    } catch (error) {
      if (stale()) return;
      this.#failures++;
      this.log.warn(`List of pods: ${messageOf(error)}`);
      this.#set({ ...this.#state, problem: { error, nextTryAt: this.now() + this.#delay() } });
    }
  }

  async #readAccount(api: PodsApi, how: Asking): Promise<KnownAccount | undefined> {
    this.#accountAt = this.now();
    const account = await api.readAccount(how).catch(() => undefined);
    return account && { ...account, at: this.now() };
  }

  #schedule(): void {
    this.#timer?.dispose();
    // Without a key there is nothing to ask; setting one resets the store.
    if (this.#disposed || this.#state.phase === 'no-key') return;
    const due = this.#askedAt + this.#delay();
    // A clock that was set back must not put the next look off by as much.
    const wait = Math.min(this.#delay(), Math.max(50, due - this.now()));
    this.#timer = this.after(wait, () => void this.refresh());
  }

  #delay(): number {
    if (this.#failures > 0) {
      const retryAfter = (this.#state.problem?.error as Partial<RunPodError> | undefined)?.retryAfterMs ?? 0;
      // Nobody waits for it: the next look comes at its time.
      if (this.#attention === 'background' && this.#hurriedPolls === 0) return Math.max(retryAfter, this.timings.poll.background);
      return Math.max(retryAfter, Math.min(this.timings.retryCap, this.timings.changing * 2 ** Math.min(this.#failures, 6)));
    }
    const base = this.timings.poll[this.#attention];
    const changing = this.#state.pods.some((p) => p.status === 'PROVISIONING' || p.status === 'STARTING');
    const awaited = this.#hurriedPolls > 0;
    return (changing && this.#attention !== 'background') || awaited ? Math.min(base, this.timings.changing) : base;
  }

  #set(given: PodsState): void {
    const state = given.rows === this.#state.rows ? given : this.#dressed(given);
    if (state.pods !== this.#state.pods) this.#byId = new Map(state.pods.map((p) => [p.id, p]));
    this.#state = state;
    this.#changed.fire(state);
  }

  #dressed(state: PodsState): PodsState {
    const rows = state.rows.map((row): PodRow => (row.kind === 'pod' ? { kind: 'pod', pod: this.#dress(row.pod) } : row));
    return { ...state, rows, pods: podsOf(rows) };
  }
}

function afterTimeout(ms: number, f: () => void): Disposable {
  const timer = setTimeout(f, ms);
  return { dispose: () => clearTimeout(timer) };
}

const podsOf = (rows: readonly PodRow[]): Pod[] => rows.flatMap((r) => (r.kind === 'pod' ? [r.pod] : []));
