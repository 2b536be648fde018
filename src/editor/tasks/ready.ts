import { withoutControls } from '../../runs/plainText';

/** Begins the line by which the problem matcher `$runpod-ready` of the manifest knows that a background task is up. */
export const READY = '◆';

const LONGEST_LINE = 4_000;

/** Reads output as it comes and tells once when a line of it, or the beginning of one, matches. */
export function lineWatch(pattern: string, found: () => void): (text: string) => void {
  const wanted = new RegExp(pattern, 'u');
  let rest = '';
  let over = false;
  return (text) => {
    if (over) return;
    const lines = (rest + text).split(/\r?\n|\r/);
    rest = (lines.at(-1) ?? '').slice(-LONGEST_LINE);
    if (!lines.some((line) => wanted.test(withoutControls(line)))) return;
    over = true;
    found();
  };
}
