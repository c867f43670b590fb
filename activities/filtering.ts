// The third step of a message: keep apart what no person wrote to us. It may run twice after a crash and then finds its own
// work done.
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type Conversation, holdConversation } from '#domain/conversations/conversation.ts';
import { supersedeWaitingDraft } from '#domain/conversations/draft-decision.ts';
import { Message } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { conversationsAnswered, takesPart } from '#domain/conversations/thread.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { SenderRule } from '#domain/integrations/sender-rule.ts';
import { SYSTEM } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { tellReplyChanged } from '#domain/record/run-request.ts';
import { authenticationFailure } from '#domain/rules/authentication-results.ts';
import { classifyMail, type MailTraits, type MailVerdict, mayAutoReplyTo } from '#domain/rules/automated-mail.ts';
import { domainOf } from '#domain/rules/email-address.ts';
import { cancelFollowUps } from '#domain/work/follow-up.ts';
import type { Dependencies } from './dependencies.ts';
import { inStep } from './in-step.ts';
import type { IncomingMessage } from './readers/incoming-message.ts';
import { mailTraitsOf } from './readers/mail-traits-of.ts';
import type { ReceiptReader } from './readers/read-receipt.ts';
import { bouncedMessage, previewOf } from './receiving.ts';

export type Filtered = { kind: MailVerdict['kind']; reason: string };

export function createFiltering({ database }: Dependencies, reader: ReceiptReader) {
  return {
    /**
     * Tells a person's message from newsletters, automatic answers, bounces, loops and spam. Only a person's message
     * makes the conversation unread, opens it again, cancels follow-ups and supersedes a waiting draft.
     */
    async filterBulkMail(input: { tenantId: string; receiptId: string; messageId: string }): Promise<Filtered> {
      const incoming = await reader.read(input.tenantId, input.receiptId);
      return inStep(database, input.tenantId, 'filterBulkMail', async (em, notes) => {
        const message = await em.findOneOrFail(Message, { id: input.messageId });
        const conversation = await holdConversation(em, message.conversationId);
        notes.about({ ...input, conversationId: conversation.id });
        if (message.kind) return { kind: message.kind, reason: message.kindReason ?? '' };
        const { verdict, obstacle, doubts } = await judge(em, conversation, message, incoming);
        message.kind = verdict.kind;
        message.kindReason = verdict.reason;
        message.autoReplyObstacle = obstacle;
        if (verdict.kind === 'personal') await hear(em, conversation, message);
        else await keepApart(em, conversation, message, incoming, verdict);
        notes.found(verdict.kind, { reason: verdict.reason }, [...verdict.evidence, ...doubts]);
        return { kind: verdict.kind, reason: verdict.reason };
      });
    },
  };
}

const NOT_MAIL: MailVerdict = { kind: 'personal', reason: 'not-mail', evidence: [] };

/** Who wrote it, and why no machine may answer it. Other channels carry no machines' mail: there is nothing to look up. */
async function judge(
  em: EntityManager,
  conversation: Conversation,
  message: Message,
  incoming: IncomingMessage,
): Promise<{ verdict: MailVerdict; obstacle: string | null; doubts: string[] }> {
  if (message.channel !== 'email') return { verdict: NOT_MAIL, obstacle: null, doubts: [] };
  const { origin } = await em.findOneOrFail(Receipt, { id: message.receiptId! });
  const traits = await traitsOf(em, message, incoming, origin.junk === true);
  const verdict = classifyMail(traits);
  const newcomer = (await isNewcomer(em, conversation, message)) ? 'newcomer' : null;
  return { verdict, obstacle: obstacleOf(message, traits, verdict) ?? newcomer, doubts: doubtsAbout(traits) };
}

// Who was shown a mail of ours may answer it, and stands in its conversation; what a machine would write there is meant for
// the client's eyes.
async function isNewcomer(em: EntityManager, conversation: Conversation, message: Message): Promise<boolean> {
  const { address } = message.sender;
  if (!address || conversation.messageCount === 0) return false;
  return !(await takesPart(em, conversation, address, message.id));
}

