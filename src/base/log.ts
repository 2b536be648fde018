/** What the rooms write their diagnosis to. The editor's `LogOutputChannel` fits it structurally. */
export interface Logger {
  trace(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export const silentLog: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** RunPod's API keys (`rpa_…`) and S3 secrets (`rps_…`), also those that are not the one in use: another account's, a pod's own. */
const knownSecrets = /\brp[as]_[A-Za-z0-9]{8,}/g;

/** What one line of a log, or one message, holds of it at most, in characters. Servers can answer in megabytes. */
export const LONGEST_LINE = 8 * 1024;

/** A text of bounded length, which says how much it left out. */
export function capped(text: string, most = LONGEST_LINE): string {
  if (text.length <= most) return text;
  // Half of a pair is no character.
  const end = /[\ud800-\udbff]/.test(text[most - 1] ?? '') ? most - 1 : most;
  return `${text.slice(0, end)}… (${text.length - end} more characters)`;
}

/** A log whose lines are of bounded length. */
export function cappedLog(log: Logger): Logger {
  const through = (level: keyof Logger) => (message: string) => log[level](capped(message));
  return { trace: through('trace'), debug: through('debug'), info: through('info'), warn: through('warn'), error: through('error') };
}

/** Puts secrets out of sight wherever they occur in a text that will be logged or shown: these, and what looks like one. */
export function redact(text: string, secrets: Iterable<string | undefined> = []): string {
  let out = text;
  for (const secret of secrets) if (secret !== undefined && secret.length >= 4) out = out.split(secret).join('•••');
  return out.replace(knownSecrets, '•••');
}

/** Control characters, line ends among them, and those that turn the direction of the text around them. */
const deceiving = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A name from outside as it may be shown anywhere: in a row, a terminal, a question. What it must not hold becomes `\ufffd`. */
export const plainName = (name: string): string => unlinked(shorten(name.replace(deceiving, '\ufffd'), 200));

/** Words from outside for a message or a log: one line, of bounded length. */
export const plainWords = (words: string): string => unlinked(shorten(words.slice(0, 20_000).replace(deceiving, ' ').replace(/ {2,}/g, ' ').trim(), 1000));

/**
 * A text with no link in it. The editor makes links of `[words](address)` in notifications, also such as run commands of its
 * own, and what others wrote must not become one.
 */
export const unlinked = (text: string): string => text.replace(/\]\(/g, '] (');

/**
 * A text with no icon in it. The editor draws icons for `$(name)` in lists and in the status bar; parted by a character without
 * width, it shows the letters. (A backslash would do as well, but then filtering a list by these letters finds nothing.)
 */
export const iconless = (text: string): string => text.replace(/\$\(/g, '$\u200c(');

const shorten = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);
