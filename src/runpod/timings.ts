/** Waits and bounds, in milliseconds unless named otherwise. */
export interface Timings {
  /** One call with all its tries, each answer's body included; waits for the rate limit come on top. */
  readonly callMs: number;
  /** A create may take longer, and a create without an answer is the worst of all answers. */
  readonly createMs: number;
  /** Tries of a call that may be repeated. */
  readonly attempts: number;
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** A longer wait for the rate limit is an error at once. One window of a minute fits in. */
  readonly maxRateWaitMs: number;
  /** Bytes. */
  readonly maxAnswerBytes: number;
  /** A log stream without a byte (keepalives count) is taken for dead after this. */
  readonly logSilenceMs: number;
  /** A log stream that brings keepalives and no line is opened anew after this, then ever more rarely, up to `logSilenceMs`. */
  readonly logQuietMs: number;
  /** A log stream that cannot be had again for this long ends with the error. */
  readonly logGiveUpMs: number;
}

export const defaultTimings: Timings = {
  callMs: 30_000,
  createMs: 60_000,
  attempts: 3,
  backoffBaseMs: 500,
  backoffCapMs: 4_000,
  maxRateWaitMs: 65_000,
  maxAnswerBytes: 32 * 1024 * 1024,
  logSilenceMs: 120_000,
  logQuietMs: 20_000,
  logGiveUpMs: 300_000,
};
