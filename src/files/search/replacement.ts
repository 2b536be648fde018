import { compile } from './pattern';
import type { SearchQuery } from './query';

/**
 * What takes the place of the match that begins at `from`. In a search for text the replacement is taken as it is; in one for
 * an expression `$1`, `$<name>`, `$&` and `$$` mean what they do in JavaScript, and `\n`, `\t` and `\\` are characters.
 */
export function replacementFor(query: Pick<SearchQuery, 'text' | 'regex' | 'caseSensitive' | 'word'>, line: string, from: number, replacement: string): string | undefined {
  if (query.regex !== true) return replacement;
  const { js } = compile(query);
  const sticky = new RegExp(js.source, js.flags.replace('g', 'y'));
  sticky.lastIndex = from;
  const match = sticky.exec(line);
  if (match === null) return undefined;
  return replacement.replace(/\\([nt\\])|\$(?:([$&])|(\d{1,2})|<([^>]*)>)/g, (whole: string, escape?: string, sign?: string, digits?: string, name?: string) => {
    if (escape !== undefined) return { n: '\n', t: '\t' }[escape] ?? '\\';
    if (sign !== undefined) return sign === '$' ? '$' : match[0];
    if (digits !== undefined) return Number(digits) >= 1 && Number(digits) < match.length ? (match[Number(digits)] ?? '') : whole;
    return name !== undefined && match.groups !== undefined ? (match.groups[name] ?? '') : whole;
  });
}
