// The first two steps of a message: has it come before, and record it with its client and conversation. Each may run twice
// after a crash and then finds its own work done.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Fingerprint, Message } from '#domain/conversations/message.ts';
import { findThread } from '#domain/conversations/thread.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { recogniseClient } from '#domain/people/client.ts';
import { announce } from '#domain/record/event.ts';
import { startScanFiles } from '#domain/record/run-request.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { ReceiveMessageInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { later } from './failures.ts';
import { currentRunId, inStep } from './in-step.ts';
import { keepFiles, recordFiles } from './incoming-files.ts';
import { type IncomingMessage, Unreadable } from './readers/incoming-message.ts';
import { detectLanguage } from './readers/language.ts';
import type { ReceiptReader } from './readers/read-receipt.ts';

export type Recognised =
  /** `media`: files of it lie at the provider and are fetched first. */
  | { outcome: 'new'; media?: true }
  | { outcome: 'duplicate'; messageId: string }
  | { outcome: 'set-aside' }
  /** Parts of a long SMS have not come yet. */
  | { outcome: 'incomplete'; lookAgainInMs: number };

export type Recorded =
  | { outcome: 'recorded'; messageId: string; conversationId: string; channel: string }
  | { outcome: 'duplicate'; messageId: string };

const A_DAY_MS = 24 * 3600_000;

export function createReceiving({ database, attachments, scanner, patience }: Dependencies, reader: ReceiptReader) {
  return {
    /** Compares the message's identity with everything that came before; an unreadable one is set aside, visibly. */
    async recogniseDuplicate({ tenantId, receiptId }: ReceiveMessageInput): Promise<Recognised> {
      return inStep(database, tenantId, 'recogniseDuplicate', async (em, notes) => {
        notes.about({ receiptId });
        const message = await reader.readIn(em, receiptId).catch((error) => {
          if (error instanceof Unreadable) return error;
          throw error;
        });
        if (message instanceof Unreadable) {
          const receipt = await em.findOneOrFail(Receipt, { id: receiptId });
          receipt.setAside(message.message);
          announce(em, 'message.set_aside', null, { receiptId });
          notes.found('set-aside', { problem: message.message });
          return { outcome: 'set-aside' };
        }
        const earlier = await em.findOne(Fingerprint, { digest: message.digest });
        if (!earlier || (await isFromReceipt(em, earlier.messageId, receiptId))) {
          const lookAgainInMs = await waitForParts(em, receiptId, message, patience.partsWithinMs);
          notes.found(lookAgainInMs > 0 ? 'incomplete' : 'new');
          if (lookAgainInMs > 0) return { outcome: 'incomplete', lookAgainInMs };
          return { outcome: 'new', ...(message.media ? { media: true } : {}) };
        }
        notes.found('duplicate', { messageId: earlier.messageId });
        return { outcome: 'duplicate', messageId: earlier.messageId };
      });
    },

    /** Ends the receipt of a message that is already here. */
    async settleDuplicate(input: ReceiveMessageInput & { messageId: string }): Promise<void> {
      await database.inTenant(input.tenantId, async (em) => {
        const receipt = await em.findOneOrFail(Receipt, { id: input.receiptId });
        receipt.recorded('duplicate', input.messageId);
      });
    },

    /** Writes message, client, conversation and attachments in one transaction; the unique key has the last word. */
    async recordMessage({ tenantId, receiptId }: ReceiveMessageInput): Promise<Recorded> {
      const message = await reader.read(tenantId, receiptId);
      const files = await keepFiles(attachments, tenantId, message.attachments, scanner !== null);
      const language = await detectLanguage(message.newText || message.text);
      return inStep(database, tenantId, 'recordMessage', async (em, notes) => {
        notes.about({ receiptId });
        const receipt = await em.findOneOrFail(Receipt, { id: receiptId });
        const done = receipt.messageId ? await em.findOne(Message, { id: receipt.messageId, receiptId }) : null;
        if (done) {
          notes.about({ conversationId: done.conversationId, messageId: done.id });
          return recorded(done);
        }
        const messageId = newId();
        const owner = await claimFingerprint(em, tenantId, message.digest, messageId);
        if (owner !== messageId) {
          receipt.recorded('duplicate', owner);
          notes.found('duplicate', { messageId: owner });
          return { outcome: 'duplicate', messageId: owner };
        }
        await takeParts(em, message, messageId);
        const client = await recogniseClient(
          em,
          tenantId,
          contactsOf(message, messageId),
          message.clientName,
          language,
        );
        const thread = await findThread(em, {
          tenantId,
          keys: message.threadKeys,
          ...(message.replySecrets ? { replySecrets: message.replySecrets } : {}),
          senderAddress: message.sender.address,
          clientId: client.id,
          returnedTo: (await bouncedMessage(em, message))?.conversationId ?? null,
          isSigned: message.channel === 'webhook',
          ...(await windowOf(em, receipt.integrationId, message)),
        });
        const conversation =
          thread.found ??
          em.create(Conversation, {
            id: thread.conversationId,
            clientId: client.id,
            integrationId: receipt.integrationId,
            channel: message.channel,
            subject: message.subject,
            preview: previewOf(message),
            language,
            lastMessageAt: message.sentAt,
            unread: false,
          });
        const row = em.create(Message, {
          id: messageId,
          conversationId: conversation.id,
          direction: 'inbound',
          channel: message.channel,
          integrationId: receipt.integrationId,
          receiptId,
          runId: currentRunId(),
          externalId: message.externalId,
          inReplyTo: message.inReplyTo,
          references: message.references,
          sender: message.sender,
          replyTo: message.replyTo,
          recipients: message.recipients,
          cc: message.cc,
          subject: message.subject,
          text: message.text,
          newText: message.newText,
          html: message.html,
          language,
          fromBackfill: receipt.origin.backfill === true,
          sentAt: message.sentAt,
        });
        recordFiles(em, messageId, files);
        if (scanner && files.length > 0) startScanFiles(em, tenantId, messageId);
        receipt.recorded('new', messageId);
        notes.about({ conversationId: conversation.id, messageId });
        notes.found(thread.found ? 'joined' : 'opened', { by: thread.reason, problems: message.problems });
        return recorded(row);
      });
    },
  };
}

