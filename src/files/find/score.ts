/** Where a needle's letters lie in a path, as a number: more is better, 0 is not at all. */

const separators = new Set(['/', '_', '-', '.', ' ']);

/** One bit for each letter and digit in a text, for telling at a glance that a path cannot match. `lower` is in lower case. */
export function maskOf(lower: string): number {
  let mask = 0;
  for (let i = 0; i < lower.length; i++) {
    const code = lower.charCodeAt(i);
    if (code >= 97 && code <= 122) mask |= 1 << (code - 97);
    else if (code >= 48 && code <= 57) mask |= 1 << 26;
    else if (code === 95 || code === 45) mask |= 1 << 27;
    else if (code === 46) mask |= 1 << 28;
  }
  return mask;
}

/**
 * How well one word of a query fits a path. Whole in the name is better than whole in the path, that better than letter by letter;
 * beginnings of words count more than their middles, shorter names more than longer.
 * @param path as it is written. @param lower the same in lower case. @param base where the name begins.
 */
export function scoreWord(word: string, path: string, lower: string, base: number): number {
  const length = lower.length - base;
  if (!word.includes('/')) {
    const inName = lower.indexOf(word, base);
    if (inName >= 0) {
      const at = bestStart(word, path, lower, inName);
      const whole = at === base && (word.length === length || lower[base + word.length] === '.');
      return 4_000 + (word.length === length ? 600 : whole ? 500 : 0) + (at === base ? 300 : startsWord(path, at) ? 200 : 0) - Math.min(200, length);
    }
    const letters = scoreLetters(word, path, lower, base);
    if (letters > 0) return 2_000 + letters - Math.min(100, length);
  }
  const inPath = lower.lastIndexOf(word);
  if (inPath >= 0) return 1_500 + (inPath === 0 || startsWord(path, inPath) ? 200 : 0) + Math.round((200 * (inPath + word.length)) / lower.length) - Math.min(100, lower.length >> 1);
  const letters = scoreLetters(word, path, lower, 0);
  return letters > 0 ? 500 + letters - Math.min(100, lower.length >> 1) : 0;
}

/** Of several places in the name the first that begins a word. */
function bestStart(word: string, path: string, lower: string, first: number): number {
  for (let at = first; at >= 0; at = lower.indexOf(word, at + 1)) if (startsWord(path, at)) return at;
  return first;
}

function startsWord(path: string, at: number): boolean {
  if (at === 0) return true;
  const before = path[at - 1] ?? '';
  if (separators.has(before)) return true;
  const char = path[at] ?? '';
  return char !== char.toLowerCase() && before === before.toLowerCase();
}

/** The letters in their order, as close together as from the last end backwards; 0 when they are not all there. */
function scoreLetters(word: string, path: string, lower: string, from: number): number {
  let at = from;
  for (let i = 0; i < word.length; i++) {
    at = lower.indexOf(word[i] ?? '', at);
    if (at < 0) return 0;
    at++;
  }
  let score = 0;
  let i = word.length - 1;
  let last = -2;
  for (let p = at - 1; i >= 0 && p >= from; p--) {
    if (lower[p] !== word[i]) continue;
    // A letter that begins a word, or stands beside the one before, was meant.
    score += startsWord(path, p) ? 30 : 5;
    if (last === p + 1) score += 15;
    else if (last >= 0) score -= Math.min(10, last - p);
    last = p;
    i--;
  }
  return Math.max(1, score);
}
