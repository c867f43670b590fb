// What the provider says of a message it took from us: submitted, delivered, read, failed. Receipts come in any order,
// repeated, and sometimes before our own row knows under which name the provider speaks of it: each is kept once, and
// the standing of the reply is read from all of them.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { announce } from '#domain/record/event.ts';
import { tellReplyChanged } from '#domain/record/run-request.ts';
import { deliveryOf, RECEIPT_STATUSES, type ReceiptStatus } from '#domain/rules/delivery.ts';
import { newId, tenantOwned } from '#domain/tenancy/tenant-owned.ts';
import { Message } from './message.ts';
import { Reply } from './reply.ts';

const DeliveryReceiptSchema = defineEntity({
  name: 'DeliveryReceipt',
  properties: {
    ...tenantOwned,
    /** The provider's id of the message. */
    providerId: p.string().length(100),
    status: p.enum(RECEIPT_STATUSES),
    failure: p.string().length(300).nullable(),
  },
  uniques: [{ properties: ['tenantId', 'providerId', 'status'] }],
});

export class DeliveryReceipt extends DeliveryReceiptSchema.class {}
DeliveryReceiptSchema.setClass(DeliveryReceipt);

export type ReceiptTold = {
  providerId: string;
  /** Our reply, when the provider gives back the reference we sent along. */
  replyId: string | null;
  status: ReceiptStatus;
  failure: string | null;
};

/**
 * The word of the provider comes in the very moment in which its answer is written down: whoever is second waits, and sees
 * what the first has written. Call it before the reply is touched.
 */
export async function holdReceipts(em: EntityManager, providerId: string): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [providerId]);
}

/** Keeps a receipt and applies it; one that is ahead of its reply waits until the reply learns the provider's id. */
export async function hearReceipt(em: EntityManager, tenantId: string, told: ReceiptTold): Promise<void> {
  await holdReceipts(em, told.providerId);
  const { affectedRows: kept } = await em.execute<{ affectedRows: number }>(
    `insert into delivery_receipt (id, tenant_id, created_at, provider_id, status, failure)
     values (?, ?, now(), ?, ?, ?) on conflict (tenant_id, provider_id, status) do nothing`,
    [newId(), tenantId, told.providerId, told.status, told.failure?.slice(0, 300) ?? null],
    'run',
  );
  const message = await em.findOne(Message, { direction: 'outbound', externalId: told.providerId });
  if (message) {
    // A repeated one was applied when it first came; what a person has decided since stands.
    const reply = kept === 1 ? await em.findOne(Reply, { messageId: message.id }) : null;
    if (reply) await applyReceipts(em, reply.id, told.providerId);
  } else if (told.replyId && (await adopt(em, told.replyId, told.providerId))) {
    await applyReceipts(em, told.replyId, told.providerId);
  }
}

/** The provider has answered: its receipts, the early ones too, belong to this reply from now on. */
export async function knowAs(em: EntityManager, replyId: string, providerId: string): Promise<void> {
  const reply = await em.findOneOrFail(Reply, { id: replyId });
  await em.nativeUpdate(Message, { id: reply.messageId }, { externalId: providerId });
  await applyReceipts(em, replyId, providerId);
}

// Nobody wrote down what the provider answered to this attempt. A receipt that carries our reference proves that it was
// taken: that settles an unknown outcome. A reply that a person has had sent again meanwhile is another attempt.
async function adopt(em: EntityManager, replyId: string, providerId: string): Promise<boolean> {
  const proven = await em.nativeUpdate(
    Reply,
    { id: replyId, state: { $in: ['sending', 'unknown'] }, handedOverAt: { $ne: null } },
    { state: 'sent', sentAt: new Date(), failure: null },
  );
  if (proven === 0) return false;
  const reply = await em.findOneOrFail(Reply, { id: replyId }, { refresh: true });
  await em.nativeUpdate(Message, { id: reply.messageId }, { externalId: providerId });
  tellReplyChanged(em, reply.tenantId, replyId);
  return true;
}

// Brings a reply in line with all receipts of its message. Two receipts at once wait for each other at the row, so that
// the second one sees both.
async function applyReceipts(em: EntityManager, replyId: string, providerId: string): Promise<void> {
  await em.execute('select 1 from reply where id = ? for update', [replyId]);
  const receipts = await em.find(DeliveryReceipt, { providerId });
  const { delivery, failure, failed } = deliveryOf(
    receipts.map(({ status, failure: why = null }) => ({ status, failure: why })),
  );
  const before = await em.findOneOrFail(Reply, { id: replyId }, { refresh: true });
  await em.nativeUpdate(Reply, { id: replyId }, { delivery, deliveryFailure: failure });
  // Only what left can fail to arrive, or turn out to have arrived after all.
  const state = failed ? 'failed' : 'sent';
  const from = failed ? (['sent'] as const) : (['failed'] as const);
  if (failed || before.failure === UNDELIVERED) {
    await em.nativeUpdate(
      Reply,
      { id: replyId, state: { $in: [...from] } },
      { state, failure: failed ? UNDELIVERED : null, lastResponse: failure ?? before.lastResponse ?? null },
    );
  }
  announce(em, 'reply.changed', before.conversationId, { replyId, messageId: before.messageId, state });
}

/** The provider took it and could not deliver it. */
const UNDELIVERED = 'not-delivered';
