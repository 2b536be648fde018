import type { Disposable } from '../../src/base/disposable';

interface Alarm {
  readonly due: number;
  readonly ring: () => void;
  timer: NodeJS.Timeout | undefined;
}

/** The longest wait `setTimeout` takes; longer ones are armed again when it rings. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

/**
 * Pod time: starts at the wall clock's time and runs `speed` times as fast. All that RunPod does (prices, phases,
 * time stamps) goes by it; what a client waits for in person (rate limits, keepalives) goes by the wall.
 */
export class PodClock implements Disposable {
  #podBase = Date.now();
  #wallBase = performance.now();
  #speed: number;
  readonly #alarms = new Set<Alarm>();

  constructor(speed = 1) {
    this.#speed = checkedSpeed(speed);
  }

  /** Milliseconds since the epoch, in pod time. */
  now(): number {
    return this.#podBase + (performance.now() - this.#wallBase) * this.#speed;
  }

  iso(at: number = this.now()): string {
    return new Date(at).toISOString();
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    const next = checkedSpeed(speed);
    this.#rebase(0);
    this.#speed = next;
    this.#rearm();
  }

  /** Jumps `ms` of pod time ahead at once; what fell due meanwhile happens next. */
  advance(ms: number): void {
    this.#rebase(Math.max(0, ms));
    this.#rearm();
  }

  /** Wall-clock milliseconds that `podMs` of pod time take at the present speed. */
  toWall(podMs: number): number {
    return podMs / this.#speed;
  }

  /** Rings once `podMs` of pod time have passed. */
  after(podMs: number, ring: () => void): Disposable {
    const alarm: Alarm = { due: this.now() + podMs, ring, timer: undefined };
    this.#alarms.add(alarm);
    this.#arm(alarm);
    return {
      dispose: () => {
        clearTimeout(alarm.timer);
        this.#alarms.delete(alarm);
      },
    };
  }

  dispose(): void {
    for (const alarm of this.#alarms) clearTimeout(alarm.timer);
    this.#alarms.clear();
  }

  #rebase(jump: number): void {
    this.#podBase = this.now() + jump;
    this.#wallBase = performance.now();
  }

  #rearm(): void {
    for (const alarm of [...this.#alarms].sort((a, b) => a.due - b.due)) this.#arm(alarm);
  }

  #arm(alarm: Alarm): void {
    clearTimeout(alarm.timer);
    const wait = Math.min(LONGEST_TIMEOUT_MS, Math.max(0, this.toWall(alarm.due - this.now())));
    alarm.timer = setTimeout(() => {
      if (!this.#alarms.has(alarm)) return;
      // Timers may ring a hair early; pod time decides.
      if (alarm.due - this.now() > 0.5) return this.#arm(alarm);
      this.#alarms.delete(alarm);
      alarm.ring();
    }, wait);
  }
}

function checkedSpeed(speed: number): number {
  if (!Number.isFinite(speed) || speed <= 0) throw new RangeError(`speed must be a number above 0, got ${speed}`);
  return speed;
}
