/** A line of ours in a terminal, told from a program's output by being dim. */
export const note = (text: string): string => `\x1b[0;2m${lineBreaks(text)}\x1b[0m\r\n`;

/** The same for what went wrong. */
export const warning = (text: string): string => `\x1b[0;33m${lineBreaks(text)}\x1b[0m\r\n`;

/** Takes the line that is being written away again. */
export const CLEAR_LINE = '\r\x1b[2K';

/**
 * Undoes what a program that was cut off may have left switched on: the second screen, mouse reports, bracketed paste, a
 * hidden cursor, colours. What has been printed stays, and so does the cursor (1049 would put it back where it once was).
 */
export const RESET_MODES = '\x1b[?1047l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b[?25h\x1b[!p\x1b[0m\r\n';

/** Terminals want both characters at the end of a line; control characters of others have no business in our words. */
const lineBreaks = (text: string): string => text.replace(/\r?\n/g, '\r\n').replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '');
