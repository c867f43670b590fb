// Follow-ups that have come due and wait for an agent, or those still to come.
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { queries } from '#domain/database/tables.ts';
import type { followUps } from '../contract/drafts.ts';
import type { Answer, Received } from '../contract/route.ts';
import { page, readCursor } from '../paging.ts';

const PAGE = 50;

export async function dueFollowUps(
  em: EntityManager,
  filters: Received<typeof followUps.listFollowUps>['query'],
): Promise<Answer<typeof followUps.listFollowUps>> {
  const cursor = readCursor(filters.cursor);
  let query = queries(em)
    .selectFrom('follow_up')
    .innerJoin('conversation', 'conversation.id', 'follow_up.conversation_id')
    .innerJoin('client', 'client.id', 'conversation.client_id')
    .selectAll('follow_up')
    .select(['conversation.subject', 'client.name as client_name'])
    .orderBy('follow_up.due_at', 'desc')
    .orderBy('follow_up.id', 'desc')
    .limit(PAGE + 1);
  query =
    filters.state === 'due'
      ? query.where('follow_up.state', '=', 'fired').where('follow_up.done_at', 'is', null)
      : query.where('follow_up.state', '=', 'armed');
  if (cursor)
    query = query.where(
      sql<boolean>`(follow_up.due_at, follow_up.id) < (${cursor.at}::timestamptz, ${cursor.id}::uuid)`,
    );
  const found = page(await query.execute(), PAGE, (row) => row.due_at);
  return {
    next: found.next,
    items: found.items.map((row) => ({
      id: row.id,
      conversationId: row.conversation_id,
      mode: row.mode,
      state: row.state,
      text: row.text,
      dueAt: row.due_at.toISOString(),
      settledAt: row.settled_at?.toISOString() ?? null,
      cancelReason: row.cancel_reason ?? null,
      doneAt: row.done_at?.toISOString() ?? null,
      subject: row.subject,
      clientName: row.client_name ?? null,
    })),
  };
}
