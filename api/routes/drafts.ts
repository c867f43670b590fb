// Agents decide drafts, take replies back, and say what became of those nobody can be sure of. Each decision is one
// conditional update of the row, so that the second one is told who was first.
import type { EntityManager } from '@mikro-orm/postgresql';
import { holdShownConversation } from '#domain/conversations/conversation.ts';
import { departNow, writtenNow } from '#domain/conversations/departure.ts';
import { approveDraft, discardDraft, regenerateDraft } from '#domain/conversations/draft-decision.ts';
import { Message } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { releaseUploads } from '#domain/conversations/upload.ts';
import { Conflict, NotFound } from '#domain/errors.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { startSendReply, tellFollowUpChanged, tellReplyChanged } from '#domain/record/run-request.ts';
import type { ReplyState } from '#domain/rules/words.ts';
import { FollowUp } from '#domain/work/follow-up.ts';
import type { drafts, followUps, replies } from '../contract/drafts.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import type { Principal } from '../principal.ts';
import { dueFollowUps } from '../views/due-follow-ups.ts';
import { outbox } from '../views/outbox.ts';
import { uploadViewOf } from '../views/upload-view.ts';

export function draftRoutes({ database, undoMs, sendingAccounts }: ApiDependencies): Handlers<typeof drafts> {
  return {
    approveDraft: ({ principal, params, body: { version, text, ...options } }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const reply = await approveDraft(em, {
          draftId: params.id,
          actor: principal.actor,
          version,
          text,
          options,
          automatic: false,
          undoMs,
          accounts: sendingAccounts,
        });
        return { replyId: reply.id, notBefore: reply.notBefore.toISOString() };
      }),

    discardDraft: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        await discardDraft(em, params.id, principal.actor);
        return undefined;
      }),

    regenerateDraft: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        await regenerateDraft(em, params.id, principal.actor, body.instruction);
        return undefined;
      }),
  };
}

export function replyRoutes({ database }: ApiDependencies): Handlers<typeof replies> {
  return {
    cancelReply: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        await settle(em, principal, params.id, {
          from: ['approved'],
          to: 'cancelled',
          action: 'reply.cancelled',
          tooLate: 'This reply has already left: it can no longer be taken back.',
        });
        const { messageId } = await em.findOneOrFail(Reply, { id: params.id });
        await writtenNow(em, messageId, new Date());
        const released = await releaseUploads(em, messageId, principal.userId);
        return { uploads: released.map(uploadViewOf) };
      }),

    departReply: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        await departNow(em, params.id, principal.actor);
        return undefined;
      }),

    judgeReply: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const from: ReplyState[] = ['unknown', 'failed'];
        const tooLate = 'This reply needs no decision any more: reload to see how it went.';
        if (body.verdict === 'it-was-sent') {
          await settle(em, principal, params.id, { from, to: 'sent', action: 'reply.declared_sent', tooLate });
        } else if (body.verdict === 'give-up') {
          await settle(em, principal, params.id, {
            from: ['unknown'],
            to: 'failed',
            action: 'reply.given_up',
            tooLate,
          });
        } else {
          await settle(em, principal, params.id, { from, to: 'approved', action: 'reply.sent_again', tooLate });
        }
        return undefined;
      }),

    listOutbox: ({ principal, query }) => database.inTenant(principal.tenantId, (em) => outbox(em, query)),
  };
}

export function followUpRoutes({ database }: ApiDependencies): Handlers<typeof followUps> {
  return {
    listFollowUps: ({ principal, query }) => database.inTenant(principal.tenantId, (em) => dueFollowUps(em, query)),

    cancelFollowUp: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const followUp = await em.findOne(FollowUp, { id: params.id });
        if (!followUp) throw new NotFound('follow-up.not-found', 'This follow-up does not exist.');
        const cancelled = await em.nativeUpdate(
          FollowUp,
          { id: params.id, state: 'armed' },
          { state: 'cancelled', settledAt: new Date(), cancelReason: 'person' },
        );
        if (cancelled === 0) followUp.doneAt = new Date();
        else tellFollowUpChanged(em, principal.tenantId, params.id);
        const action = cancelled === 0 ? 'follow_up.done' : 'follow_up.cancelled';
        audit(em, principal.actor, { action, subject: { kind: 'follow-up', id: params.id } });
        announce(em, 'follow_up.cancelled', followUp.conversationId, { followUpId: params.id });
        return undefined;
      }),
  };
}

type Settlement = { from: ReplyState[]; to: ReplyState; action: string; tooLate: string };

async function settle(em: EntityManager, principal: Principal, replyId: string, settlement: Settlement): Promise<void> {
  const reply = await em.findOne(Reply, { id: replyId });
  if (!reply) throw new NotFound('reply.not-found', 'This reply does not exist.');
  // What leaves must be in somebody's sight.
  if (settlement.to === 'approved') await holdShownConversation(em, reply.conversationId);
  const changed = await em.nativeUpdate(
    Reply,
    { id: replyId, state: { $in: settlement.from } },
    {
      state: settlement.to,
      ...(settlement.to === 'sent' ? { sentAt: new Date(), failure: null } : {}),
      ...(settlement.to === 'approved'
        ? { notBefore: new Date(), handedOverAt: null, failure: null, delivery: null, deliveryFailure: null }
        : {}),
    },
  );
  if (changed === 0) throw new Conflict('reply.settled', settlement.tooLate, { state: reply.state });
  const message = await em.findOneOrFail(Message, { id: reply.messageId });
  audit(em, principal.actor, {
    action: settlement.action,
    subject: { kind: 'reply', id: replyId },
    before: { state: reply.state },
    after: { state: settlement.to },
  });
  announce(em, 'reply.changed', reply.conversationId, { replyId, messageId: message.id, state: settlement.to });
  tellReplyChanged(em, principal.tenantId, replyId);
  // Its run may have ended long ago.
  if (settlement.to === 'approved') startSendReply(em, principal.tenantId, replyId);
}
