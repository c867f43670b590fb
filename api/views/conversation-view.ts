// One conversation as an agent sees it: the thread, the waiting draft, the client, the promises.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Draft } from '#domain/conversations/draft.ts';
import { Attachment, Message, Note } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { NotFound } from '#domain/errors.ts';
import { Article } from '#domain/knowledge/article.ts';
import { ContactPoint } from '#domain/people/client.ts';
import { allowedStatuses, shownStatus } from '#domain/rules/conversation-status.ts';
import { whatsappWindowEnd } from '#domain/rules/whatsapp-window.ts';
import { FollowUp } from '#domain/work/follow-up.ts';
import type { conversations } from '../contract/conversations.ts';
import type { Answer, Given } from '../contract/route.ts';
import { conversationRowOf, rows } from './conversation-list.ts';

type View = Given<typeof conversations.getConversation>;

const MESSAGES_SHOWN = 500;
const OTHERS_SHOWN = 10;

/** @throws NotFound */
export async function conversationViewOf(em: EntityManager, id: string): Promise<View> {
  const row = await rows(em).where('conversation.id', '=', id).executeTakeFirst();
  if (!row) throw new NotFound('conversation.not-found', 'This conversation does not exist.');
  const contacts = await em.find(ContactPoint, { clientId: row.client_id }, { orderBy: { createdAt: 'asc' } });
  return {
    ...conversationRowOf(row),
    progress: row.status,
    allowedStatuses: [
      ...allowedStatuses(row.status),
      ...(['new', 'in_progress'].includes(row.status) ? ['urgent' as const] : []),
    ],
    language: row.language ?? null,
    messages: await messagesOf(em, id),
    draft: row.waiting_draft_id ? await draftOf(em, row.waiting_draft_id) : null,
    notes: (await em.find(Note, { conversationId: id }, { orderBy: { createdAt: 'asc' } })).map(noteViewOf),
    followUps: (await em.find(FollowUp, { conversationId: id }, { orderBy: { dueAt: 'desc' }, limit: 20 })).map(
      followUpViewOf,
    ),
    contacts: contacts.filter((point) => point.kind !== 'handle').map(({ kind, value }) => ({ kind, value })),
    otherConversations: await othersOf(em, row.client_id, id),
    canReply: contacts.some((point) => point.kind === (isText(row.channel) ? 'phone' : 'email')),
    replyUntil:
      row.channel === 'whatsapp' ? (whatsappWindowEnd(row.last_inbound_at)?.toISOString() ?? NEVER_OPEN) : null,
  };
}

/** A client who never wrote: the window has not been opened yet. */
const NEVER_OPEN = new Date(0).toISOString();

function isText(channel: string): boolean {
  return channel === 'sms' || channel === 'whatsapp';
}

async function messagesOf(em: EntityManager, conversationId: string): Promise<View['messages']> {
  const messages = await em.find(
    Message,
    { conversationId },
    { orderBy: { sentAt: 'desc', id: 'desc' }, limit: MESSAGES_SHOWN },
  );
  const ids = messages.map((message) => message.id);
  const attachments = await em.find(Attachment, { messageId: { $in: ids } }, { orderBy: { createdAt: 'asc' } });
  const replies = await em.find(Reply, { messageId: { $in: ids } });
  const withHtml = await em.find(Message, { id: { $in: ids }, html: { $ne: null } }, { fields: ['id'] });
  const hasHtml = new Set(withHtml.map((message) => message.id));
  return messages.sort(byTime).map((message) => ({
    id: message.id,
    direction: message.direction,
    channel: message.channel,
    kind: message.kind ?? null,
    kindReason: message.kindReason ?? null,
    sender: { name: message.sender.name, address: message.sender.address, phone: message.sender.phone ?? null },
    recipients: message.recipients,
    cc: message.cc,
    bcc: message.bcc,
    subject: message.subject,
    newText: message.newText,
    fullText: message.text.trim() === message.newText.trim() ? null : message.text,
    hasHtml: hasHtml.has(message.id),
    template: message.template ?? null,
    sentAt: message.sentAt.toISOString(),
    attachments: attachments.filter((file) => file.messageId === message.id).map(attachmentViewOf),
    reply: replyViewOf(replies.find((reply) => reply.messageId === message.id)),
  }));
}

function attachmentViewOf(file: Attachment): View['messages'][number]['attachments'][number] {
  const { id, name, type, size, inline, verdict } = file;
  return {
    id,
    name,
    type,
    size,
    inline,
    verdict,
    verdictReason: file.verdictReason ?? null,
    card: file.card ?? null,
  };
}

// A mail tells its time to the second: within one, what arrived first stands first.
function byTime(one: Message, other: Message): number {
  const second = (message: Message) => Math.floor(message.sentAt.getTime() / 1000);
  return second(one) - second(other) || one.createdAt.getTime() - other.createdAt.getTime();
}

function replyViewOf(reply: Reply | undefined): View['messages'][number]['reply'] {
  if (!reply) return null;
  return {
    id: reply.id,
    state: reply.state,
    automatic: reply.automatic,
    authorId: reply.authorId ?? null,
    authorKind: reply.authorKind,
    notBefore: reply.notBefore.toISOString(),
    scheduled: reply.scheduled,
    failure: reply.failure ?? null,
    lastResponse: reply.lastResponse ?? null,
    refusedRecipients: reply.refusedRecipients,
    delivery: reply.delivery ?? null,
  };
}

async function draftOf(em: EntityManager, id: string): Promise<View['draft']> {
  const draft = await em.findOne(Draft, { id });
  if (!draft || (draft.state !== 'waiting' && draft.state !== 'regenerating')) return null;
  const articles = await em.find(Article, { id: { $in: draft.articleIds } });
  return {
    id: draft.id,
    messageId: draft.messageId,
    state: draft.state,
    origin: draft.origin,
    text: draft.text,
    version: draft.version,
    caution: draft.caution ?? null,
    articles: articles.map((article) => ({ id: article.id, title: article.title })),
    deadlineAt: draft.deadlineAt?.toISOString() ?? null,
    deadlineAction: draft.deadlineAction ?? null,
    remindedAt: draft.remindedAt?.toISOString() ?? null,
    createdAt: draft.createdAt.toISOString(),
  };
}

async function othersOf(em: EntityManager, clientId: string, exceptId: string): Promise<View['otherConversations']> {
  const others = await em.find(
    Conversation,
    { clientId, id: { $ne: exceptId }, deletedAt: null },
    { orderBy: { lastMessageAt: 'desc' }, limit: OTHERS_SHOWN },
  );
  return others.map((other) => ({
    id: other.id,
    subject: other.subject,
    channel: other.channel,
    status: shownStatus(other.status, other.priority),
    lastMessageAt: other.lastMessageAt.toISOString(),
  }));
}

export function noteViewOf(note: Note): Answer<typeof conversations.addNote> {
  return { id: note.id, authorId: note.authorId, text: note.text, createdAt: note.createdAt.toISOString() };
}

export function followUpViewOf(followUp: FollowUp): Answer<typeof conversations.addFollowUp> {
  return {
    id: followUp.id,
    conversationId: followUp.conversationId,
    mode: followUp.mode,
    state: followUp.state,
    text: followUp.text,
    dueAt: followUp.dueAt.toISOString(),
    settledAt: followUp.settledAt?.toISOString() ?? null,
    cancelReason: followUp.cancelReason ?? null,
    doneAt: followUp.doneAt?.toISOString() ?? null,
  };
}
