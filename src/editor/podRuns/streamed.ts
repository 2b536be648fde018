import type { Disposable } from '../../base/disposable';
import { isCancelled, messageOf } from '../../base/errors';
import { sleep, steadyNow } from '../../base/time';
import type { RunRecord } from '../../runs/detached/list';
import { pullResultsSoFar, type ResultsParts } from './results';

/** At least so long between two looks; and four times as long as a look took, so that results never fill the line. */
const PAUSE_MS = 5_000;

/** Brings the results of runs while they go on, where the folder's profile asks for it. */
export class StreamedResults implements Disposable {
  readonly #going = new Map<string, AbortController>();

  constructor(private readonly parts: ResultsParts) {}

  /** A run is followed in this window. */
  async begin(run: RunRecord): Promise<void> {
    if (this.#going.has(run.id) || (await this.parts.wishes(run)).resultsWhileRunning !== true) return;
    const going = new AbortController();
    this.#going.set(run.id, going);
    void this.#follow(run, going.signal);
  }

  /** It has ended, or nobody follows it any more. */
  end(runId: string): void {
    this.#going.get(runId)?.abort();
    this.#going.delete(runId);
  }

  dispose(): void {
    for (const runId of [...this.#going.keys()]) this.end(runId);
  }

  async #follow(run: RunRecord, signal: AbortSignal): Promise<void> {
    let pause = PAUSE_MS;
    while (!signal.aborted) {
      await sleep(pause, signal).catch(() => undefined);
      // While the connection is away it is not made for this.
      if (signal.aborted || this.parts.sessions.peek(run.podId)?.state !== 'connected') continue;
      const began = steadyNow();
      try {
        const files = await pullResultsSoFar(this.parts, run, signal);
        if (files > 0) this.parts.log.debug(`Results so far of run ${run.id}: ${files} files`);
      } catch (error) {
        if (!isCancelled(error)) this.parts.log.debug(`Results so far of run ${run.id}: ${messageOf(error)}`);
      }
      pause = Math.max(PAUSE_MS, 4 * (steadyNow() - began));
    }
  }
}
