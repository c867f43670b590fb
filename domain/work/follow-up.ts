// A promise kept later: remind an agent, or write to the client, when no answer has come. Like a draft, the row is the
// arbiter: it is fired or cancelled once.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { announce } from '#domain/record/event.ts';
import { tellFollowUpChanged } from '#domain/record/run-request.ts';
import { instant, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

const FollowUpSchema = defineEntity({
  name: 'FollowUp',
  properties: {
    ...tenantOwned,
    conversationId: p.uuid(),
    /** The reply whose silence it watches; null when a person set it. */
    replyId: p.uuid().nullable(),
    mode: p.enum(['remind', 'send'] as const),
    text: p.text().default(''),
    dueAt: instant(),
    state: p.enum(['armed', 'fired', 'cancelled'] as const).default('armed'),
    settledAt: instant().nullable(),
    /** `client-answered`, `person`, `resolved`… */
    cancelReason: p.string().length(60).nullable(),
    /** What was written to the client when it fired. */
    sentReplyId: p.uuid().nullable(),
    /** An agent has seen the reminder and put it away. */
    doneAt: instant().nullable(),
    createdById: p.uuid().nullable(),
  },
  uniques: [
    {
      name: 'follow_up_one_per_reply',
      expression:
        'create unique index "follow_up_one_per_reply" on "follow_up" ("tenant_id", "reply_id") where "reply_id" is not null',
    },
  ],
  indexes: [{ properties: ['tenantId', 'conversationId'] }, { properties: ['tenantId', 'state', 'dueAt'] }],
});

export class FollowUp extends FollowUpSchema.class {}
FollowUpSchema.setClass(FollowUp);

/** Cancels what is still armed in a conversation, and tells the runs that wait for it. */
export async function cancelFollowUps(
  em: EntityManager,
  conversationId: string,
  reason: string,
  { keepsThoseOfPeople = false } = {},
): Promise<void> {
  const rows = await em.execute<{ id: string; tenant_id: string }[]>(
    `update follow_up set state = 'cancelled', settled_at = now(), cancel_reason = ?
     where conversation_id = ? and state = 'armed' and not (? and created_by_id is not null) returning id, tenant_id`,
    [reason, conversationId, keepsThoseOfPeople],
  );
  for (const { id, tenant_id } of rows) {
    tellFollowUpChanged(em, tenant_id, id);
    announce(em, 'follow_up.cancelled', conversationId, { followUpId: id });
  }
}

/** Takes the follow-up for firing; false when it was cancelled or has fired. */
export async function claimFollowUp(em: EntityManager, id: string): Promise<boolean> {
  return (await em.nativeUpdate(FollowUp, { id, state: 'armed' }, { state: 'fired', settledAt: new Date() })) === 1;
}
