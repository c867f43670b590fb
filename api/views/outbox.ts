// Replies that are on their way, and those that need a person: failed, or of unknown outcome.
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { queries } from '#domain/database/tables.ts';
import type { replies } from '../contract/drafts.ts';
import type { Answer, Received } from '../contract/route.ts';
import { page, readCursor } from '../paging.ts';

const PAGE = 50;

export async function outbox(
  em: EntityManager,
  filters: Received<typeof replies.listOutbox>['query'],
): Promise<Answer<typeof replies.listOutbox>> {
  const cursor = readCursor(filters.cursor);
  let query = queries(em)
    .selectFrom('reply')
    .innerJoin('message', 'message.id', 'reply.message_id')
    .innerJoin('conversation', 'conversation.id', 'reply.conversation_id')
    .where('conversation.deleted_at', 'is', null)
    .select([
      'reply.id',
      'reply.conversation_id',
      'reply.state',
      'reply.failure',
      'reply.last_response',
      'reply.attempts',
      'reply.not_before',
      'reply.scheduled',
      'reply.created_at',
      'message.subject',
      'message.channel',
      sql<string>`message.recipients ->> 0`.as('to'),
    ])
    .where('reply.state', 'in', filters.state === 'needs-person' ? ['unknown', 'failed'] : ['approved', 'sending'])
    .orderBy('reply.created_at', 'desc')
    .orderBy('reply.id', 'desc')
    .limit(PAGE + 1);
  if (cursor)
    query = query.where(sql<boolean>`(reply.created_at, reply.id) < (${cursor.at}::timestamptz, ${cursor.id}::uuid)`);
  const found = page(await query.execute(), PAGE, (row) => row.created_at);
  return {
    next: found.next,
    items: found.items.map((row) => ({
      id: row.id,
      conversationId: row.conversation_id,
      subject: row.subject,
      channel: row.channel,
      to: row.to,
      state: row.state,
      failure: row.failure ?? null,
      lastResponse: row.last_response ?? null,
      attempts: row.attempts,
      notBefore: row.not_before.toISOString(),
      scheduled: row.scheduled,
      createdAt: row.created_at.toISOString(),
    })),
  };
}
