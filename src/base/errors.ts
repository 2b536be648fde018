/** The person, or the code that asked, no longer wants the answer. Never shown as an error. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  constructor() {
    super('Cancelled');
  }
}

/** A wait that had to end did. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  constructor(
    readonly what: string,
    readonly ms: number,
  ) {
    super(`${what} did not finish within ${ms / 1000} s`);
  }
}

export const isCancelled = (error: unknown): boolean =>
  error instanceof CancelledError || (error instanceof Error && (error.name === 'AbortError' || error.name === 'Canceled'));

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
