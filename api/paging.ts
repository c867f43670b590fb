// Keyset paging: a cursor names the last row of a page by the columns the list is sorted by, so that page 1,000 costs
// what page 1 costs and nothing shifts under the reader.
import { Invalid } from '#domain/errors.ts';

export type Cursor = { at: string; id: string };

export function writeCursor(row: { at: Date; id: string }): string {
  return Buffer.from(JSON.stringify([row.at.toISOString(), row.id])).toString('base64url');
}

/** @throws Invalid for anything this API did not hand out */
export function readCursor(cursor: string | undefined): Cursor | null {
  if (!cursor) return null;
  try {
    const [at, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Number.isNaN(Date.parse(at)) || !/^[0-9a-f-]{36}$/.test(id)) throw new Error('not a cursor');
    return { at, id };
  } catch {
    throw new Invalid('cursor.not-valid', 'This cursor was not given by this list: start again without one.');
  }
}

/** Takes one row more than the page to know whether there is another page. */
export function page<Row extends { id: string }>(
  rows: Row[],
  limit: number,
  at: (row: Row) => Date,
): { items: Row[]; next: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last ? writeCursor({ at: at(last), id: last.id }) : null };
}
