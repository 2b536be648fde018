import type { Pod, PodRow } from '../runpod/types';

/** What was asked for. */
export type EndKind = 'stop' | 'terminate';

/** A stop or terminate that RunPod has not confirmed. Moments are ms since 1970 by the API's clock. */
export interface PendingEnd {
  readonly podId: string;
  /** With its price, for the time in which the pod cannot be read. */
  readonly name: string;
  readonly costPerHour?: number;
  readonly kind: EndKind;
  /** When it was asked for first. */
  readonly since: number;
  /** When it was asked for last. */
  readonly askedAt: number;
  /** How often; what is asked while the request before has time left counts as that one. */
  readonly asks: number;
  /** The start that it is to end. Absent where the pod was still on its way. */
  readonly startedAt?: number;
  /** The account it was asked in. */
  readonly origin: string;
}

/** Where they are kept, so that a reload of the window forgets none. */
export interface PendingEndShelf {
  read(): readonly PendingEnd[];
  write(all: readonly PendingEnd[]): PromiseLike<void>;
}

/** How long RunPod may take to confirm a stop or terminate before we say that it has not. */
export const CONFIRM_MS = 90_000;

/** Stops and terminates on their way: none is over because it was accepted, only because RunPod says that the pod has ended. */
export class PendingEnds {
  /** @param now ms since 1970 by the API's clock */
  constructor(
    private readonly shelf: PendingEndShelf,
    private readonly now: () => number,
  ) {}

  of(podId: string): PendingEnd | undefined {
    return this.shelf.read().find((end) => end.podId === podId);
  }

  /** Writes down that it is being asked for. Resolves when it is written: only then may the request leave. */
  async note(pod: Pod, kind: EndKind, origin: string): Promise<PendingEnd> {
    const now = this.now();
    const startedAt = pod.status === 'RUNNING' ? pod.startedAt?.getTime() : undefined;
    const before = this.of(pod.id);
    const again = before?.kind === kind && before.origin === origin && before.startedAt === startedAt;
    const end: PendingEnd = {
      podId: pod.id,
      name: pod.name,
      ...(pod.costPerHour === undefined ? {} : { costPerHour: pod.costPerHour }),
      kind,
      since: again ? before.since : now,
      askedAt: now,
      asks: again ? before.asks + (hasTime(before, now) ? 0 : 1) : 1,
      ...(startedAt === undefined ? {} : { startedAt }),
      origin,
    };
    await this.#put(end);
    return end;
  }

  /** Another window's write at the same moment may have lost it. */
  async keep(end: PendingEnd): Promise<void> {
    if (!this.of(end.podId)) await this.#put(end);
  }

  /** RunPod has confirmed it, or it is wanted no more. */
  async settle(podId: string): Promise<void> {
    const all = this.shelf.read();
    if (all.some((end) => end.podId === podId)) await this.shelf.write(all.filter((end) => end.podId !== podId));
  }

  /**
   * Looks at a good list.
   * @returns what is confirmed, and struck off; and what the list does not have: gone if RunPod does not know it by its id either
   */
  reconcile(rows: readonly PodRow[], origin: string): { readonly confirmed: readonly PendingEnd[]; readonly missing: readonly PendingEnd[] } {
    const all = this.shelf.read();
    // Behind a row without a readable id there may be one of them.
    const certain = rows.every((row) => row.kind === 'pod' || row.row.id !== undefined);
    const over: PendingEnd[] = [];
    const confirmed: PendingEnd[] = [];
    const missing: PendingEnd[] = [];
    for (const end of all) {
      if (end.origin !== origin) continue;
      const row = rows.find((r) => (r.kind === 'pod' ? r.pod.id : r.row.id) === end.podId);
      if (row === undefined && certain) missing.push(end);
      if (row?.kind !== 'pod') continue;
      const has = hasEnded(end, row.pod);
      if (has) confirmed.push(end);
      if (has || isStartedAnew(end, row.pod)) over.push(end);
    }
    if (over.length > 0) void this.shelf.write(all.filter((end) => !over.includes(end)));
    return { confirmed, missing };
  }

  /** Those of an account that RunPod has had time enough to confirm, the oldest first. */
  unconfirmed(origin: string): readonly PendingEnd[] {
    const now = this.now();
    return this.shelf
      .read()
      .filter((end) => end.origin === origin && !hasTime({ askedAt: end.since }, now))
      .sort((a, b) => a.since - b.since);
  }

  async #put(end: PendingEnd): Promise<void> {
    await this.shelf.write([...this.shelf.read().filter(({ podId }) => podId !== end.podId), end]);
  }
}

/** Whether RunPod may still take its time. A clock that was set back leaves times to come: they are no younger. */
export const hasTime = ({ askedAt }: Pick<PendingEnd, 'askedAt'>, now: number): boolean => Math.abs(now - askedAt) < CONFIRM_MS;

/** Whether the pod is what was asked for. */
export const hasEnded = ({ kind }: Pick<PendingEnd, 'kind'>, { status }: Pick<Pod, 'status'>): boolean => status === 'TERMINATED' || (kind === 'stop' && status === 'EXITED');

/** It has ended unseen, and somebody wants it to run again: a stop belongs to one start. */
const isStartedAnew = ({ kind, startedAt, askedAt }: PendingEnd, pod: Pod): boolean =>
  kind === 'stop' && startedAt !== undefined && pod.status === 'RUNNING' && pod.startedAt !== undefined && pod.startedAt.getTime() !== startedAt && pod.startedAt.getTime() > askedAt;
