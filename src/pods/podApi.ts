import { RunPodError } from '../runpod/errors';
import type { LogLine, LogSource, Pod } from '../runpod/types';

/** One pod, fresh from the API. */
export type GetPod = (id: string, signal: AbortSignal) => Promise<Pod>;

export interface LogQuery {
  /** Lines from this moment on; `tail` is then ignored by the API. */
  readonly since?: Date;
  /** Lines after this one. Outranks `since`. */
  readonly lastEventId?: string;
  /** So many of the newest lines first: 0 to 5000, 100 unless told. */
  readonly tail?: number;
  /** Both unless told. */
  readonly source?: LogSource;
  readonly signal: AbortSignal;
}

/** A pod's log as a stream: what is there already, then what comes. It ends when `signal` aborts or when it is cut. */
export type ReadPodLogs = (id: string, query: LogQuery) => AsyncIterable<LogLine>;

/**
 * What a failed call to the API means for a wait: `passing` may be better in a moment, `key` needs the person's key,
 * `lasting` stays as it is.
 */
export function apiTrouble(error: unknown): 'passing' | 'key' | 'lasting' {
  if (!(error instanceof RunPodError)) return 'passing';
  switch (error.code) {
    case 'no-key':
    case 'unauthorized':
    case 'forbidden':
    case 'wrong-origin':
      return 'key';
    case 'network':
    case 'timeout':
    case 'server':
    case 'rate-limited':
    case 'not-json':
    case 'edge-blocked':
    case 'conflict':
      return 'passing';
    default:
      return 'lasting';
  }
}
