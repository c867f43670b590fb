// Promises kept later: a folder's follow-up after a reply went out, and what happens when its time has come.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conversation, holdConversation } from '#domain/conversations/conversation.ts';
import { Folder } from '#domain/conversations/folder.ts';
import { Message } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { writeReply } from '#domain/conversations/write-reply.ts';
import { Conflict } from '#domain/errors.ts';
import { connectedNow } from '#domain/integrations/connected-now.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { SYSTEM } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { nextBusinessInstant } from '#domain/rules/business-hours.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import { cancelFollowUps, claimFollowUp, FollowUp } from '#domain/work/follow-up.ts';
import type { FollowUpInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { inStep } from './in-step.ts';
import type { ReplyRef } from './sending.ts';

export type FollowUpStanding = { state: 'armed' | 'fired' | 'cancelled'; waitMs: number };

export function createFollowingUp({ database, installationMail }: Dependencies) {
  return {
    /** Arms the follow-up the folder asks for after this reply; null when it asks for none. Run again, it is the same. */
    async scheduleFollowUp({ tenantId, replyId }: ReplyRef): Promise<{ followUpId: string } | null> {
      return inStep(database, tenantId, 'scheduleFollowUp', async (em, notes) => {
        const reply = await em.findOneOrFail(Reply, { id: replyId });
        const conversation = await holdConversation(em, reply.conversationId);
        notes.about({ conversationId: conversation.id, messageId: reply.messageId });
        const earlier = await em.findOne(FollowUp, { replyId });
        if (earlier) return { followUpId: earlier.id };
        const folder = conversation.folderId ? await em.findOne(Folder, { id: conversation.folderId }) : null;
        if (!folder || folder.followUpMode === 'off' || conversation.isClosed() || (await isSettled(em, reply))) {
          notes.found('none');
          return null;
        }
        const tenant = await em.findOneOrFail(Tenant, { id: tenantId });
        const wanted = Date.now() + folder.followUpAfterSeconds * 1000;
        const dueAt = new Date(nextBusinessInstant(wanted, tenant.businessHours));
        // The newest reply is the one whose silence counts.
        await cancelFollowUps(em, conversation.id, 'newer-reply');
        const followUp = em.create(FollowUp, {
          conversationId: conversation.id,
          replyId,
          mode: folder.followUpMode,
          text: folder.followUpText,
          dueAt,
        });
        await em.flush();
        notes.found('armed', { dueAt: dueAt.toISOString(), mode: folder.followUpMode, folder: folder.name });
        announce(em, 'follow_up.armed', conversation.id, { followUpId: followUp.id });
        return { followUpId: followUp.id };
      });
    },

    async readFollowUp({ tenantId, followUpId }: FollowUpInput): Promise<FollowUpStanding> {
      return database.inTenant(tenantId, async (em) => {
        const followUp = await em.findOneOrFail(FollowUp, { id: followUpId });
        const lateMs = Date.now() - followUp.dueAt.getTime();
        const isAhead = lateMs >= 0 && followUp.state === 'armed' && (await mayHaveAnswered(em, followUp));
        return { state: followUp.state, waitMs: isAhead ? lookAgainMs(lateMs) : Math.max(0, -lateMs) };
      });
    },

    /** Reminds the agents, or writes to the client in the thread; returns the reply to send, if any. */
    async fireFollowUp({ tenantId, followUpId }: FollowUpInput): Promise<{ replyId: string | null }> {
      return inStep(database, tenantId, 'fireFollowUp', async (em, notes) => {
        const followUp = await em.findOneOrFail(FollowUp, { id: followUpId });
        const conversation = await holdConversation(em, followUp.conversationId);
        notes.about({ conversationId: conversation.id });
        if (!(await claimFollowUp(em, followUpId))) {
          await em.refresh(followUp);
          notes.found(followUp.state);
          // Fired by an execution that died before it could say so: its reply is the one to send.
          return { replyId: followUp.sentReplyId ?? null };
        }
        await em.refresh(followUp);
        const replyId =
          followUp.mode === 'send' ? await writeToClient(em, followUp, conversation, installationMail) : null;
        notes.found(replyId ? 'sent' : 'reminded');
        audit(em, SYSTEM, {
          action: 'follow_up.fired',
          subject: { kind: 'follow-up', id: followUpId },
          after: { replyId },
        });
        announce(em, 'follow_up.fired', conversation.id, { followUpId, replyId });
        return { replyId };
      });
    },
  };
}

const A_MINUTE_MS = 60_000;
const GIVE_UP_AFTER_MS = 7 * 24 * 60 * A_MINUTE_MS;
/** Of a mail server that is away, and of a message that comes in and never gets further. */
const BELIEVED_FOR_MS = 60 * A_MINUTE_MS;

// After an outage everything is due at once: whoever has answered meanwhile must not be chased because the answer still
// lies in the mailbox, or waits for its run.
async function mayHaveAnswered(em: EntityManager, { conversationId, dueAt }: FollowUp): Promise<boolean> {
  const now = Date.now();
  if (now - dueAt.getTime() > GIVE_UP_AFTER_MS) return false;
  const { integrationId } = await em.findOneOrFail(Conversation, { id: conversationId });
  const account = await connectedNow(em, integrationId);
  if (!account) return false;
  const createdAt = { $gt: new Date(now - BELIEVED_FOR_MS) };
  if ((await em.count(Receipt, { integrationId: account.id, state: 'kept', createdAt })) > 0) return true;
  if ((await em.count(Message, { conversationId, direction: 'inbound', kind: null, createdAt })) > 0) return true;
  const isRead = account.channel === 'email' && account.state === 'active';
  const isAway = account.failingSince && now - account.failingSince.getTime() > BELIEVED_FOR_MS;
  return isRead && !isAway && (account.lastSuccessAt ?? account.createdAt) < dueAt;
}

/** The later it is, the less often. */
function lookAgainMs(lateMs: number): number {
  return Math.min(5 * A_MINUTE_MS, Math.max(2_000, lateMs / 4));
}

// A follow-up is followed by none, or a silent client would be written to for ever; and who has answered since (the
// outcome may have been unknown for days) is not chased.
async function isSettled(em: EntityManager, reply: Reply): Promise<boolean> {
  if ((await em.count(FollowUp, { sentReplyId: reply.id })) > 0) return true;
  const { conversationId, createdAt } = reply;
  const since = {
    conversationId,
    direction: 'inbound' as const,
    kind: 'personal' as const,
    createdAt: { $gt: createdAt },
  };
  return (await em.count(Message, since)) > 0;
}

// When it cannot be written (no address, no mailbox) the follow-up becomes a reminder: an agent sees it either way.
async function writeToClient(
  em: EntityManager,
  followUp: FollowUp,
  conversation: Conversation,
  installationMail: Dependencies['installationMail'],
): Promise<string | null> {
  if (!followUp.text.trim()) return null;
  try {
    const reply = await writeReply(em, {
      conversation,
      answersMessageId: null,
      text: followUp.text,
      author: SYSTEM,
      automatic: true,
      draftId: null,
      undoMs: 0,
      accounts: { installationFrom: installationMail?.from ?? null },
    });
    followUp.sentReplyId = reply.id;
    return reply.id;
  } catch (error) {
    if (error instanceof Conflict) return null;
    throw error;
  }
}
