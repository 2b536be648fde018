import type { Memento } from 'vscode';
import type { Disposable } from '../../base/disposable';
import { isCancelled, messageOf } from '../../base/errors';
import type { Logger } from '../../base/log';
import { PodUnavailableError } from '../../pods/contracts';
import type { PodSessions } from '../../pods/session';
import { RunError } from '../../runs/detached/errors';
import { RunFollower } from '../../runs/detached/follow';
import type { RunRef } from '../../runs/detached/layout';
import { findRun, type RunRecord } from '../../runs/detached/list';
import { LAST_BYTES, LAST_LINES, lastLines } from '../../runs/plainText';
import type { EndedRun } from './followed';

const KEY = 'runpod.unseenRuns';

export interface UnseenDeps {
  readonly sessions: PodSessions;
  readonly memento: Memento;
  readonly log: Logger;
  note(run: RunRecord): void;
  ended(run: EndedRun): void;
}

/**
 * Follows runs whose terminals the person has closed, without a word, so that their end is told and their pod is stopped where
 * that is wanted. Remembered with the workspace: a window that opens again goes on with it.
 */
export class UnseenRuns implements Disposable {
  readonly #following = new Map<string, AbortController>();

  constructor(private readonly deps: UnseenDeps) {}

  /** Whether there was anything to follow when the window was closed. */
  get any(): boolean {
    return this.#remembered().length > 0;
  }

  /** Goes on with what was followed when the window was closed. */
  takeUp(): void {
    for (const ref of this.#remembered()) void this.follow(ref);
  }

  /** Until it has ended, or has a terminal again. */
  async follow({ podId, id }: RunRef): Promise<void> {
    if (this.#following.has(id)) return;
    const stop = new AbortController();
    this.#following.set(id, stop);
    this.#remember([...this.#remembered().filter((ref) => ref.id !== id), { podId, id }]);
    try {
      const ended = await this.#end({ podId, id }, stop.signal);
      if (stop.signal.aborted) return;
      this.#forget(id);
      if (ended !== undefined) this.deps.ended(ended);
    } catch (error) {
      if (stop.signal.aborted || isCancelled(error)) return;
      this.#following.delete(id);
      // What ended with its pod is not told again; what could not be asked is, when the window opens the next time.
      if (error instanceof RunError || (error instanceof PodUnavailableError && (error.code === 'stopped' || error.code === 'gone'))) this.#forget(id);
      this.deps.log.warn(`Run ${id}: ${messageOf(error)}`);
    }
  }

  /** It has a terminal again, which tells its end. */
  seen(runId: string): void {
    this.#following.get(runId)?.abort();
    this.#forget(runId);
  }

  dispose(): void {
    for (const stop of this.#following.values()) stop.abort();
    this.#following.clear();
  }

  /** `undefined`: it is gone, and nothing is known of its end. */
  async #end(ref: RunRef, signal: AbortSignal): Promise<EndedRun | undefined> {
    const session = this.deps.sessions.get(ref.podId);
    const run = await findRun(session, ref.id, signal);
    const follower = new RunFollower(session, run, { offset: Math.max(0, run.outputBytes - LAST_BYTES) });
    signal.addEventListener('abort', () => follower.dispose(), { once: true });
    if (signal.aborted) follower.dispose();
    let recent = Buffer.alloc(0);
    const end = await follower.follow((bytes) => (recent = Buffer.concat([recent, bytes]).subarray(-LAST_BYTES)));
    if (end.kind === 'gone') return undefined;
    const record = await findRun(session, ref.id, signal);
    this.deps.note(record);
    return { run: record, lines: lastLines(recent.toString(), LAST_LINES), exitCode: record.exitCode ?? 255 };
  }

  #forget(id: string): void {
    this.#following.delete(id);
    const remembered = this.#remembered();
    if (remembered.some((ref) => ref.id === id)) this.#remember(remembered.filter((ref) => ref.id !== id));
  }

  #remembered(): readonly RunRef[] {
    return this.deps.memento.get<readonly RunRef[]>(KEY, []);
  }

  #remember(refs: readonly RunRef[]): void {
    void this.deps.memento.update(KEY, refs);
  }
}
