/** Quotes one word for a POSIX shell: nothing in it is expanded, whatever bytes it holds (NUL is refused). */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('A shell word cannot contain NUL');
  return /^[A-Za-z0-9_\/:=.,@%+-]+$/.test(word) && !word.startsWith('-') ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
