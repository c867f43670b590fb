// Writes one outgoing message: the row the thread shows, the row the send protocol works on, and the key by which the
// client's answer finds its way back. Nothing is sent here.
import { randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invalid } from '#domain/errors.ts';
import { type Actor, actorId } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { ourMessageId } from '#domain/rules/subaddress.ts';
import { referencesForReply, replySubject } from '#domain/rules/threading.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { Conversation } from './conversation.ts';
import { type Copies, copiesOf } from './copies.ts';
import { departureOf } from './departure.ts';
import { Message } from './message.ts';
import { Reply } from './reply.ts';
import { type ReplyToSend, type ReplyWay, wayOf } from './reply-way.ts';
import { MAIL_KEY, REPLY_ADDRESS_KEY, ThreadKey } from './thread.ts';
import { takeUploads } from './upload.ts';

/** What a person may send along. */
export type ReplyOptions = Partial<Copies> & {
  uploadIds?: string[];
  /** The moment it is scheduled for. */
  notBefore?: Date | null;
};

export type ReplyToWrite = ReplyToSend & {
  options?: ReplyOptions;
  author: Actor;
  automatic: boolean;
  draftId: string | null;
  /** How long it can be taken back before it leaves. */
  undoMs: number;
};

/** Nobody else can be written to along with a text message. */
const NO_COPIES: Copies = { cc: [], bcc: [] };

/** @throws Conflict, Invalid as reply-way.ts, departure.ts, copies.ts and upload.ts say */
export async function writeReply(em: EntityManager, asked: ReplyToWrite): Promise<Reply> {
  const { conversation } = asked;
  const now = new Date();
  const departure = departureOf(asked.options?.notBefore ?? null, asked.undoMs, now);
  const way = await wayOf(em, { ...asked, leavesAt: departure.at });
  const replyId = newId();
  const identity = way.channel === 'email' ? await mailIdentity(em, conversation, way, replyId) : textIdentity(replyId);
  const message = em.create(Message, {
    id: newId(),
    conversationId: conversation.id,
    direction: 'outbound',
    channel: way.channel,
    integrationId: way.integrationId ?? conversation.integrationId,
    runId: `tenant/${conversation.tenantId}/reply/${replyId}`,
    externalId: identity.externalId,
    inReplyTo: way.answered?.externalId ?? null,
    references: identity.references,
    sender: way.from,
    recipients: [way.to],
    ...(way.channel === 'email' ? copiesOf(asked.options ?? {}, way.to) : NO_COPIES),
    subject: identity.subject,
    text: way.text,
    newText: asked.text,
    kind: 'personal',
    template: asked.template ?? null,
    language: conversation.language ?? null,
    authorId: actorId(asked.author),
    sentAt: departure.scheduled ? departure.at : now,
  });
  await takeFiles(em, asked, message, departure.at);
  const reply = em.create(Reply, {
    id: replyId,
    conversationId: conversation.id,
    messageId: message.id,
    draftId: asked.draftId,
    integrationId: way.integrationId,
    messageIdHeader: identity.name,
    automatic: asked.automatic,
    authorKind: asked.author.kind,
    authorId: actorId(asked.author),
    notBefore: departure.at,
    scheduled: departure.scheduled,
  });
  conversation.answer({ at: now, preview: asked.text });
  audit(em, asked.author, {
    action: 'reply.written',
    subject: { kind: 'reply', id: replyId },
    after: {
      conversationId: conversation.id,
      automatic: asked.automatic,
      draftId: asked.draftId,
      ...(asked.template ? { template: asked.template.name } : {}),
    },
  });
  announce(em, 'reply.changed', conversation.id, { replyId, messageId: message.id, state: 'approved' });
  return reply;
}

async function takeFiles(
  em: EntityManager,
  { options, text, author }: ReplyToWrite,
  message: Message,
  leavesAt: Date,
): Promise<void> {
  const ids = options?.uploadIds ?? [];
  if (ids.length > 0 && message.channel !== 'email') {
    throw new Invalid('reply.no-files', 'Files can go with a mail only: take them out, or answer by mail.');
  }
  await takeUploads(em, { ids, text, userId: actorId(author), messageId: message.id, leavesAt });
}

type Identity = { name: string; externalId: string | null; references: string[]; subject: string };

async function mailIdentity(
  em: EntityManager,
  conversation: Conversation,
  { from, answered }: ReplyWay,
  replyId: string,
): Promise<Identity> {
  // A name nobody can guess: whoever gives it back was shown this mail.
  const secret = randomBytes(16).toString('hex');
  const messageId = ourMessageId(replyId, secret, from.address);
  em.create(ThreadKey, { key: `${MAIL_KEY}${messageId}`, conversationId: conversation.id });
  em.create(ThreadKey, { key: `${REPLY_ADDRESS_KEY}${secret}`, conversationId: conversation.id });
  return {
    name: messageId,
    externalId: messageId,
    references: answered
      ? referencesForReply({ messageId: answered.externalId ?? null, references: answered.references })
      : [],
    subject: replySubject(conversation.subject || (await companyName(em, conversation.tenantId))),
  };
}

/** The provider gives it a name when it takes it, and our reference comes back in its receipts. */
function textIdentity(replyId: string): Identity {
  return { name: replyId, externalId: null, references: [], subject: '' };
}

async function companyName(em: EntityManager, tenantId: string): Promise<string> {
  return (await em.findOneOrFail(Tenant, { id: tenantId })).name;
}
