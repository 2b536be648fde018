/**
 * Splits a stored start command into words as a POSIX shell would, quotes and backslashes honoured, nothing expanded:
 * this is how RunPod makes a container's command of it.
 * @throws RangeError when a quote is left open.
 */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (quote === "'") {
      if (c === "'") quote = undefined;
      else word += c;
    } else if (c === '\\' && i + 1 < text.length) {
      const next = text.charAt(++i);
      word = (word ?? '') + (quote === '"' && !'"\\$`\n'.includes(next) ? `\\${next}` : next === '\n' ? '' : next);
    } else if (c === quote) {
      quote = undefined;
    } else if (quote === undefined && (c === '"' || c === "'")) {
      quote = c;
      word ??= '';
    } else if (quote === undefined && /\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + c;
    }
  }
  if (quote !== undefined) throw new RangeError(`Unclosed ${quote} in the start command`);
  if (word !== undefined) words.push(word);
  return words;
}
