/**
 * What a terminal would leave to read of a program's output: without colours and the like, and of a line that was written
 * over (progress bars) only its last state. Lines end in `\n`.
 */
export function plainText(output: string): string {
  return withoutControls(output)
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => overwritten(line))
    .join('\n');
}

/** What is told of a run that has ended: so many lines, looked for in so much of its output's end. */
export const LAST_LINES = 5;
export const LAST_BYTES = 16 * 1024;

/** The last lines that say something. */
export function lastLines(output: string, count: number): string[] {
  return plainText(output)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-count);
}

/** CSI, OSC and the other escape sequences of ECMA-48, and stray control characters. */
export function withoutControls(text: string): string {
  return text.replace(/\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]/g, '');
}

function overwritten(line: string): string {
  if (!/[\r\b]/.test(line)) return line;
  const shown: string[] = [];
  let at = 0;
  for (const character of line) {
    if (character === '\r') at = 0;
    else if (character === '\b') at = Math.max(0, at - 1);
    else shown[at++] = character;
  }
  return shown.join('');
}
