/** What the rooms write their diagnosis to. The editor's `LogOutputChannel` fits it structurally. */
export interface Logger {
  trace(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export const silentLog: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Puts a secret out of sight wherever it occurs in a text that will be logged or shown. */
export function redact(text: string, secrets: Iterable<string | undefined>): string {
  let out = text;
  for (const secret of secrets) if (secret !== undefined && secret.length >= 4) out = out.split(secret).join('•••');
  return out;
}
