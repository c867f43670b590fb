// Writes one outgoing message: the row the thread shows, the row the send protocol works on, and the key by which the
// client's answer finds its way back. Nothing is sent here.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conflict } from '#domain/errors.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { type Actor, actorId } from '#domain/people/actor.ts';
import { ContactPoint } from '#domain/people/client.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { domainOf } from '#domain/rules/email-address.ts';
import { referencesForReply, replySubject } from '#domain/rules/threading.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { Conversation } from './conversation.ts';
import { Folder } from './folder.ts';
import { Message } from './message.ts';
import { Reply } from './reply.ts';
import { ThreadKey } from './thread.ts';

/** Where mail can leave from, beside the mailboxes a company connected. */
export type SendingAccounts = {
  /** The sender address of the installation's own mail server; null when it has none. */
  installationFrom: string | null;
};

export type ReplyToWrite = {
  conversation: Conversation;
  /** The client's message it answers; null answers the newest one. */
  answersMessageId: string | null;
  text: string;
  cc?: string[];
  author: Actor;
  automatic: boolean;
  draftId: string | null;
  /** How long it can be taken back before it leaves. */
  undoMs: number;
  accounts: SendingAccounts;
};

/** @throws Conflict when there is nowhere to send it to, or nothing to send it with */
export async function writeReply(em: EntityManager, asked: ReplyToWrite): Promise<Reply> {
  const { conversation } = asked;
  const { answered, to, account } = await findWayOut(em, asked);
  const replyId = newId();
  const now = new Date();
  const messageIdHeader = `relais.${replyId}@${domainOf(account.from) ?? 'relais.invalid'}`;
  const text = await withSignature(em, conversation, asked.text);
  const message = em.create(Message, {
    id: newId(),
    conversationId: conversation.id,
    direction: 'outbound',
    channel: 'email',
    integrationId: account.integrationId ?? conversation.integrationId,
    runId: `tenant/${conversation.tenantId}/reply/${replyId}`,
    externalId: messageIdHeader,
    inReplyTo: answered?.externalId ?? null,
    references: answered
      ? referencesForReply({ messageId: answered.externalId ?? null, references: answered.references })
      : [],
    sender: { address: account.from, name: account.name },
    recipients: [to],
    cc: asked.cc ?? [],
    subject: replySubject(conversation.subject || (await companyName(em, conversation.tenantId))),
    text,
    newText: asked.text,
    kind: 'personal',
    language: conversation.language ?? null,
    authorId: actorId(asked.author),
    sentAt: now,
  });
  const reply = em.create(Reply, {
    id: replyId,
    conversationId: conversation.id,
    messageId: message.id,
    draftId: asked.draftId,
    integrationId: account.integrationId,
    messageIdHeader,
    automatic: asked.automatic,
    authorKind: asked.author.kind,
    authorId: actorId(asked.author),
    notBefore: new Date(now.getTime() + asked.undoMs),
  });
  em.create(ThreadKey, { key: `mail:${messageIdHeader}`, conversationId: conversation.id });
  conversation.answer({ at: now, preview: asked.text });
  audit(em, asked.author, {
    action: 'reply.written',
    subject: { kind: 'reply', id: replyId },
    after: { conversationId: conversation.id, automatic: asked.automatic, draftId: asked.draftId },
  });
  announce(em, 'reply.changed', conversation.id, { replyId, messageId: message.id, state: 'approved' });
  return reply;
}

/** @throws Conflict when there is nowhere to send it to, or nothing to send it with */
export async function findWayOut(
  em: EntityManager,
  asked: Pick<ReplyToWrite, 'conversation' | 'answersMessageId' | 'accounts'>,
): Promise<{ answered: Message | null; to: string; account: Account }> {
  const answered = await answeredMessage(em, asked);
  const { clientId } = asked.conversation;
  const to = answered?.replyTo ?? answered?.sender.address ?? (await anyAddressOf(em, clientId));
  if (!to) {
    throw new Conflict(
      'reply.no-return-address',
      'This client left no email address: add one to the client before you answer.',
    );
  }
  return { answered, to, account: await sendingAccount(em, asked.conversation, asked.accounts) };
}

async function answeredMessage(
  em: EntityManager,
  asked: Pick<ReplyToWrite, 'conversation' | 'answersMessageId'>,
): Promise<Message | null> {
  if (asked.answersMessageId) return em.findOneOrFail(Message, { id: asked.answersMessageId });
  return em.findOne(
    Message,
    { conversationId: asked.conversation.id, direction: 'inbound', kind: 'personal' },
    { orderBy: { sentAt: 'desc' } },
  );
}

async function anyAddressOf(em: EntityManager, clientId: string): Promise<string | null> {
  const point = await em.findOne(ContactPoint, { clientId, kind: 'email' }, { orderBy: { createdAt: 'asc' } });
  return point?.value ?? null;
}

type Account = { integrationId: string | null; from: string; name: string | null };

async function sendingAccount(
  em: EntityManager,
  conversation: Conversation,
  accounts: SendingAccounts,
): Promise<Account> {
  const origin = await em.findOneOrFail(Integration, { id: conversation.integrationId });
  const mailboxId = origin.channel === 'email' ? origin.id : origin.webhookSettings().replyThrough;
  const mailbox = mailboxId
    ? await em.findOne(Integration, { id: mailboxId, channel: 'email', removedAt: null })
    : null;
  if (mailbox) {
    return { integrationId: mailbox.id, from: mailbox.address, name: mailbox.mailboxSettings().senderName || null };
  }
  if (accounts.installationFrom) {
    return { integrationId: null, from: accounts.installationFrom, name: await companyName(em, conversation.tenantId) };
  }
  throw new Conflict(
    'reply.no-account',
    'There is no mailbox to send from: connect one in the settings, or set SMTP_URL and MAIL_FROM for the installation.',
  );
}

async function withSignature(em: EntityManager, conversation: Conversation, text: string): Promise<string> {
  const folder = conversation.folderId ? await em.findOne(Folder, { id: conversation.folderId }) : null;
  return folder?.signature ? `${text.trimEnd()}\n\n-- \n${folder.signature}` : text;
}

async function companyName(em: EntityManager, tenantId: string): Promise<string> {
  return (await em.findOneOrFail(Tenant, { id: tenantId })).name;
}
