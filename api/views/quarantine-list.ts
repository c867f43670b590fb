// Calls that a door of text messages did not let in, newest first.
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { queries } from '#domain/database/tables.ts';
import type { numbers } from '../contract/numbers.ts';
import type { Answer } from '../contract/route.ts';
import { page, readCursor } from '../paging.ts';

const PAGE = 50;

export async function quarantineList(
  em: EntityManager,
  cursorText: string | undefined,
): Promise<Answer<typeof numbers.listQuarantine>> {
  const cursor = readCursor(cursorText);
  let query = queries(em)
    .selectFrom('quarantined_call')
    .select([
      'id',
      'channel',
      'integration_id',
      'number',
      'reason',
      'count',
      'created_at',
      'last_at',
      sql<boolean>`raw is not null`.as('kept'),
    ])
    .orderBy('last_at', 'desc')
    .orderBy('id', 'desc')
    .limit(PAGE + 1);
  if (cursor) query = query.where(sql<boolean>`(last_at, id) < (${cursor.at}::timestamptz, ${cursor.id}::uuid)`);
  const found = page(await query.execute(), PAGE, (row) => row.last_at);
  return {
    next: found.next,
    items: found.items.map((row) => ({
      id: row.id,
      channel: row.channel === 'whatsapp' ? ('whatsapp' as const) : ('sms' as const),
      integrationId: row.integration_id ?? null,
      number: row.number ?? null,
      reason: row.reason,
      count: row.count,
      kept: row.kept,
      createdAt: row.created_at.toISOString(),
      lastAt: row.last_at.toISOString(),
    })),
  };
}
