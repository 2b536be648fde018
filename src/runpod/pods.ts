import type { Logger } from '../base/log';
import { RunPodError } from './errors';
import type { LogOptions } from './logs';
import { followLogs } from './logs';
import { readPages, segment } from './pages';
import { readPod, readPodRows } from './podRows';
import type { ServerClock } from './serverClock';
import type { ReadOptions, Transport, WriteOptions } from './transport';
import type { CreatePodRequest, LogLine, Pod, PodRow, UpdatePodRequest } from './types';

/** Pods: the list, one pod's life, and its log. */
export class PodsApi {
  constructor(
    private readonly transport: Transport,
    private readonly clock: ServerClock,
    private readonly log: Logger,
    /** Whether the API is on this machine, and so its pods may be. */
    private readonly here: boolean,
  ) {}

  /** Every pod of the account, members of clusters too, because they bill; what cannot be read is a row that says so. */
  async list(options: ReadOptions = {}): Promise<PodRow[]> {
    const { rows, incomplete } = await readPages(this.transport, '/pods', 'pods', { includeClusterPods: true }, options);
    const read = readPodRows(rows, this.here);
    if (incomplete !== undefined) read.push({ kind: 'unreadable', row: { problem: incomplete, raw: undefined } });
    for (const row of read) if (row.kind === 'unreadable') this.log.warn(`GET /pods: a row cannot be read (${row.row.id ?? 'no id'}): ${row.row.problem}`);
    return read;
  }

  async get(id: string, options: ReadOptions = {}): Promise<Pod> {
    const path = this.#path(id, 'GET');
    return this.#pod(await this.transport.get(path, {}, options), 'GET', path, false);
  }

  /**
   * Asks for a pod, once. An error with `maybeDone` means that the pod may exist and bill: look for its name in the list
   * before asking again.
   */
  async create(request: CreatePodRequest, options: WriteOptions = {}): Promise<Pod> {
    const answer = await this.transport.write('POST', '/pods', request, { ...options, timeoutMs: this.transport.timings.createMs });
    return this.#pod(answer, 'POST', '/pods', true);
  }

  async update(id: string, patch: UpdatePodRequest, options: WriteOptions = {}): Promise<Pod> {
    const path = this.#path(id, 'PATCH');
    return this.#pod(await this.transport.write('PATCH', path, patch, options), 'PATCH', path, true);
  }

  /** Deletes the pod and all that lives with it. Afterwards it is `not-found`. */
  async terminate(id: string, options: WriteOptions = {}): Promise<void> {
    await this.transport.write('DELETE', this.#path(id, 'DELETE'), undefined, options);
  }

  /** @returns the pod as RunPod tells it right after; `undefined` when the answer, though good, does not hold it. */
  async action(id: string, action: 'start' | 'stop' | 'restart', options: WriteOptions = {}): Promise<Pod | undefined> {
    return readPod(await this.transport.write('POST', `${this.#path(id, 'POST')}/action`, { action }, options), this.here);
  }

  /** The pod's log, past lines first, until the caller leaves the loop or aborts the signal. Throws `RunPodError`. */
  logs(id: string, options: LogOptions = {}): AsyncIterable<LogLine> {
    return followLogs({ transport: this.transport, clock: this.clock, log: this.log, path: `${this.#path(id, 'GET')}/logs`, options });
  }

  #path(id: string, method: string): string {
    return `/pods/${segment(id, method, '/pods')}`;
  }

  #pod(raw: unknown, method: string, path: string, write: boolean): Pod {
    const pod = readPod(raw, this.here);
    if (pod === undefined) throw new RunPodError('unreadable', { method, path, detail: 'The answer holds no pod', maybeDone: write });
    return pod;
  }
}
