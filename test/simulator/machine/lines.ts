import type { Readable } from 'node:stream';

/** Calls `line` for each line that `stream` carries, the unfinished last one included. */
export function eachLine(stream: Readable, line: (text: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) line(text.replace(/\r$/, ''));
  });
  stream.on('end', () => {
    if (rest !== '') line(rest);
  });
}
