import type { RunPodErrorCode } from './errors';
import { RunPodError } from './errors';
import type { HttpRequest } from './http';

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Nobody waits for this: where the rate limit is used up it fails at once instead of waiting. */
  readonly background?: boolean | undefined;
  /** One try: whoever asks comes back by itself, and a window that nobody works in costs little even while the API fails. */
  readonly once?: boolean | undefined;
}

export interface WriteOptions {
  /** Ends the call as long as nothing has been sent, so that `CancelledError` always means: it did not happen. */
  readonly signal?: AbortSignal | undefined;
}

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** One call of the API, with all its tries. */
export interface Call {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly write: boolean;
  readonly body?: unknown;
  readonly signals: readonly AbortSignal[];
  readonly background: boolean;
  readonly once?: boolean | undefined;
  readonly timeoutMs: number;
  readonly headers?: Record<string, string>;
}

/** An error of this call. */
export const callError = (code: RunPodErrorCode, call: Pick<Call, 'method' | 'path'>, more: Partial<Omit<ConstructorParameters<typeof RunPodError>[1], 'method' | 'path'>>): RunPodError =>
  new RunPodError(code, { method: call.method, path: call.path, ...more });

/** With its question mark, or empty. */
export function queryString(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  // Lists are comma-joined, as the API's parameters say (style form, not exploded), and the comma between is a bare one.
  const text = params.toString().replaceAll('%2C', ',');
  return text === '' ? '' : `?${text}`;
}
