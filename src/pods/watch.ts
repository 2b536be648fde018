import type { GuardWish } from './guard/wish';
import { isCancelled, messageOf } from '../base/errors';
import type { Disposable } from '../base/disposable';
import type { Logger } from '../base/log';
import type { Cloud, CreatePodRequest, GpuType } from '../runpod/types';
import { gpuCandidate, withinCap, type Candidate } from './candidates';

/** Hardware that is waited for, with the requests that would be sent for it. Plain data, so that it can be kept. */
export interface WatchOrder {
  readonly id: string;
  /** Name of the pod. */
  readonly name: string;
  /** GPU requests in the order of preference, complete but for what is this machine's own to add. */
  readonly requests: readonly CreatePodRequest[];
  /** For people: `RTX 4090`. */
  readonly label: string;
  /** Create as soon as there is one, at or below `cap`; otherwise tell. */
  readonly createOnSight: boolean;
  /** USD per hour of compute, whole pod. */
  readonly cap?: number;
  /** When its pod is to end by itself. */
  readonly limits?: GuardWish;
  /** The profile it comes from, whose variables are not kept here: it is read again when the pod is made. */
  readonly profile?: ProfileRef;
  /** ms since 1970. */
  readonly since: number;
  /** It ends then, found or not. */
  readonly until: number;
  /** A person has been told, and has not answered yet. */
  readonly toldAt?: number;
  /** A window that cannot make its pod has seen the hardware, and waits for one that can. */
  readonly seenAt?: number;
  /** The API it is for. */
  readonly origin: string;
}

/** A profile of a folder, by the folder's address and the profile's name. */
export interface ProfileRef {
  readonly folder: string;
  readonly key?: string;
  /** Of what it said when the watch was agreed to. */
  readonly digest: string;
}

export interface WatchApi {
  gpus(cloud: Cloud, count: number, minCudaVersion: string | undefined, signal: AbortSignal): Promise<readonly GpuType[]>;
}

export interface WatchDeps {
  readonly api: WatchApi;
  /** The orders that count just now. */
  readonly orders: () => readonly WatchOrder[];
  /** Told when some of an order's requests could be placed now, the preferred first. Resolves when that is dealt with; meanwhile nothing is asked. */
  readonly onSight: (order: WatchOrder, sighted: readonly Sighting[]) => Promise<void>;
  /** Whether this is the window that asks, and it is time; otherwise the next look is as far off as after an answer. */
  readonly mayAsk?: () => Promise<boolean>;
  /** Distance of two requests in ms, by how much anybody looks. */
  readonly everyMs: () => number;
  readonly log: Logger;
}

export interface Sighting {
  readonly request: CreatePodRequest;
  readonly candidate: Candidate;
}

/** With the list of pods beside it, a window in front stays under six requests a minute and one behind under one. */
export const WATCH_MS = { front: 75_000, background: 180_000 } as const;

/** So long something is waited for, unless it comes before. */
export const WATCH_FOR_MS = 3 * 24 * 3_600_000;
/** Whoever was told and does not answer has perhaps closed that window: after so long it is watched for again. */
const TOLD_MS = 30 * 60_000;

/** The orders of an account that count just now. */
export const liveOrders = (orders: readonly WatchOrder[], origin: string, now: number): WatchOrder[] =>
  orders.filter((o) => o.origin === origin && o.until > now && (o.toldAt === undefined || Math.abs(now - o.toldAt) > TOLD_MS));

/** Whether another window has seen an order's hardware just now, and leaves its pod to one that has its folder. */
export const isHandedOver = (order: WatchOrder, now: number, withinMs: number): boolean => order.createOnSight && order.seenAt !== undefined && Math.abs(now - order.seenAt) < withinMs;

/**
 * Whether it is time to ask for an account, whichever window asked last: all together ask no more often than one would.
 * Something that was ordered since is asked for at once.
 */
export const isTimeToAsk = (askedAt: number | undefined, now: number, everyMs: number, orders: readonly WatchOrder[]): boolean =>
  askedAt === undefined || Math.abs(now - askedAt) >= everyMs * 0.9 || orders.some((o) => o.since >= askedAt);

/**
 * Asks the catalog, one request at a time and far apart, whether what is waited for has come. Requests that need the same
 * answer share one. Ends with its last order, and begins again with `wake`.
 */
export class GpuWatch implements Disposable {
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;
  #failures = 0;
  #running = false;
  readonly #end = new AbortController();

  constructor(private readonly deps: WatchDeps) {}

  /** Something may have been ordered elsewhere. */
  ensure(): void {
    if (this.#timer === undefined) this.wake(this.deps.everyMs());
  }

  /** Something was ordered, or may be asked sooner. */
  wake(soonMs = 1000): void {
    if (this.#end.signal.aborted || this.#running || this.deps.orders().length === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), soonMs);
  }

  dispose(): void {
    this.#end.abort();
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    this.#running = true;
    this.#timer = undefined;
    try {
      const questions = questionsOf(this.deps.orders());
      const question = questions[this.#turn++ % Math.max(1, questions.length)];
      if (question && ((await this.deps.mayAsk?.()) ?? true)) await this.#ask(question);
      this.#failures = 0;
    } catch (error) {
      if (isCancelled(error)) return;
      this.#failures++;
      this.deps.log.debug(`Watching for hardware: ${messageOf(error)}`);
    } finally {
      this.#running = false;
      if (!this.#end.signal.aborted && this.deps.orders().length > 0) this.wake(this.deps.everyMs() * 2 ** Math.min(this.#failures, 3));
    }
  }

  async #ask({ cloud, count, minCudaVersion }: Question): Promise<void> {
    const types = await this.deps.api.gpus(cloud, count, minCudaVersion, this.#end.signal);
    for (const order of this.deps.orders()) {
      const sighted = sightings(order, cloud, types);
      if (sighted.length > 0 && !this.#end.signal.aborted) await this.deps.onSight(order, sighted);
    }
  }
}

interface Question {
  readonly cloud: Cloud;
  readonly count: number;
  readonly minCudaVersion: string | undefined;
}

/** What has to be asked so that every request of every order is looked at in its turn. */
export function questionsOf(orders: readonly WatchOrder[]): Question[] {
  const all = orders.flatMap((o) => o.requests.map((r): Question => ({ cloud: r.cloud ?? 'SECURE', count: r.gpu?.count ?? 1, minCudaVersion: r.gpu?.minCudaVersion })));
  return [...new Map(all.map((q) => [JSON.stringify(q), q])).values()];
}

/** Those requests of an order for one cloud that the catalog says could be placed now, within the order's cap. */
export function sightings(order: WatchOrder, cloud: Cloud, types: readonly GpuType[]): Sighting[] {
  return order.requests.flatMap((request): Sighting[] => {
    const type = types.find((t) => t.id === request.gpu?.id);
    if (!type || !request.gpu || (request.cloud ?? 'SECURE') !== cloud) return [];
    const candidate = gpuCandidate(type, cloud, request.gpu.count, request.dataCenterIds);
    if (!candidate || candidate.stock === 'NONE') return [];
    return withinCap([candidate], order.cap).allowed.map((c) => ({ request, candidate: c }));
  });
}
