/**
 * A Linux name is bytes; the editor's is text. Text that is UTF-8 maps to itself. A byte that is not is shown as one
 * character of U+EF80…U+EFFF (the private range that other systems use for the same purpose), and goes back to that
 * very byte. A name that really holds such a character is itself escaped, so the mapping loses nothing either way.
 */
const escapeBase = 0xef00;
const isEscape = (code: number): boolean => code >= 0xef80 && code <= 0xefff;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The length in bytes of the well-formed UTF-8 character at `i` that needs no escape, or 0. */
function characterAt(bytes: Uint8Array, i: number): number {
  const lead = bytes[i] ?? 0;
  const length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  if (length === 1) return 1;
  try {
    const text = strict.decode(bytes.subarray(i, i + length));
    return isEscape(text.charCodeAt(0)) ? 0 : length;
  } catch {
    return 0;
  }
}

/** Name or path as the pod has it → text. */
export function decodeName(bytes: Uint8Array): string {
  try {
    const text = strict.decode(bytes);
    if (!/[\uef80-\uefff]/.test(text)) return text;
  } catch {
    // Not UTF-8: byte by byte below.
  }
  let out = '';
  for (let i = 0; i < bytes.length; ) {
    const length = characterAt(bytes, i);
    if (length === 0) {
      out += String.fromCharCode(escapeBase + (bytes[i] ?? 0));
      i++;
    } else {
      out += strict.decode(bytes.subarray(i, i + length));
      i += length;
    }
  }
  return out;
}

/**
 * Text → name or path as the pod has it.
 * @throws RangeError for text that no file name can hold: a NUL, or half of a surrogate pair.
 */
export function encodeName(text: string): Buffer {
  if (text.includes('\0')) throw new RangeError('A file name cannot contain NUL');
  if (hasLoneSurrogate(text)) throw new RangeError('A file name cannot contain half of a surrogate pair');
  if (!/[\uef80-\uefff]/.test(text)) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  for (const part of text.split(/([\uef80-\uefff]+)/)) {
    if (part === '') continue;
    parts.push(isEscape(part.charCodeAt(0)) ? Buffer.from([...part].map((c) => c.charCodeAt(0) - escapeBase)) : Buffer.from(part, 'utf8'));
  }
  return Buffer.concat(parts);
}

const hasLoneSurrogate = (text: string): boolean => /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);

/** A path without a trailing slash, doubled slashes, `.` or `..`: one file, one key. Links are not followed. */
export function normalise(path: string): string {
  if (!path.startsWith('/')) throw new RangeError(`Not an absolute path: ${path}`);
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') out.pop();
    else out.push(part);
  }
  return `/${out.join('/')}`;
}

export const join = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);
export const dirname = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));
export const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Whether `path` lies in `folder`, or is it. */
export const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
