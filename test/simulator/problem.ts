/** What the API answers when it refuses: `application/problem+json`, without a machine-readable code. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly errors?: readonly string[],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(`${status}: ${detail}`);
  }

  get body(): { title: string; status: number; detail: string; errors?: readonly string[] } {
    return {
      title: titles[this.status] ?? (this.status >= 500 ? 'Server Error' : 'Error'),
      status: this.status,
      detail: this.detail,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
    };
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** The text that answers a full data center, an unknown GPU id, a missing `gpu.count` and too narrow `dataCenterIds` alike. */
export const CAPACITY_DETAIL =
  'There are no longer any instances available with the requested specifications. Please refresh and try again.';

export const badRequest = (detail: string): Problem => new Problem(400, detail);
export const noCapacity = (): Problem => new Problem(400, CAPACITY_DETAIL);
export const notFound = (what = 'resource'): Problem => new Problem(404, `${what} not found`);
export const invalid = (...errors: string[]): Problem => new Problem(422, 'Request validation failed.', errors);
export const forbidden = (detail = 'access denied'): Problem => new Problem(403, detail);
export const conflict = (detail: string): Problem => new Problem(409, detail);
