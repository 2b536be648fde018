import { messageOf } from '../base/errors';
import type { Disposable } from '../base/disposable';
import { Emitter } from '../base/emitter';
import { silentLog, type Logger } from '../base/log';
import { sleep } from '../base/time';
import type { LogLine, Pod } from '../runpod/types';
import { PrintedFingerprints } from '../ssh/printedFingerprints';
import { apiTrouble, type ReadPodLogs } from './podApi';

export interface PrintedKeysTimings {
  /** The stream has no mark at the end of what is there; so much silence after a line is taken for it. */
  readonly silenceMs: number;
  /** Silence before any line: the answer may still be on its way, or there may be none. */
  readonly firstLineMs: number;
  /** After so long the log counts as read, however much it still says. */
  readonly longestMs: number;
  /** After so many lines too. */
  readonly mostLines: number;
}

export const defaultPrintedKeysTimings: PrintedKeysTimings = { silenceMs: 750, firstLineMs: 4_000, longestMs: 15_000, mostLines: 100_000 };

/** The most the API gives back at once. */
const PAGE = 5000;
/** How long before `startedAt` the log is read from: it may be the time at which the container was seen to run. */
const SLACK_MS = 120_000;
/** By how much the uptime that the API tells may lag behind. */
const UPTIME_SLACK_MS = 30_000;
/** How long a container may take to list its keys, where the uptime alone tells when it began. */
const LISTS_WITHIN_MS = 5 * 60_000;

/**
 * When the present container began, by the uptime that the API tells; `undefined` where it tells none, or one that reaches
 * back to the pod's start. A container that is started again in place may leave no other trace.
 * @param now the API's clock, ms since 1970
 */
export function containerBegunAt(pod: Pod, now: number): Date | undefined {
  const uptime = pod.runtime?.uptimeSeconds;
  // 0 is also told of what is not known.
  if (uptime === undefined || uptime === 0 || pod.startedAt === undefined) return undefined;
  const begun = now - uptime * 1000 - UPTIME_SLACK_MS;
  return begun > pod.startedAt.getTime() + UPTIME_SLACK_MS ? new Date(begun) : undefined;
}

/**
 * The host-key fingerprints that a pod's start script has printed into its container log since its last start, read over
 * the authenticated API, so that nobody between us and the pod can forge them. They stand at the log's beginning, so it
 * is read from there on, and any number of later lines neither hides nor replaces them. The platform's own lines are read
 * with them: they tell where a container begins.
 */
export class PrintedKeys implements Disposable {
  readonly #stop = new AbortController();
  readonly #timings: PrintedKeysTimings;
  readonly #news = new Emitter<void>();
  readonly #printed: PrintedFingerprints;
  #fingerprints: readonly string[] = [];
  #problem: unknown;
  #finished = false;
  #lines = 0;

  constructor(
    private readonly logs: ReadPodLogs,
    private readonly pod: Pod,
    private readonly log: Logger = silentLog,
    timings: Partial<PrintedKeysTimings> = {},
    now: number = Date.now(),
  ) {
    const container = containerBegunAt(pod, now);
    this.#printed = new PrintedFingerprints([...(pod.startedAt ? [{ at: pod.startedAt }] : []), ...(container ? [{ at: container, listsWithinMs: LISTS_WITHIN_MS }] : [])]);
    this.#timings = { ...defaultPrintedKeysTimings, ...timings };
    void this.#read();
  }

  /** Why the log could not be read to its end, if so. */
  get problem(): unknown {
    return this.#problem;
  }

  /**
   * The fingerprints to compare a key with: at once when the key is among what has been read, else when the log has been
   * read to its end (or to the bounds of patience).
   */
  async expectedFor(fingerprint: string): Promise<readonly string[]> {
    while (!this.#finished && !this.#fingerprints.includes(fingerprint)) await this.#change();
    return this.#fingerprints;
  }

  /** All of them, once the log has been read. */
  async all(): Promise<readonly string[]> {
    while (!this.#finished) await this.#change();
    return this.#fingerprints;
  }

  /** Ends the stream. Whoever waits gets what there is. */
  dispose(): void {
    this.#stop.abort();
    this.#finish();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const subscription = this.#news.event(() => {
        subscription.dispose();
        resolve();
      });
    });
  }

  #finish(): void {
    this.#finished = true;
    this.#news.fire();
  }

  async #read(): Promise<void> {
    const limit = setTimeout(() => this.#stop.abort(), this.#timings.longestMs);
    try {
      await this.#readPages();
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#problem = error;
      this.log.debug(`Log of pod ${this.pod.id} for its host keys: ${messageOf(error)}`);
    } finally {
      clearTimeout(limit);
      this.#stop.abort();
      this.#finish();
    }
  }

  /** A stream that ends, or is cut, before it has fallen silent is read on after its last line. */
  async #readPages(): Promise<void> {
    const { signal } = this.#stop;
    let lastEventId: string | undefined;
    for (let failures = 0; !signal.aborted; ) {
      const from = lastEventId !== undefined ? { lastEventId } : this.pod.startedAt !== undefined ? { since: new Date(this.pod.startedAt.getTime() - SLACK_MS) } : {};
      const stream = this.logs(this.pod.id, { ...from, tail: PAGE, signal })[Symbol.asyncIterator]();
      const before = this.#lines;
      try {
        const end = await this.#pump(stream, (id) => (lastEventId = id));
        // A server that ends its streams has nothing more when it gives nothing more.
        if (end !== 'ended' || this.#lines === before) return;
      } catch (error) {
        if (signal.aborted || apiTrouble(error) !== 'passing' || ++failures > 3) throw error;
        await sleep(200 * failures, signal);
      } finally {
        // Not awaited: a stream that hangs would hold us, and the signal ends it too.
        void stream.return?.()?.then(undefined, () => {});
      }
    }
  }

  /** Takes lines until the stream ends or falls silent, or there are enough. */
  #pump(stream: AsyncIterator<LogLine>, onId: (id: string) => void): Promise<'ended' | 'silent' | 'enough'> {
    return new Promise((resolve, reject) => {
      const fallSilent = (): void => resolve('silent');
      const { firstLineMs, silenceMs, mostLines } = this.#timings;
      let timer = setTimeout(fallSilent, firstLineMs);
      const settle = (conclude: () => void): void => {
        clearTimeout(timer);
        conclude();
      };
      const step = (first: boolean): void => {
        stream.next().then(
          (next) => {
            if (next.done === true) return settle(() => resolve('ended'));
            if (this.#finished) return settle(() => resolve('enough'));
            if (first) {
              clearTimeout(timer);
              timer = setTimeout(fallSilent, silenceMs);
            } else timer.refresh();
            onId(next.value.id);
            this.#take(next.value);
            if (++this.#lines >= mostLines) settle(() => resolve('enough'));
            else step(false);
          },
          (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(messageOf(error)))),
        );
      };
      this.#stop.signal.addEventListener('abort', () => settle(fallSilent), { once: true });
      step(true);
    });
  }

  #take({ source, line, at }: LogLine): void {
    if (!this.#printed.feed(source, line, at)) return;
    this.#fingerprints = this.#printed.found.map(({ fingerprint }) => fingerprint);
    this.#news.fire();
  }
}