function recorded(message: Message): Recorded {
  return {
    outcome: 'recorded',
    messageId: message.id,
    conversationId: message.conversationId,
    channel: message.channel,
  };
}

async function isFromReceipt(em: EntityManager, messageId: string, receiptId: string): Promise<boolean> {
  return (await em.count(Message, { id: messageId, receiptId })) === 1;
}

/** @returns the id of the message that owns the digest: ours, or the one that was faster */
async function claimFingerprint(
  em: EntityManager,
  tenantId: string,
  digest: string,
  messageId: string,
): Promise<string> {
  const claimed = await em.execute(
    `insert into fingerprint (id, tenant_id, created_at, digest, message_id)
     values (?, ?, now(), ?, ?) on conflict (tenant_id, digest) do nothing returning id`,
    [newId(), tenantId, digest, messageId],
  );
  if (claimed.length === 1) return messageId;
  return (await em.findOneOrFail(Fingerprint, { digest })).messageId;
}

/** @returns how long to wait for the missing parts of a long SMS; 0 when it is whole or its time is over */
async function waitForParts(
  em: EntityManager,
  receiptId: string,
  { series }: IncomingMessage,
  withinMs: number,
): Promise<number> {
  if (!series || series.missing === 0) return 0;
  const { createdAt } = await em.findOneOrFail(Receipt, { id: receiptId });
  return Math.max(0, createdAt.getTime() + withinMs - Date.now());
}

// A part stands in one message only: when another run has taken one of them meanwhile, this step begins anew with what
// is left.
async function takeParts(em: EntityManager, { series }: IncomingMessage, messageId: string): Promise<void> {
  if (!series) return;
  const taken = await em.nativeUpdate(
    Receipt,
    { id: { $in: series.receiptIds }, state: 'kept' },
    { state: 'done', outcome: 'new', messageId },
  );
  if (taken !== series.receiptIds.length) throw later('part-taken', 'A part of this SMS was taken by another run.');
}

async function windowOf(em: EntityManager, integrationId: string, { channel, sentAt }: IncomingMessage) {
  if (channel !== 'sms' && channel !== 'whatsapp') return {};
  const integration = await em.findOneOrFail(Integration, { id: integrationId });
  return { window: { ms: integration.numberSettings().threadWindowDays * A_DAY_MS, at: sentAt } };
}

// A message nobody signed still belongs to somebody: a client of its own.
function contactsOf(message: IncomingMessage, messageId: string) {
  return message.contacts.length > 0 ? message.contacts : [{ kind: 'handle' as const, value: `unknown:${messageId}` }];
}

/** The first words of a message, for the list. */
export function previewOf(message: { newText: string; text: string }): string {
  return (message.newText || message.text).replace(/\s+/g, ' ').trim().slice(0, 200);
}

/** The mail of ours that a bounce gives back. */
export async function bouncedMessage(em: EntityManager, incoming: IncomingMessage): Promise<Message | null> {
  const id = incoming.bounce?.originalMessageId;
  return id ? em.findOne(Message, { direction: 'outbound', externalId: id }) : null;
}
