// What keeps the house in order: requests that were forgotten, and data whose time is over.
import type { EntityManager } from '@mikro-orm/postgresql';
import { removeDeleted } from '#domain/conversations/delete-conversation.ts';
import { DeliveryReceipt } from '#domain/conversations/delivery-receipt.ts';
import { Draft } from '#domain/conversations/draft.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { forgetUploads } from '#domain/conversations/upload.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { QuarantinedCall } from '#domain/integrations/quarantined-call.ts';
import { RECEIPT_RETENTION_DAYS, Receipt } from '#domain/integrations/receipt.ts';
import {
  startApplyIntegration,
  startFollowUp,
  startReceiveMessage,
  startSendReply,
  startWatchMailbox,
  tellDraftDecided,
} from '#domain/record/run-request.ts';
import { Trial } from '#domain/secrets/trial.ts';
import { FollowUp } from '#domain/work/follow-up.ts';
import type { Dependencies } from './dependencies.ts';

/** What is younger than this is on its way and not forgotten. */
const FORGOTTEN_AFTER_MS = 60_000;
/** A Temporal server is restored from a backup that is not older. */
const RESTORED_WITHIN = '3 days';
const MOST_AT_ONCE = 500;

const activeMailbox = { channel: 'email', state: 'active', removedAt: null } as const;

export type Remembered = { receipts: number; decisions: number; replies: number; followUps: number };

export function createHousekeeping({ database, attachments }: Dependencies) {
  return {
    async listTenants(): Promise<string[]> {
      const rows = await database.outsideTenants<{ id: string }>('select id from list_tenants() as id');
      return rows.map((row) => row.id);
    },

    /** Asks again for what was committed and never begun, or decided and never heard. */
    async remindOfForgotten({ tenantId }: { tenantId: string }): Promise<Remembered> {
      return database.inTenant(tenantId, async (em) => {
        const before = new Date(Date.now() - FORGOTTEN_AFTER_MS);
        const limit = { limit: MOST_AT_ONCE };
        const receipts = await em.find(Receipt, { state: 'kept', createdAt: { $lt: before } }, limit);
        for (const receipt of receipts) startReceiveMessage(em, tenantId, receipt.id, receipt.runs);
        for (const receipt of await receiptsLeftHalfWay(em, before)) {
          startReceiveMessage(em, tenantId, receipt.id, receipt.runs);
        }
        const drafts = await em.find(Draft, { decidedAt: { $lt: before }, decisionHeardAt: null }, limit);
        for (const draft of drafts) tellDraftDecided(em, draft.runId, draft.id, draft.decisionId!);
        const replies = await em.find(
          Reply,
          { state: { $in: ['approved', 'sending'] }, notBefore: { $lt: before } },
          limit,
        );
        for (const reply of replies) startSendReply(em, tenantId, reply.id);
        const followUps = await em.find(FollowUp, { state: 'armed', dueAt: { $lt: before } }, limit);
        for (const followUp of followUps) startFollowUp(em, tenantId, followUp.id);
        // Starting a watch that goes on is nothing; whether it does, only Temporal knows.
        const watched = await em.find(Integration, { ...activeMailbox, idleOffered: true });
        for (const mailbox of watched) startWatchMailbox(em, tenantId, mailbox.id);
        return {
          receipts: receipts.length,
          decisions: drafts.length,
          replies: replies.length,
          followUps: followUps.length,
        };
      });
    },

    /** Forgets raw receipts, trials, uploads, calls in quarantine and deleted conversations whose time is over. */
    async forgetExpired({ tenantId }: { tenantId: string }): Promise<{ receipts: number; trials: number }> {
      return database.inTenant(tenantId, async (em) => {
        const now = new Date();
        const over = { expiresAt: { $lt: now } };
        const receipts = await em.nativeUpdate(
          Receipt,
          { ...over, raw: { $ne: null }, state: { $ne: 'kept' } },
          { raw: null },
        );
        const trials = await em.nativeDelete(Trial, over);
        await removeDeleted(em, now);
        await forgetUploads(em, attachments, now);
        await em.nativeDelete(QuarantinedCall, over);
        const longAgo = new Date(now.getTime() - RECEIPT_RETENTION_DAYS * 24 * 3600_000);
        await em.nativeDelete(DeliveryReceipt, { createdAt: { $lt: longAgo } });
        return { receipts, trials };
      });
    },

    /** After a Temporal server was replaced or restored: every mailbox gets its schedule and its watch again. */
    async reapplyIntegrations({ tenantId }: { tenantId: string }): Promise<void> {
      await database.inTenant(tenantId, async (em) => {
        const mailboxes = await em.find(Integration, { channel: 'email', removedAt: null });
        for (const mailbox of mailboxes) startApplyIntegration(em, tenantId, mailbox.id);
      });
    },
  };
}

/**
 * Of messages that were recorded and never filtered, or never came to the question whether they are answered: their runs
 * were lost with a restored Temporal server. The steps know what they did. What an agent took out of the newsletters was
 * never to be answered.
 */
function receiptsLeftHalfWay(em: EntityManager, before: Date): Promise<{ id: string; runs: number }[]> {
  return em.execute(
    `select receipt.id, receipt.runs from message
       join receipt on receipt.id = message.receipt_id
       join conversation on conversation.id = message.conversation_id and conversation.deleted_at is null
      where message.direction = 'inbound' and message.created_at < ?
        and (message.kind is null
             or message.kind = 'personal' and message.kind_reason is distinct from 'corrected'
                and message.created_at > now() - interval '${RESTORED_WITHIN}'
                and not exists (select from step where step.conversation_id = message.conversation_id
                                   and step.message_id = message.id and step.name = 'decideReply'))
      limit ?`,
    [before, MOST_AT_ONCE],
  );
}
