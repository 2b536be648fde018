/**
 * Shell text as it is: backslashes stay, and only `\${` and `` \` `` lose the one that keeps them from being TypeScript's.
 */
export const sh = (text: TemplateStringsArray): string => text.raw.join('').replace(/\\([`$])/g, '$1');

/** The same text without comments, indentation and empty lines: start commands have little room. */
export const compact = (script: string): string =>
  script
    .split('\n')
    .map((line) => line.trim())
    .filter((line, i) => line !== '' && (i === 0 || !line.startsWith('#')))
    .join('\n') + '\n';
