import { createHash } from 'node:crypto';
import { invalid } from './problem';
import type { Call } from './rest';

/**
 * One page of a list, newest first, as `{[name]: rows, pagination}`; before pages existed, the whole list.
 * A cursor is good for the same operation and parameters only. @throws Problem 422
 */
export function page<T>(call: Call, name: string, rows: readonly T[], idOf: (row: T) => string): Record<string, unknown> {
  const { settings } = call.world;
  if (settings.contract !== '2026-10') return { [name]: rows };
  const fingerprint = fingerprintOf(call);
  const cursor = call.query['cursor'];
  let start = 0;
  if (typeof cursor === 'string') {
    const [from, last] = Buffer.from(cursor, 'base64url').toString('utf8').split('\n');
    if (from !== fingerprint || last === undefined) throw invalid('query.cursor: cursor is not valid for this request');
    // A row that went away meanwhile: begin anew rather than skip any.
    start = rows.findIndex((row) => idOf(row) === last) + 1;
  }
  const asked = typeof call.query['limit'] === 'number' ? call.query['limit'] : 1000;
  const size = settings.pageCap === 0 ? asked : Math.min(asked, settings.pageCap);
  const shown = rows.slice(start, start + size);
  const last = shown.at(-1);
  const more = start + size < rows.length && last !== undefined;
  const nextCursor = more ? Buffer.from(`${fingerprint}\n${idOf(last)}`).toString('base64url') : null;
  return { [name]: shown, pagination: { nextCursor, hasNextPage: more } };
}

function fingerprintOf(call: Call): string {
  const parameters = [...call.rawQuery].filter(([name]) => name !== 'cursor').sort(([a], [b]) => a.localeCompare(b));
  return createHash('sha256').update(JSON.stringify([call.template, parameters])).digest('hex').slice(0, 16);
}
