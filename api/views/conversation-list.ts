// The list in the middle of the screen: one query, keyset paged by the newest message.
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import type { z } from 'zod';
import { queries } from '#domain/database/tables.ts';
import { shownStatus } from '#domain/rules/conversation-status.ts';
import type { conversationRow, conversations } from '../contract/conversations.ts';
import type { Answer, Received } from '../contract/route.ts';
import { page, readCursor } from '../paging.ts';

type Filters = Received<typeof conversations.listConversations>['query'];

export async function conversationList(
  em: EntityManager,
  filters: Filters,
): Promise<Answer<typeof conversations.listConversations>> {
  const cursor = readCursor(filters.cursor);
  let query = rows(em)
    .orderBy('conversation.last_message_at', 'desc')
    .orderBy('conversation.id', 'desc')
    .limit(filters.limit + 1);
  if (cursor) {
    query = query.where(
      sql<boolean>`(conversation.last_message_at, conversation.id) < (${cursor.at}::timestamptz, ${cursor.id}::uuid)`,
    );
  }
  query = atPlace(query, filters);
  if (filters.folderId) query = query.where('conversation.folder_id', '=', filters.folderId);
  if (filters.status === 'urgent') query = query.where('conversation.priority', '=', 'urgent');
  else if (filters.status) query = query.where('conversation.status', '=', filters.status);
  if (filters.channel) query = query.where('conversation.channel', '=', filters.channel);
  if (filters.assigneeId) query = query.where('conversation.assignee_id', '=', filters.assigneeId);
  if (filters.intent) query = query.where('conversation.intent', '=', filters.intent);
  if (filters.unread !== undefined) query = query.where('conversation.unread', '=', filters.unread);
  const found = page(await query.execute(), filters.limit, (row) => row.last_message_at);
  return { items: found.items.map(conversationRowOf), next: found.next };
}

type RowsQuery = ReturnType<typeof rows>;
type Row = Awaited<ReturnType<RowsQuery['execute']>>[number];

/** The columns of one line of the list, for the list and for the head of a conversation. */
export function rows(em: EntityManager) {
  return queries(em)
    .selectFrom('conversation')
    .innerJoin('client', 'client.id', 'conversation.client_id')
    .leftJoin('draft', 'draft.id', 'conversation.waiting_draft_id')
    .where('conversation.deleted_at', 'is', null)
    .select([
      'conversation.id',
      'conversation.subject',
      'conversation.preview',
      'conversation.channel',
      'conversation.status',
      'conversation.priority',
      'conversation.kind',
      'conversation.folder_id',
      'conversation.sorted_by',
      'conversation.assignee_id',
      'conversation.unread',
      'conversation.intent',
      'conversation.language',
      'conversation.last_message_at',
      'conversation.last_inbound_at',
      'conversation.message_count',
      'conversation.waiting_draft_id',
      'conversation.client_id',
      'client.name as client_name',
      'draft.deadline_at as draft_deadline_at',
    ])
    .select((expression) =>
      expression
        .selectFrom('contact_point')
        .select('contact_point.value')
        .whereRef('contact_point.client_id', '=', 'conversation.client_id')
        .where('contact_point.kind', 'in', ['email', 'phone'])
        .orderBy('contact_point.created_at')
        .limit(1)
        .as('client_contact'),
    );
}

export function conversationRowOf(row: Row): z.output<typeof conversationRow> {
  return {
    id: row.id,
    subject: row.subject,
    preview: row.preview,
    channel: row.channel,
    status: shownStatus(row.status, row.priority),
    kind: row.kind,
    folderId: row.folder_id ?? null,
    sortedBy: row.sorted_by ?? null,
    assigneeId: row.assignee_id ?? null,
    unread: row.unread,
    intent: row.intent ?? null,
    lastMessageAt: row.last_message_at.toISOString(),
    messageCount: row.message_count,
    waitingDraftId: row.waiting_draft_id ?? null,
    draftDeadlineAt: row.draft_deadline_at?.toISOString() ?? null,
    client: { id: row.client_id, name: row.client_name ?? null, contact: row.client_contact ?? null },
  };
}

// Without a place or a folder the list is the inbox: what people wrote and nobody has finished with.
function atPlace(query: RowsQuery, { place, folderId, status }: Filters): RowsQuery {
  switch (place ?? (folderId || status ? 'open' : 'inbox')) {
    case 'newsletters':
      return query.where('conversation.kind', 'in', ['newsletter', 'list']);
    case 'automatic':
      return query.where('conversation.kind', 'in', ['automatic', 'bounce', 'loop']);
    case 'spam':
      return query.where('conversation.status', '=', 'spam');
    case 'resolved':
      return query.where('conversation.status', '=', 'resolved');
    case 'archived':
      return query.where('conversation.status', '=', 'archived');
    case 'to-approve':
      return query.where('conversation.waiting_draft_id', 'is not', null);
    case 'unsorted':
      return stillOpen(query).where('conversation.folder_id', 'is', null);
    case 'all':
      return query;
    case 'open':
      return status ? query : stillOpen(query);
    default:
      return stillOpen(query);
  }
}

function stillOpen(query: RowsQuery): RowsQuery {
  return query.where('conversation.kind', '=', 'personal').where('conversation.status', 'in', ['new', 'in_progress']);
}
