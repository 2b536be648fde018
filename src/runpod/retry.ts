import { backoff, sleep } from '../base/time';
import type { Call } from './call';
import type { RunPodError } from './errors';
import { codeOf } from './http';
import type { Timings } from './timings';

/** An answer that calls itself JSON and is not: the connection was cut in a way that HTTP does not show. */
export class TruncatedJson extends Error {}

const isCertificateError = (cause: unknown): boolean => /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/.test(`${codeOf(cause) ?? ''} ${codeOf((cause as { cause?: unknown } | undefined)?.cause) ?? ''}`);

/**
 * Milliseconds until the next try, or `undefined` when there must be none.
 * @param attempt counts from 1
 * @param left milliseconds that the call still has
 */
export function waitBeforeRetry(error: RunPodError, call: Call, attempt: number, left: number, { backoffBaseMs, backoffCapMs, maxRateWaitMs }: Timings): number | undefined {
  const jittered = backoff(attempt - 1, backoffBaseMs, backoffCapMs);
  if (error.code === 'rate-limited') {
    // The gate keeps the wait that RunPod named. An error without a status is the gate's own refusal.
    if (call.background || error.status === undefined || (error.retryAfterMs ?? 0) > maxRateWaitMs) return undefined;
    return error.retryAfterMs === undefined ? jittered : 0;
  }
  const passing = error.code === 'server' || error.code === 'timeout' || (error.code === 'network' && !isCertificateError(error.cause)) || (error.code === 'not-json' && error.cause instanceof TruncatedJson);
  if (!passing || (call.write && (error.maybeDone || error.status !== undefined))) return undefined;
  const wait = Math.max(jittered, error.retryAfterMs ?? 0);
  return wait < left ? wait : undefined;
}

/** Sleeps, unless one of the signals aborts. @throws CancelledError */
export async function sleepUntilAny(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const controller = new AbortController();
  const leave = (): void => controller.abort();
  for (const signal of signals) signal.addEventListener('abort', leave, { once: true });
  try {
    await sleep(ms, controller.signal);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', leave);
  }
}
