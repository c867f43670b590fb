// The exchange with one client about one matter. It knows its status, where it is sorted and by whom, and whether a
// draft waits in it. Who changes it tells the audit trail and the live view.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityDictionary, EntityManager } from '@mikro-orm/postgresql';
import { Conflict, NotFound } from '#domain/errors.ts';
import {
  mayChangeStatus,
  type Priority,
  STATUSES,
  type Status,
  shownStatus,
} from '#domain/rules/conversation-status.ts';
import { CHANNELS, SORTERS, type Sorter } from '#domain/rules/words.ts';
import { instant, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

const ConversationSchema = defineEntity({
  name: 'Conversation',
  properties: {
    ...tenantOwned,
    clientId: p.uuid(),
    integrationId: p.uuid(),
    channel: p.enum(CHANNELS),
    subject: p.text(),
    /** The first words of the newest message, for the list. */
    preview: p.string().length(200),
    status: p.enum(STATUSES).default('new'),
    priority: p.enum(['normal', 'urgent'] as const).default('normal'),
    folderId: p.uuid().nullable(),
    sortedBy: p.enum(SORTERS).nullable(),
    assigneeId: p.uuid().nullable(),
    /** Shared by the team: nobody has opened the newest client message. */
    unread: p.boolean().default(true),
    /** Newsletters, automatic mail, bounces and spam are kept apart from the folders. */
    kind: p.string().length(20).default('personal'),
    intent: p.string().length(30).nullable(),
    language: p.string().length(8).nullable(),
    lastMessageAt: instant(),
    lastInboundAt: instant().nullable(),
    lastOutboundAt: instant().nullable(),
    messageCount: p.integer().default(0),
    waitingDraftId: p.uuid().nullable(),
    /** Digest of the message, folders and model the model last judged by: it is asked again only when that changes. */
    judgedBy: p.string().length(64).nullable(),
    /** Since then nobody sees it (delete-conversation.ts). */
    deletedAt: instant().nullable(),
  },
  uniques: [referable],
  indexes: [
    {
      name: 'conversation_newest',
      expression:
        'create index "conversation_newest" on "conversation" ("tenant_id", "last_message_at" desc, "id" desc)',
    },
    {
      name: 'conversation_folder_newest',
      expression:
        'create index "conversation_folder_newest" on "conversation" ("tenant_id", "folder_id", "last_message_at" desc, "id" desc)',
    },
    { properties: ['tenantId', 'clientId'] },
    {
      name: 'conversation_deleted',
      expression:
        'create index "conversation_deleted" on "conversation" ("tenant_id", "deleted_at") where "deleted_at" is not null',
    },
  ],
});

export class Conversation extends ConversationSchema.class {
  /** The status agents see: urgent stands for a new or running conversation of urgent priority. */
  shownStatus(): Status | 'urgent' {
    return shownStatus(this.status, this.priority);
  }

  /** Nothing is expected of anybody any more. */
  isClosed(): boolean {
    return this.deletedAt != null || !['new', 'in_progress'].includes(this.status);
  }

  /** @throws Conflict when this status does not lead there */
  changeStatus(to: Status): void {
    if (!mayChangeStatus(this.status, to)) {
      throw new Conflict(
        'conversation.status-not-allowed',
        `A conversation that is ${this.status} cannot become ${to}: reopen it first.`,
      );
    }
    this.status = to;
    if (to === 'resolved' || to === 'archived' || to === 'spam') this.priority = 'normal';
  }

  prioritise(priority: Priority): void {
    this.priority = priority;
    if (priority === 'urgent' && this.status !== 'new') this.status = 'in_progress';
  }

  /** The first act on a new conversation (a reply, an assignment, a note) puts it in progress. */
  takeUp(): void {
    if (this.status === 'new') this.status = 'in_progress';
  }

  /** A client's message arrived: a resolved or archived conversation opens again. */
  hear(message: { at: Date; preview: string }): void {
    if (this.status === 'resolved' || this.status === 'archived') this.status = 'in_progress';
    this.unread = true;
    this.messageCount += 1;
    this.touch(message.at, message.preview);
    if (!this.lastInboundAt || message.at > this.lastInboundAt) this.lastInboundAt = message.at;
  }

  /** A reply of ours was written. */
  answer(message: { at: Date; preview: string }): void {
    this.takeUp();
    this.messageCount += 1;
    this.touch(message.at, message.preview);
    this.lastOutboundAt = message.at;
  }

  /** @returns whether anything moved */
  sortInto(folderId: string | null, by: Sorter): boolean {
    if (by !== 'person' && this.sortedBy === 'person') return false;
    const moved = this.folderId !== folderId;
    this.folderId = folderId;
    this.sortedBy = folderId === null && by !== 'person' ? null : by;
    return moved;
  }

  private touch(at: Date, preview: string): void {
    if (this.messageCount > 1 && at < this.lastMessageAt) return;
    this.lastMessageAt = at;
    this.preview = preview.slice(0, 200);
  }
}
ConversationSchema.setClass(Conversation);

/**
 * Until this transaction ends nobody else writes into the conversation: a draft, a reply by hand and a newer message of
 * the client see each other, whichever comes first. Call it before anything of the conversation is changed.
 */
export async function holdConversation(em: EntityManager, id: string): Promise<Conversation> {
  // The ORM's own lock would also hold up who only refers to it.
  const [row] = await em.execute<EntityDictionary<Conversation>[]>(
    'select * from conversation where id = ? for no key update',
    [id],
  );
  if (!row) throw noSuchConversation();
  // As it is after the wait: what was read before may be older.
  return em.map(Conversation, row);
}

/** As above, for what somebody does in it. @throws NotFound when it was deleted, even in this very moment */
export async function holdShownConversation(em: EntityManager, id: string): Promise<Conversation> {
  const conversation = await holdConversation(em, id);
  if (conversation.deletedAt) throw noSuchConversation();
  return conversation;
}

function noSuchConversation(): NotFound {
  return new NotFound('conversation.not-found', 'This conversation does not exist.');
}
