import { CancelledError } from '../base/errors';
import type { HttpAnswer } from './http';
import { listHeader } from './http';

export interface RateWindow {
  /** `minute`, `hour` or `day`. */
  readonly name: string;
  readonly remaining: number;
  readonly resetsInMs: number;
  readonly quota?: number;
}

export type Permit = { readonly kind: 'go'; release(): void } | { readonly kind: 'refused'; readonly retryAfterMs: number };

/** The end of a window is told in whole seconds; a little later is surely after it. */
const slackMs = 100;

/** Members of a structured-field list such as `"minute";r=0;t=12, "hour";r=2800;t=1812`, with their whole-number parameters. */
export function parseWindows(value: string): { name: string; params: Map<string, number> }[] {
  return value.split(',').flatMap((member) => {
    const [name, ...rest] = member.split(';').map((part) => part.trim());
    const bare = name?.replaceAll('"', '');
    if (bare === undefined || bare === '') return [];
    const params = new Map(rest.flatMap((part): [string, number][] => {
      const match = /^([a-z]+)=(\d+)$/.exec(part);
      return match?.[1] !== undefined ? [[match[1], Number(match[2])]] : [];
    }));
    return [{ name: bare, params }];
  });
}

/**
 * What RunPod has told about the quota, and the gate that keeps to it: a request that would find a window used up waits
 * for its end instead of being sent.
 */
export class RateLimit {
  #windows = new Map<string, { remaining: number; resetAt: number; quota?: number }>();
  #blockedUntil = 0;
  #inFlight = 0;
  #wake = new Set<() => void>();

  /** @param now a clock that never goes back, in milliseconds. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Takes in the headers of an answer. */
  observe(headers: HttpAnswer['headers']): void {
    const now = this.now();
    for (const { name, params } of parseWindows(listHeader(headers, 'ratelimit'))) {
      const remaining = params.get('r');
      const seconds = params.get('t');
      if (remaining === undefined || seconds === undefined) continue;
      this.#windows.set(name, { ...this.#windows.get(name), remaining, resetAt: now + seconds * 1000 + slackMs });
    }
    for (const { name, params } of parseWindows(listHeader(headers, 'ratelimit-policy'))) {
      const quota = params.get('q');
      const window = this.#windows.get(name);
      if (quota !== undefined && window !== undefined) window.quota = quota;
    }
    this.#changed();
  }

  /** After a 429: nothing is sent for so long. */
  block(ms: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, this.now() + ms);
  }

  get windows(): RateWindow[] {
    const now = this.now();
    return [...this.#windows].map(([name, { remaining, resetAt, quota }]) => {
      const over = resetAt <= now;
      return { name, remaining: over ? (quota ?? remaining) : remaining, resetsInMs: Math.max(0, resetAt - now), ...(quota === undefined ? {} : { quota }) };
    });
  }

  /**
   * Waits until a request may be sent, at most `maxWaitMs`; longer waits are refused at once, so that the caller can say
   * how long it would take. `release` is to be called when the answer's headers are in.
   */
  async take(maxWaitMs: number, signals: readonly AbortSignal[]): Promise<Permit> {
    const giveUpAt = this.now() + maxWaitMs;
    for (;;) {
      const now = this.now();
      const until = this.#closedUntil(now);
      if (until > now && until > giveUpAt) return { kind: 'refused', retryAfterMs: until - now };
      if (until > now) await this.#sleep(until - now, signals);
      // What is under way has not been counted by the server yet, perhaps; its answer will tell.
      else if (this.#inFlight > 0 && this.#leastLeft(now) <= this.#inFlight) await this.#sleep(1000, signals);
      else return this.#go();
    }
  }

  #closedUntil(now: number): number {
    let until = this.#blockedUntil;
    for (const { remaining, resetAt } of this.#windows.values()) if (remaining <= 0 && resetAt > now) until = Math.max(until, resetAt);
    return until;
  }

  #leastLeft(now: number): number {
    return Math.min(Infinity, ...[...this.#windows.values()].filter((w) => w.resetAt > now).map((w) => w.remaining));
  }

  #go(): Permit {
    this.#inFlight++;
    let released = false;
    return {
      kind: 'go',
      release: () => {
        if (released) return;
        released = true;
        this.#inFlight--;
        this.#changed();
      },
    };
  }

  #changed(): void {
    for (const wake of [...this.#wake]) wake();
  }

  #sleep(ms: number, signals: readonly AbortSignal[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => (): void => {
        clearTimeout(timer);
        this.#wake.delete(wake);
        for (const signal of signals) signal.removeEventListener('abort', leave);
        settle();
      };
      const wake = done(resolve);
      const leave = done(() => reject(new CancelledError()));
      const timer = setTimeout(wake, ms);
      this.#wake.add(wake);
      for (const signal of signals) signal.addEventListener('abort', leave, { once: true });
      if (signals.some((signal) => signal.aborted)) leave();
    });
  }
}
