/** Every way in which a call to RunPod can fail. */
export type RunPodErrorCode =
  | 'no-key'
  /** 401: the key is wrong, expired or malformed. */
  | 'unauthorized'
  /** 402: the balance is too low. */
  | 'payment-required'
  /** 403: the key is good but may not do this. */
  | 'forbidden'
  /** 403 by the network in front of the API (Cloudflare), not by the API. */
  | 'edge-blocked'
  | 'not-found'
  | 'method-not-allowed'
  /** 409: not in this state, or the pod belongs to a cluster. */
  | 'conflict'
  | 'too-large'
  /** 422, or refused here before it was sent. */
  | 'invalid'
  | 'rate-limited'
  /** No machine has what was asked for; RunPod says so in the words of a 400. */
  | 'no-capacity'
  /** Any other refusal: a rule was broken. */
  | 'rejected'
  /** 410: this API has been retired. */
  | 'gone'
  | 'server'
  /** The answer is not JSON: a gateway's page, a captive portal, or the wrong address. */
  | 'not-json'
  /** JSON, but not in a shape that can be read. */
  | 'unreadable'
  /** No connection, or it was cut. */
  | 'network'
  | 'timeout'
  /** The key is not sent there: another origin than it belongs to, or no HTTPS. */
  | 'wrong-origin';

/** The one thing to do next. The words, and the button, are the editor's. */
export type RunPodAdvice =
  | 'set-key'
  | 'top-up'
  | 'check-permissions'
  | 'retry-later'
  | 'other-gpu'
  | 'fix-request'
  | 'refresh'
  | 'check-network'
  | 'update-extension'
  | 'none';

const advice: Record<RunPodErrorCode, RunPodAdvice> = {
  'no-key': 'set-key',
  unauthorized: 'set-key',
  'payment-required': 'top-up',
  forbidden: 'check-permissions',
  'edge-blocked': 'check-network',
  'not-found': 'refresh',
  'method-not-allowed': 'update-extension',
  conflict: 'refresh',
  'too-large': 'fix-request',
  invalid: 'fix-request',
  'rate-limited': 'retry-later',
  'no-capacity': 'other-gpu',
  rejected: 'fix-request',
  gone: 'update-extension',
  server: 'retry-later',
  'not-json': 'check-network',
  unreadable: 'update-extension',
  network: 'check-network',
  timeout: 'retry-later',
  'wrong-origin': 'none',
};

export const adviceFor = (code: RunPodErrorCode): RunPodAdvice => advice[code];

export interface RunPodErrorFields {
  readonly method: string;
  /** Path and query, without origin. */
  readonly path: string;
  /** HTTP status, where there was an answer. */
  readonly status?: number | undefined;
  /** RunPod's own short summary. */
  readonly title?: string | undefined;
  /** RunPod's own explanation, or the cause below HTTP; secrets taken out. */
  readonly detail?: string | undefined;
  /** Single violations of a 422. */
  readonly errors?: readonly string[] | undefined;
  /** How long to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** `x-request-id`, what RunPod's support asks for. */
  readonly requestId?: string | undefined;
  /** A write that may have happened all the same: look before it is repeated. */
  readonly maybeDone?: boolean | undefined;
  readonly cause?: unknown;
}

/** A call to RunPod that failed. `code` says how, `adviceFor(code)` what to do next. */
export class RunPodError extends Error {
  override readonly name = 'RunPodError';
  readonly method: string;
  readonly path: string;
  readonly status: number | undefined;
  readonly title: string | undefined;
  readonly detail: string | undefined;
  readonly errors: readonly string[] | undefined;
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;
  readonly maybeDone: boolean;

  constructor(
    readonly code: RunPodErrorCode,
    fields: RunPodErrorFields,
  ) {
    const what = [fields.status, fields.detail ?? fields.title ?? code].filter((part) => part !== undefined).join(' ');
    super(`${fields.method} ${fields.path}: ${what}`, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.method = fields.method;
    this.path = fields.path;
    this.status = fields.status;
    this.title = fields.title;
    this.detail = fields.detail;
    this.errors = fields.errors;
    this.retryAfterMs = fields.retryAfterMs;
    this.requestId = fields.requestId;
    this.maybeDone = fields.maybeDone ?? false;
  }

  get advice(): RunPodAdvice {
    return adviceFor(this.code);
  }
}
