import { Problem } from './problem';

export interface Quotas {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
}

const SECONDS = { minute: 60, hour: 3600, day: 86_400 } as const;
type Window = keyof typeof SECONDS;
const WINDOWS: readonly Window[] = ['minute', 'hour', 'day'];

/** Requests counted per user in fixed windows of wall time, told in the structured headers that the API sends. */
export class RateLimiter {
  readonly #used = new Map<string, Record<Window, { since: number; count: number }>>();

  constructor(private readonly quotas: () => Quotas) {}

  /** Counts one request of `user`. @throws Problem 429 with `Retry-After` naming the longest exhausted window. */
  take(user: string, now = Date.now()): Record<string, string> {
    const used = this.#windows(user, now);
    const quotas = this.quotas();
    const exhausted = WINDOWS.filter((window) => used[window].count >= quotas[window]).at(-1);
    if (exhausted === undefined) for (const window of WINDOWS) used[window].count++;
    const headers = this.#headers(used, quotas, now);
    if (exhausted === undefined) return headers;
    throw new Problem(429, `rate limit exceeded for the ${exhausted} window`, undefined, {
      ...headers,
      'Retry-After': String(secondsLeft(used[exhausted].since, exhausted, now)),
    });
  }

  forget(): void {
    this.#used.clear();
  }

  #windows(user: string, now: number): Record<Window, { since: number; count: number }> {
    const fresh = (): { since: number; count: number } => ({ since: now, count: 0 });
    const used = this.#used.get(user) ?? { minute: fresh(), hour: fresh(), day: fresh() };
    for (const window of WINDOWS) if (now - used[window].since >= SECONDS[window] * 1000) used[window] = fresh();
    this.#used.set(user, used);
    return used;
  }

  #headers(used: Record<Window, { since: number; count: number }>, quotas: Quotas, now: number): Record<string, string> {
    const members = WINDOWS.map((w) => `"${w}";r=${Math.max(0, quotas[w] - used[w].count)};t=${secondsLeft(used[w].since, w, now)}`);
    return {
      RateLimit: members.join(', '),
      'RateLimit-Policy': WINDOWS.map((w) => `"${w}";q=${quotas[w]};w=${SECONDS[w]}`).join(', '),
    };
  }
}

const secondsLeft = (since: number, window: Window, now: number): number => Math.max(1, Math.ceil(SECONDS[window] - (now - since) / 1000));
