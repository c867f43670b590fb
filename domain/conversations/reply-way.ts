// By which account a reply leaves and where it goes: by mail for mailboxes and webhooks, by the number the client wrote
// to for SMS and WhatsApp. It refuses before anything is written.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conflict, Invalid } from '#domain/errors.ts';
import { connectedNow } from '#domain/integrations/connected-now.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { ContactPoint } from '#domain/people/client.ts';
import type { FilledTemplate } from '#domain/rules/whatsapp-template.ts';
import { whatsappWindowEnd } from '#domain/rules/whatsapp-window.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import type { Conversation } from './conversation.ts';
import { Folder } from './folder.ts';
import { type Correspondent, Message } from './message.ts';

/** Where mail can leave from, beside the mailboxes a company connected. */
export type SendingAccounts = {
  /** The sender address of the installation's own mail server; null when it has none. */
  installationFrom: string | null;
};

export type ReplyToSend = {
  conversation: Conversation;
  /** The client's message it answers; null answers the newest one. */
  answersMessageId: string | null;
  text: string;
  /** The approved template the text was made from (filled-template.ts): it goes outside of WhatsApp’s window too. */
  template?: FilledTemplate;
  accounts: SendingAccounts;
  /** When it is to leave; now where it is not given. */
  leavesAt?: Date;
};

export type ReplyWay = {
  channel: 'email' | 'sms' | 'whatsapp';
  /** Null is the installation's own mail server. */
  integrationId: string | null;
  from: Correspondent;
  to: string;
  /** With the folder's signature, unless it is a template: that leaves as it was approved. */
  text: string;
  answered: Message | null;
};

/** What Vonage takes in one message of each kind. */
const LONGEST_TEXT = { sms: 1_000, whatsapp: 4_096 };

/** @throws Conflict when there is nowhere to send it to, or nothing to send it with; Invalid when it is too long */
export async function wayOf(em: EntityManager, asked: ReplyToSend): Promise<ReplyWay> {
  const answered = await answeredMessage(em, asked);
  const { channel } = asked.conversation;
  if (channel === 'sms' || channel === 'whatsapp') return byNumber(em, asked, answered, channel);
  return byMail(em, asked, answered);
}

async function byMail(
  em: EntityManager,
  { conversation, text, accounts }: ReplyToSend,
  answered: Message | null,
): Promise<ReplyWay> {
  const to = answered?.replyTo ?? answered?.sender.address ?? (await anyOf(em, conversation.clientId, 'email'));
  if (!to) {
    throw new Conflict(
      'reply.no-return-address',
      'This client left no email address: add one to the client before you answer.',
    );
  }
  const { integrationId, address, name } = await mailAccount(em, conversation, accounts);
  const signature = await signatureOf(em, conversation);
  return {
    channel: 'email',
    integrationId,
    from: { address, name },
    to,
    text: signature ? `${text.trimEnd()}\n\n-- \n${signature}` : text,
    answered,
  };
}

async function byNumber(
  em: EntityManager,
  { conversation, text: written, template, leavesAt = new Date() }: ReplyToSend,
  answered: Message | null,
  channel: 'sms' | 'whatsapp',
): Promise<ReplyWay> {
  const number = await connectedNumber(em, conversation);
  const sender = answered?.sender.phone;
  const to = sender?.startsWith('+') ? sender : await anyOf(em, conversation.clientId, 'phone');
  if (!to)
    throw new Conflict('reply.no-return-number', 'This client left no number to answer to: use another channel.');
  if (channel === 'whatsapp' && !template) mustBeOpen(conversation, leavesAt);
  const signature = template ? '' : await signatureOf(em, conversation);
  const text = signature ? `${written.trimEnd()}\n${signature}` : written;
  const longest = LONGEST_TEXT[channel];
  if (text.length > longest) {
    throw new Invalid(
      'reply.too-long',
      `This is longer than the ${longest} characters one message may have: shorten it.`,
      {
        longest,
      },
    );
  }
  const from = { address: null, name: null, phone: number.address };
  return { channel, integrationId: number.id, from, to, text, answered };
}

function mustBeOpen({ lastInboundAt }: Conversation, leavesAt: Date): void {
  const closesAt = whatsappWindowEnd(lastInboundAt);
  if (closesAt && closesAt > leavesAt) return;
  throw new Conflict(
    'reply.whatsapp-window-closed',
    'WhatsApp takes free text only within 24 hours of the client’s last message: choose one of your approved templates, or wait until the client writes again.',
    { closedAt: closesAt?.toISOString() ?? null },
  );
}

/** @throws Conflict when it is connected no more */
export async function connectedNumber(em: EntityManager, { integrationId }: Conversation): Promise<Integration> {
  const number = await connectedNow(em, integrationId);
  if (!number)
    throw new Conflict(
      'reply.no-number',
      'The number this client wrote to is not connected any more: connect it again.',
    );
  return number;
}

async function answeredMessage(em: EntityManager, asked: ReplyToSend): Promise<Message | null> {
  if (asked.answersMessageId) return em.findOneOrFail(Message, { id: asked.answersMessageId });
  return em.findOne(
    Message,
    { conversationId: asked.conversation.id, direction: 'inbound', kind: 'personal' },
    { orderBy: { sentAt: 'desc' } },
  );
}

async function anyOf(em: EntityManager, clientId: string, kind: 'email' | 'phone'): Promise<string | null> {
  const point = await em.findOne(ContactPoint, { clientId, kind }, { orderBy: { createdAt: 'asc' } });
  return point?.value ?? null;
}

async function mailAccount(em: EntityManager, conversation: Conversation, accounts: SendingAccounts) {
  const origin = await em.findOneOrFail(Integration, { id: conversation.integrationId });
  const mailboxId = origin.channel === 'email' ? origin.id : origin.webhookSettings().replyThrough;
  const mailbox = mailboxId ? await connectedNow(em, mailboxId) : null;
  if (mailbox) {
    return { integrationId: mailbox.id, address: mailbox.address, name: mailbox.mailboxSettings().senderName || null };
  }
  if (accounts.installationFrom) {
    const { name } = await em.findOneOrFail(Tenant, { id: conversation.tenantId });
    return { integrationId: null, address: accounts.installationFrom, name };
  }
  throw new Conflict(
    'reply.no-account',
    'There is no mailbox to send from: connect one in the settings, or set SMTP_URL and MAIL_FROM for the installation.',
  );
}

async function signatureOf(em: EntityManager, conversation: Conversation): Promise<string> {
  const folder = conversation.folderId ? await em.findOne(Folder, { id: conversation.folderId }) : null;
  return folder?.signature ?? '';
}
