// One reply on its way out, by the send protocol of domain/conversations/reply.ts: take it, hand it over, record how it
// ended. A worker that dies in between leaves a row from which the workflow can tell whether anything can have left.
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type AttachmentStore, StoreUnavailable } from '#domain/attachments/attachment-store.ts';
import { holdReceipts, knowAs } from '#domain/conversations/delivery-receipt.ts';
import { heldByLimit, pauseSending, SENDING_LIMIT } from '#domain/conversations/hold-to-limit.ts';
import { Attachment, Message } from '#domain/conversations/message.ts';
import {
  type AttemptEnd,
  beginAttempt,
  endAttempt,
  leaveByConnected,
  markHandedOver,
  Reply,
} from '#domain/conversations/reply.ts';
import { faultPoint } from '#domain/fault-point.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { announce } from '#domain/record/event.ts';
import { replyAddress } from '#domain/rules/subaddress.ts';
import type { ReplyState } from '#domain/rules/words.ts';
import type { Dependencies } from './dependencies.ts';
import { inStep, type StepNotes } from './in-step.ts';
import { throughMailbox } from './mailbox-access.ts';
import { composeMail } from './providers/outgoing-mail.ts';
import { type SmtpAccount, type TransmitEnd, transmit } from './providers/smtp.ts';
import { sendText, vonageAccount } from './providers/vonage.ts';
import { findInSent, keepInSent } from './sent-folder.ts';

export type ReplyRef = { tenantId: string; replyId: string };
export type Attempt = ReplyRef & { token: string };

export type ReplyStanding = {
  state: ReplyState;
  /** Time left to take it back, or until the moment it is scheduled for. */
  waitMs: number;
  attempts: number;
};

export function createSending(dependencies: Dependencies) {
  const { database } = dependencies;

  return {
    async readReply({ tenantId, replyId }: ReplyRef): Promise<ReplyStanding> {
      return database.inTenant(tenantId, async (em) => {
        const reply = await em.findOneOrFail(Reply, { id: replyId });
        const waitMs = Math.max(0, reply.notBefore.getTime() - Date.now());
        return { state: reply.state, waitMs, attempts: reply.attempts };
      });
    },

    /** @returns false when there is nothing to send any more, or not yet */
    async beginSending({ tenantId, replyId, token }: Attempt): Promise<boolean> {
      const begun = await database.inTenant(tenantId, async (em) => {
        await leaveByConnected(em, replyId);
        return !(await heldByLimit(em, replyId)) && (await beginAttempt(em, replyId, token));
      });
      await faultPoint('send.after_intent');
      return begun;
    },

    /** Speaks to the provider once. It is never repeated by Temporal: the workflow looks at the row first. */
    async transmitReply(attempt: Attempt): Promise<AttemptEnd> {
      const { tenantId, replyId, token } = attempt;
      const { reply, message, files, replyTo } = await database.inTenant(tenantId, async (em) => {
        const reply = await em.findOneOrFail(Reply, { id: replyId });
        const message = await em.findOneOrFail(Message, { id: reply.messageId });
        const files = await em.find(Attachment, { messageId: message.id }, { orderBy: { createdAt: 'asc' } });
        return { reply, message, files, replyTo: await replyAddressOf(em, reply) };
      });
      if (reply.attemptToken !== token || reply.state !== 'sending') {
        return { outcome: 'retry', failure: 'taken-over', response: 'Another attempt has taken over.' };
      }
      const { channel } = message;
      if (channel === 'sms' || channel === 'whatsapp') return transmitText(dependencies, attempt, message, channel);
      return transmitMail(dependencies, attempt, { reply, message, files, replyTo });
    },

    /** A run that was ended from outside left the reply in the middle of an attempt: ends that attempt. */
    async concludeAbandoned({ tenantId, replyId }: ReplyRef): Promise<ReplyState> {
      return database.inTenant(tenantId, async (em) => {
        const reply = await heldReply(em, replyId);
        if (reply.state !== 'sending' || !reply.attemptToken) return reply.state;
        return endAttempt(em, replyId, reply.attemptToken, endOfSilence(reply));
      });
    },

    /**
     * Records how an attempt ended. Without a word from it (the worker died), the row tells: before the hand-over
     * nothing can have left and it may be tried again; after it the outcome is unknown.
     */
    async concludeAttempt({
      tenantId,
      replyId,
      token,
      end,
    }: Attempt & { end: AttemptEnd | null }): Promise<ReplyState> {
      return inStep(database, tenantId, 'sendReply', async (em, notes) => {
        if (end) await holdReceiptsOf(em, end);
        const reply = await heldReply(em, replyId);
        const known = end ?? endOfSilence(reply);
        const state = await recordEnd(em, { replyId, token }, known);
        aboutReply(notes, reply);
        notes.found(state, { failure: 'failure' in known ? known.failure : null, attempt: reply.attempts });
        announce(em, 'reply.changed', reply.conversationId, { replyId, messageId: reply.messageId, state });
        return state;
      });
    },

    /**
     * Looks for a mail whose outcome is unknown in the Sent folder. Only finding it proves anything. For a text message
     * the provider's receipt is the proof, and it settles the row by itself.
     */
    async lookUpReply({ tenantId, replyId }: ReplyRef): Promise<{ found: boolean }> {
      const { reply, channel } = await database.inTenant(tenantId, async (em) => {
        const reply = await em.findOneOrFail(Reply, { id: replyId });
        return { reply, channel: (await em.findOneOrFail(Message, { id: reply.messageId })).channel };
      });
      if (channel !== 'email') return { found: reply.state === 'sent' };
      const found = await findInSent(dependencies, tenantId, reply);
      if (found && reply.attemptToken) {
        const proof: AttemptEnd = { outcome: 'sent', response: 'Found in the Sent folder.' };
        const { attemptToken } = reply;
        await inStep(database, tenantId, 'sendReply', async (em, notes) => {
          aboutReply(notes, reply);
          notes.found('found-in-sent');
          await endAttempt(em, replyId, attemptToken, proof);
          announce(em, 'reply.changed', reply.conversationId, { replyId, messageId: reply.messageId, state: 'sent' });
        });
      }
      return { found };
    },

    /** Given up after days of temporary faults: a person must see it. */
    async giveUpReply({ tenantId, replyId }: ReplyRef): Promise<void> {
      await inStep(database, tenantId, 'sendReply', async (em, notes) => {
        const reply = await em.findOneOrFail(Reply, { id: replyId });
        aboutReply(notes, reply);
        notes.found('given-up', { failure: reply.failure ?? null });
        await em.nativeUpdate(Reply, { id: replyId, state: 'approved' }, { state: 'failed' });
        announce(em, 'reply.changed', reply.conversationId, { replyId, messageId: reply.messageId, state: 'failed' });
      });
    },
  };
}

