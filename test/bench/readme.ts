import { readFileSync, writeFileSync } from 'node:fs';
import { type Figures, table } from './report';

const begin = '<!-- bench: begin -->';
const end = '<!-- bench: end -->';

/** Puts the table of figures between the two marks of a Markdown file. */
export function putInto(file: string, figures: Figures): void {
  const text = readFileSync(file, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file} has no place for the table (${begin} … ${end})`);
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n${table(figures)}\n${text.slice(to)}`);
}
