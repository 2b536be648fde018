import { messageOf } from '../base/errors';
import { silentLog, type Logger } from '../base/log';
import { backoff, sleep } from '../base/time';
import type { ReadPodLogs } from './podApi';
import { PullProgress } from './pullProgress';

/** The platform's words for a container that it cannot start, or an image that it cannot get. It tries again and again, and bills. */
const failing = /^error (?:starting|creating|pulling)\b|\bfailed to (?:start|create) (?:container|task)|OCI runtime create failed|failed to pull image|toomanyrequests|pull access denied|manifest (?:unknown|not found)/i;

/** Follows a pod's log while it is being made: the latest line and how far the image is. A cut stream is taken up again. */
export class LogFollower {
  readonly #pull = new PullProgress();
  #line: string | undefined;
  #pulling = false;
  #containerStarted = false;
  #failures = 0;
  #failure: string | undefined;

  /** @param since what was printed before belongs to an earlier life of the pod */
  constructor(
    private readonly logs: ReadPodLogs,
    private readonly podId: string,
    private readonly since: Date,
    private readonly signal: AbortSignal,
    private readonly onLine: () => void,
    private readonly log: Logger = silentLog,
  ) {}

  /** The latest line that says anything, without colours. */
  get line(): string | undefined {
    return this.#line;
  }

  get percent(): number | undefined {
    return this.#pull.percent;
  }

  get pulling(): boolean {
    return this.#pulling;
  }

  /** The image is there: the container is being started, or prints already. */
  get containerStarted(): boolean {
    return this.#containerStarted;
  }

  /** Why the container does not start, in the platform's words, once it has failed more than once and nothing has come of it. */
  get failure(): string | undefined {
    return this.#failures > 1 ? this.#failure : undefined;
  }

  start(): void {
    void this.#follow();
  }

  async #follow(): Promise<void> {
    let lastEventId: string | undefined;
    for (let attempt = 0; !this.signal.aborted; attempt++) {
      try {
        const from = lastEventId === undefined ? { since: this.since } : { lastEventId };
        for await (const { id, source, line } of this.logs(this.podId, { ...from, signal: this.signal })) {
          if (this.signal.aborted) return;
          attempt = 0;
          lastEventId = id;
          this.#take(source === 'container', line);
        }
      } catch (error) {
        // A pod that has just been made has no log yet; progress without its lines is still progress.
        if (!this.signal.aborted) this.log.debug(`Log of pod ${this.podId}: ${messageOf(error)}`);
      }
      await sleep(backoff(attempt, 1_000, 15_000), this.signal).catch(() => {});
    }
  }

  #take(container: boolean, raw: string): void {
    const line = raw.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '').trim();
    if (container) this.#failures = 0;
    else if (failing.test(line)) {
      this.#failures++;
      this.#failure = line;
    }
    if (container || /^start container/i.test(line)) this.#containerStarted = true;
    else if (this.#pull.read(line)) this.#pulling = true;
    if (line === '') return;
    this.#line = line;
    this.onLine();
  }
}