// An attempt that is not dead may be about to mark its hand-over: it waits until this look has had its consequence, and
// is fenced off then.
function heldReply(em: EntityManager, replyId: string): Promise<Reply> {
  return em.findOneOrFail(Reply, { id: replyId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

async function transmitMail(
  dependencies: Dependencies,
  { tenantId, replyId, token }: Attempt,
  { reply, message, files, replyTo }: { reply: Reply; message: Message; files: Attachment[]; replyTo: string | null },
): Promise<AttemptEnd> {
  const { database, patience, attachments } = dependencies;
  const without = await endWithoutFiles(attachments, tenantId, files);
  if (without) {
    await recordNow(dependencies, { tenantId, replyId, token }, without);
    return withoutWords(without);
  }
  const mail = composeMail(reply, message, files, replyTo, ({ sha256 }) => attachments.read(tenantId, sha256));
  const end = await onItsWay(dependencies, tenantId, reply, (account) =>
    transmit(account, mail.envelope, mail.source, {
      timeoutMs: patience.smtpTimeoutMs,
      beforeFinalDot: () => handOver(dependencies, { tenantId, replyId, token }),
    }),
  );
  if (end.outcome === 'sent') await faultPoint('send.after_250_before_record');
  await recordNow(dependencies, { tenantId, replyId, token }, end);
  const { integrationId } = reply;
  if (integrationId && end.outcome === 'retry' && end.failure === SENDING_LIMIT) {
    await database.inTenant(tenantId, (em) => pauseSending(em, integrationId, patience.sendingPauseMs));
  }
  if (end.outcome === 'sent') await keepInSent(dependencies, tenantId, reply, mail.source).catch(() => {});
  return withoutWords(end);
}

/** Where the mailbox takes subaddresses, the one that leads back to this mail. */
async function replyAddressOf(em: EntityManager, { integrationId, messageIdHeader }: Reply): Promise<string | null> {
  const mailbox = integrationId ? await em.findOne(Integration, { id: integrationId, channel: 'email' }) : null;
  return mailbox?.takesSubaddresses() ? replyAddress(mailbox.address, messageIdHeader) : null;
}

/** Just before the provider can have it. @returns false when another attempt has taken over: nothing may leave */
async function handOver({ database }: Dependencies, { tenantId, replyId, token }: Attempt): Promise<boolean> {
  await faultPoint('send.before_dot');
  const mayGoOn = await database.inTenant(tenantId, (em) => markHandedOver(em, replyId, token));
  if (mayGoOn) await faultPoint('send.after_dot_before_250');
  return mayGoOn;
}

// Without one the answer would not be what its author wrote; what is lost may come back with a backup.
async function endWithoutFiles(
  store: AttachmentStore,
  tenantId: string,
  files: Attachment[],
): Promise<AttemptEnd | null> {
  try {
    for (const { name, sha256 } of files) {
      if (await store.has(tenantId, sha256)) continue;
      const response = `The file store no longer has “${name}”: bring it back from a backup, or answer without it.`;
      return { outcome: 'failed', failure: 'file-missing', response };
    }
    return null;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return { outcome: 'retry', failure: 'store-unavailable', response: error.message };
  }
}

// Recorded here already, so that what comes after cannot turn a known outcome into an unknown one; when the database is
// away the workflow records what the attempt returns.
async function recordNow({ database }: Dependencies, attempt: Attempt, end: AttemptEnd): Promise<void> {
  await database
    .inTenant(attempt.tenantId, async (em) => {
      await holdReceiptsOf(em, end);
      await recordEnd(em, attempt, end);
    })
    .catch(() => {});
}

async function holdReceiptsOf(em: EntityManager, end: AttemptEnd): Promise<void> {
  if (end.outcome === 'sent' && end.providerId) await holdReceipts(em, end.providerId);
}

/** Servers repeat the recipient's address or number in their answers: those stay out of the history. */
function withoutWords(end: AttemptEnd): AttemptEnd {
  return { ...end, response: '', ...(end.outcome === 'sent' ? { refusedRecipients: [] } : {}) };
}

async function transmitText(
  dependencies: Dependencies,
  { tenantId, replyId, token }: Attempt,
  message: Message,
  channel: 'sms' | 'whatsapp',
): Promise<AttemptEnd> {
  const { database, keys, vonageUrl, patience } = dependencies;
  const account = await database.inTenant(tenantId, (em) => vonageAccount(em, keys, message.integrationId));
  const from = message.sender.phone ?? '';
  const [to] = message.recipients as [string];
  const text = { channel, from, to, text: message.text, template: message.template ?? null, reference: replyId };
  const end = await sendText(account, text, {
    url: vonageUrl,
    timeoutMs: patience.vonageTimeoutMs,
    beforeHandOver: () => handOver(dependencies, { tenantId, replyId, token }),
  });
  if (end.outcome === 'sent') await faultPoint('send.after_250_before_record');
  await recordNow(dependencies, { tenantId, replyId, token }, end);
  return withoutWords(end);
}

async function recordEnd(
  em: EntityManager,
  { replyId, token }: { replyId: string; token: string },
  end: AttemptEnd,
): Promise<ReplyState> {
  const state = await endAttempt(em, replyId, token, end);
  if (end.outcome !== 'sent' || !end.providerId || state !== 'sent') return state;
  const reply = await em.findOneOrFail(Reply, { id: replyId });
  if (reply.attemptToken === token) await knowAs(em, replyId, end.providerId);
  return (await em.findOneOrFail(Reply, { id: replyId }, { refresh: true })).state;
}

function aboutReply(notes: StepNotes, reply: Reply): void {
  notes.about({ conversationId: reply.conversationId, messageId: reply.messageId });
}

function endOfSilence(reply: Reply): AttemptEnd {
  if (reply.handedOverAt) {
    return {
      outcome: 'unknown',
      failure: 'outcome-unknown',
      response: 'The worker stopped after the message was handed over.',
    };
  }
  return {
    outcome: 'retry',
    failure: 'interrupted',
    response: 'The worker stopped before the message was handed over.',
  };
}

/** Through the mailbox it is answered from, or the mail server of the installation. */
function onItsWay(
  dependencies: Dependencies,
  tenantId: string,
  { integrationId }: Reply,
  send: (account: SmtpAccount) => Promise<TransmitEnd>,
): Promise<TransmitEnd> {
  if (integrationId) return throughMailbox(dependencies, { tenantId, integrationId }, send);
  const { installationMail } = dependencies;
  if (!installationMail) throw new Error('The installation has no mail server: set SMTP_URL and MAIL_FROM.');
  return send({ server: installationMail.server, password: installationMail.password });
}
