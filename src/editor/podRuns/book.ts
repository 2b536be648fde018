import type { Disposable } from '../../base/disposable';
import { Emitter, type Event } from '../../base/emitter';
import { isCancelled, messageOf } from '../../base/errors';
import type { Logger } from '../../base/log';
import { listRuns, type RunRecord } from '../../runs/detached/list';
import type { PodSessions } from '../../pods/session';
import type { PodStore } from '../../pods/store';

/** How often the runs of a pod whose row is open are looked at again while one of them runs and the view is seen. */
const LOOK_MS = 5_000;

/** A first look at a pod's runs is under way, or could not be had without asking a person for something. */
export type FirstLook = 'looking' | 'unseen';

/** What this window knows of the runs of its pods. A picture of what lies on the pods, read when somebody looks. */
export class RunBook implements Disposable {
  readonly #runs = new Map<string, readonly RunRecord[]>();
  readonly #reading = new Map<string, Promise<readonly RunRecord[]>>();
  readonly #changed = new Emitter<string>();
  readonly #watched = new Set<string>();
  readonly #first = new Map<string, FirstLook>();
  readonly #connected: Disposable;
  #visible = false;
  #timer: NodeJS.Timeout | undefined;

  /** The runs of a pod are others than before; its id. */
  readonly onDidChange: Event<string> = this.#changed.event;

  constructor(
    private readonly sessions: PodSessions,
    private readonly store: PodStore,
    private readonly log: Logger,
  ) {
    // Connected by somebody who was asked what there was to ask: what is open is looked at as well.
    this.#connected = sessions.onDidChange(({ podId, state }) => {
      if (state === 'connected' && this.#watched.has(podId) && this.#first.get(podId) === 'unseen') this.#look(podId, false);
    });
  }

  /** As last seen, newest first; none of a pod that does not run, for nothing runs there and nothing can be read. */
  of(podId: string): readonly RunRecord[] {
    return this.store.find(podId)?.status === 'RUNNING' ? (this.#runs.get(podId) ?? []) : [];
  }

  /** Why there is nothing to show yet of a pod whose row is open; undefined once its runs are known. */
  firstLook(podId: string): FirstLook | undefined {
    return this.store.find(podId)?.status === 'RUNNING' ? this.#first.get(podId) : undefined;
  }

  find(podId: string, runId: string): RunRecord | undefined {
    return this.#runs.get(podId)?.find(({ id }) => id === runId);
  }

  /** Reads them anew. Callers at the same time share one look. */
  async refresh(podId: string): Promise<readonly RunRecord[]> {
    const reading =
      this.#reading.get(podId) ??
      listRuns(this.sessions.get(podId)).then((runs) => {
        this.#put(podId, runs);
        return runs;
      });
    this.#reading.set(podId, reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(podId);
    }
  }

  /** What somebody has just found out about one run. */
  note(record: RunRecord): void {
    const others = (this.#runs.get(record.podId) ?? []).filter(({ id }) => id !== record.id);
    this.#put(record.podId, [record, ...others].sort((a, b) => (a.id < b.id ? 1 : -1)));
  }

  /** The pod's row is open: its runs are wanted, now and as they change. */
  watch(podId: string): void {
    if (this.#watched.has(podId)) return;
    this.#watched.add(podId);
    this.#look(podId, true);
    this.#plan();
  }

  unwatch(podId: string): void {
    this.#watched.delete(podId);
  }

  /** Nothing is asked while nobody can see the answer. */
  setVisible(visible: boolean): void {
    if (visible === this.#visible) return;
    this.#visible = visible;
    if (visible) for (const podId of this.#watched) this.#look(podId, false);
    this.#plan();
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#connected.dispose();
    this.#changed.dispose();
  }

  #plan(): void {
    clearInterval(this.#timer);
    if (!this.#visible || this.#watched.size === 0) return;
    this.#timer = setInterval(() => {
      for (const podId of this.#watched) if (this.of(podId).some(({ state }) => state === 'running')) this.#look(podId, false);
    }, LOOK_MS);
  }

  /** @param connect whether a connection is worth making for it: one that asks nobody for anything, for a glance is no order */
  #look(podId: string, connect: boolean): void {
    const pod = this.store.find(podId);
    if (pod?.status !== 'RUNNING' || pod.ssh.direct === undefined) return;
    const connected = this.sessions.peek(podId)?.state === 'connected';
    if (!connect && !connected) return;
    if (!connected && !this.#runs.has(podId)) this.#note(podId, 'looking');
    const ready = connected ? Promise.resolve() : this.sessions.get(podId).link(undefined, { quiet: true });
    ready.then(() => this.refresh(podId)).catch((error: unknown) => {
      if (!this.#runs.has(podId)) this.#note(podId, 'unseen');
      if (!isCancelled(error)) this.log.debug(`Runs of pod ${podId}: ${messageOf(error)}`);
    });
  }

  #note(podId: string, first: FirstLook): void {
    if (this.#first.get(podId) === first) return;
    this.#first.set(podId, first);
    this.#changed.fire(podId);
  }

  #put(podId: string, runs: readonly RunRecord[]): void {
    const look = (all: readonly RunRecord[]): string => JSON.stringify(all.map(({ id, state, exitCode }) => [id, state, exitCode]));
    const before = this.#runs.get(podId) ?? [];
    this.#runs.set(podId, runs);
    const first = this.#first.delete(podId);
    if (first || look(before) !== look(runs)) this.#changed.fire(podId);
  }
}