async function traitsOf(
  em: EntityManager,
  message: Message,
  incoming: IncomingMessage,
  inJunk: boolean,
): Promise<MailTraits> {
  const own = await em.find(Integration, { channel: 'email' });
  const rules = await em.find(SenderRule, {});
  const ours = await em.count(Message, {
    conversationId: message.conversationId,
    direction: 'outbound',
    externalId: { $in: [...message.references, ...(message.inReplyTo ? [message.inReplyTo] : [])] },
  });
  const byAddress = await conversationsAnswered(em, incoming.replySecrets ?? []);
  const echo = message.externalId
    ? await em.count(Message, { direction: 'outbound', externalId: message.externalId })
    : 0;
  return mailTraitsOf(incoming, {
    answersUs: ours > 0 || byAddress.some(({ id }) => id === message.conversationId),
    ownAddresses: own.map((integration) => integration.address),
    ownMessageId: echo > 0,
    inJunk,
    senderRules: rules.map(({ pattern, verdict }) => ({ pattern, verdict })),
  });
}

function obstacleOf(message: Message, traits: MailTraits, verdict: MailVerdict): string | null {
  const { allowed, reason } = mayAutoReplyTo(traits, verdict);
  if (!allowed) return reason;
  // An automatic answer goes to who wrote, not to a third party the writer has named.
  const { replyTo, sender } = message;
  return replyTo && sender.address && domainOf(replyTo) !== domainOf(sender.address) ? 'reply-to-differs' : null;
}

/** The lines that speak against its sender, for whoever asks why a machine did not answer. */
function doubtsAbout({ headers }: MailTraits): string[] {
  const failure = authenticationFailure(headers);
  return failure ? [failure.line] : [];
}

async function hear(em: EntityManager, conversation: Conversation, message: Message): Promise<void> {
  conversation.kind = 'personal';
  const isFirst = conversation.messageCount === 0;
  const client = { kind: 'client', id: conversation.clientId } as const;
  const before = { status: conversation.status };
  if (message.fromBackfill) conversation.messageCount += 1;
  else conversation.hear({ at: message.sentAt, preview: previewOf(message) });
  // Before the first message nobody can have drafted or promised anything.
  if (!message.fromBackfill && !isFirst) {
    await supersedeWaitingDraft(em, conversation, client, message);
    await cancelFollowUps(em, conversation.id, 'client-answered');
  }
  if (conversation.status !== before.status) {
    audit(em, client, {
      action: 'conversation.reopened',
      subject: { kind: 'conversation', id: conversation.id },
      before,
      after: { status: conversation.status },
    });
  }
  announce(em, 'message.received', conversation.id, { messageId: message.id });
}

async function keepApart(
  em: EntityManager,
  conversation: Conversation,
  message: Message,
  incoming: IncomingMessage,
  verdict: MailVerdict,
): Promise<void> {
  const isNew = conversation.messageCount === 0;
  conversation.messageCount += 1;
  if (isNew) {
    conversation.kind = verdict.kind;
    if (verdict.kind === 'spam') conversation.changeStatus('spam');
  }
  if (verdict.kind === 'bounce') await markBounced(em, incoming);
  const receipt = await em.findOne(Receipt, { id: message.receiptId ?? message.id });
  if (receipt) receipt.outcome = 'filtered';
  audit(em, SYSTEM, {
    action: 'message.filtered',
    subject: { kind: 'message', id: message.id },
    after: { kind: verdict.kind, reason: verdict.reason },
  });
  announce(em, 'message.filtered', conversation.id, { messageId: message.id, kind: verdict.kind });
}

// A permanent failure (RFC 3463, class 5) ends the reply it names; a delay report changes nothing.
async function markBounced(em: EntityManager, incoming: IncomingMessage): Promise<void> {
  const sent = await bouncedMessage(em, incoming);
  const isFinal = incoming.bounce?.recipients.some(
    (entry) => entry.action === 'failed' || entry.status?.startsWith('5'),
  );
  if (!sent || !isFinal) return;
  const status = incoming.bounce?.recipients.find((entry) => entry.status)?.status;
  const reply = await em.findOne(Reply, { messageId: sent.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (reply) {
    const before = { state: reply.state };
    em.assign(reply, { state: 'failed', failure: 'bounced', lastResponse: status ?? '' });
    audit(em, SYSTEM, {
      action: 'reply.bounced',
      subject: { kind: 'reply', id: reply.id },
      before,
      after: { state: reply.state },
    });
    // A run that waits for a word on an unknown outcome has it now.
    tellReplyChanged(em, reply.tenantId, reply.id);
  }
  announce(em, 'reply.changed', sent.conversationId, { messageId: sent.id });
}
