import { RunPodError } from './errors';
import { FieldReader, filled, flag, isFields } from './read';
import type { Query, ReadOptions, Transport } from './transport';

/** More rows than anyone has; what is beyond would only fill the memory. */
const maxRows = 100_000;
/** More pages than anyone has pods for; beyond, a server is walking in circles. */
const maxPages = 500;

export interface Rows {
  readonly rows: unknown[];
  /** Why rows are missing although the API announced more; `undefined` when the list is whole. */
  readonly incomplete?: string;
}

/**
 * Reads a list whole. The first contract of the API has no pages; the later one tells with `pagination` whether more
 * follow, which holds even after a short page.
 * @throws RunPodError, `unreadable` when the answer holds no list: an empty list must never be made up.
 */
export async function readPages(transport: Transport, path: string, member: string, query: Query = {}, options: ReadOptions = {}): Promise<Rows> {
  const rows: unknown[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const answer = await transport.get(path, { ...query, cursor }, options);
    const list = Array.isArray(answer) ? (answer as unknown[]) : isFields(answer) ? answer[member] : undefined;
    if (!Array.isArray(list)) throw new RunPodError('unreadable', { method: 'GET', path, detail: `The answer holds no list of ${member}` });
    for (const row of list as unknown[]) rows.push(row);
    if (rows.length > maxRows) return { rows: rows.slice(0, maxRows), incomplete: `more than ${maxRows} rows` };
    const pagination = new FieldReader(isFields(answer) ? answer : {}).within('pagination');
    cursor = pagination.get('nextCursor', filled);
    // A cursor alone means more, too: a pod must not go missing for want of a flag.
    if ((pagination.get('hasNextPage', flag) ?? cursor !== undefined) === false) return { rows };
    if (cursor === undefined || seen.has(cursor)) return { rows, incomplete: cursor === undefined ? 'more rows announced without a cursor' : 'the cursor repeats' };
    seen.add(cursor);
  }
  return { rows, incomplete: `more than ${maxPages} pages` };
}

/**
 * An id as one segment of a path. An empty one, or dots, would name another resource, and a DELETE would hit that; so would a
 * slash where something on the way decodes it.
 */
export function segment(id: string, method: string, path: string): string {
  if (id === '' || id === '.' || id === '..' || /[/\\\u0000-\u001f\u007f]/.test(id)) throw new RunPodError('invalid', { method, path: `${path}/${encodeURIComponent(id)}`, detail: 'Not an id' });
  return encodeURIComponent(id);
}
