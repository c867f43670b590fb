// One message on its way out. The row is written before anything is sent, and its state is the send protocol:
// approved → sending (one holder of the token) → handed over (just before the final dot) → sent, or unknown when the
// connection or the worker died after that point. An unknown reply is never sent again by itself.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { connectedNow } from '#domain/integrations/connected-now.ts';
import { ACTOR_KINDS } from '#domain/people/actor.ts';
import { DELIVERIES } from '#domain/rules/delivery.ts';
import { REPLY_STATES, type ReplyState } from '#domain/rules/words.ts';
import { instant, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';
import { Message } from './message.ts';

const ReplySchema = defineEntity({
  name: 'Reply',
  properties: {
    ...tenantOwned,
    conversationId: p.uuid(),
    /** The outbound message as the thread shows it. */
    messageId: p.uuid(),
    draftId: p.uuid().nullable(),
    /** The channel account it leaves by; null is the installation's own mail server. */
    integrationId: p.uuid().nullable(),
    state: p.enum(REPLY_STATES).default('approved'),
    /** The same on every attempt, so that a mail server and the Sent folder know it again. */
    messageIdHeader: p.string().length(255),
    automatic: p.boolean().default(false),
    authorKind: p.enum(ACTOR_KINDS),
    authorId: p.uuid().nullable(),
    /** The end of the time to undo, or the moment it is scheduled for. */
    notBefore: instant(),
    /** The moment was chosen by a person. */
    scheduled: p.boolean().default(false),
    attemptToken: p.uuid().nullable(),
    attempts: p.integer().default(0),
    /** When the last attempt began: what the provider's limit is counted by. */
    attemptedAt: instant().nullable(),
    handedOverAt: instant().nullable(),
    sentAt: instant().nullable(),
    /** The server's last answer, for a person. */
    lastResponse: p.text().nullable(),
    /** Whom the server refused while it took the mail for the others. */
    refusedRecipients: p.json<string[]>().onCreate(() => []),
    /** A stable code: `recipient-refused`, `credentials-refused`, `outcome-unknown`… */
    failure: p.string().length(60).nullable(),
    /** How far an SMS or a WhatsApp message came, by the provider's receipts. */
    delivery: p.enum(DELIVERIES).nullable(),
    /** Why the provider says it did not arrive, for a person. */
    deliveryFailure: p.string().length(300).nullable(),
  },
  uniques: [
    referable,
    { properties: ['tenantId', 'messageId'] },
    {
      name: 'reply_one_per_draft',
      expression:
        'create unique index "reply_one_per_draft" on "reply" ("tenant_id", "draft_id") where "draft_id" is not null',
    },
  ],
  indexes: [
    { properties: ['tenantId', 'conversationId'] },
    {
      name: 'reply_automatic',
      expression: 'create index "reply_automatic" on "reply" ("tenant_id", "created_at") where "automatic"',
    },
    {
      name: 'reply_needs_person',
      expression: `create index "reply_needs_person" on "reply" ("tenant_id", "created_at") where "state" in ('unknown', 'failed')`,
    },
  ],
});

export class Reply extends ReplySchema.class {}
ReplySchema.setClass(Reply);

/** Its account may have been removed and connected again since it was written: it leaves by the one there is now. */
export async function leaveByConnected(em: EntityManager, replyId: string): Promise<void> {
  const { integrationId, messageId } = await em.findOneOrFail(Reply, { id: replyId });
  const account = integrationId ? await connectedNow(em, integrationId) : null;
  if (!account || account.id === integrationId) return;
  await em.nativeUpdate(Reply, { id: replyId }, { integrationId: account.id });
  await em.nativeUpdate(Message, { id: messageId }, { integrationId: account.id });
}

/**
 * Takes the reply for one attempt; the token fences off whoever held it before. Taking it again with the same token
 * succeeds again, because a step may be repeated.
 * @returns false when it is not waiting to be sent
 */
export async function beginAttempt(em: EntityManager, replyId: string, token: string): Promise<boolean> {
  const taken = await em.execute<{ affectedRows: number }>(
    `update reply set state = 'sending', attempt_token = ?, attempts = attempts + 1, attempted_at = ?,
            handed_over_at = null, failure = nullif(failure, 'sending-limit')
     where id = ? and state = 'approved'`,
    [token, new Date(), replyId],
    'run',
  );
  return (
    taken.affectedRows === 1 || (await em.count(Reply, { id: replyId, state: 'sending', attemptToken: token })) === 1
  );
}

/**
 * Marks that the next bytes may make the server accept the mail.
 * @returns false when another attempt has taken over: the caller must break the connection without the final dot
 */
export async function markHandedOver(em: EntityManager, replyId: string, token: string): Promise<boolean> {
  return (
    (await em.nativeUpdate(
      Reply,
      { id: replyId, attemptToken: token, state: 'sending', handedOverAt: null },
      { handedOverAt: new Date() },
    )) === 1
  );
}

export type AttemptEnd =
  /** `providerId`: the name under which the provider's receipts will speak of it. */
  | { outcome: 'sent'; response: string; providerId?: string; refusedRecipients?: string[] }
  | { outcome: 'retry'; failure: string; response: string }
  | { outcome: 'failed'; failure: string; response: string }
  | { outcome: 'unknown'; failure: string; response: string };

/**
 * Ends the attempt that holds the token. A late answer of an attempt that was given up changes nothing, except that a
 * proof of acceptance settles a reply whose outcome is unknown.
 * @returns the state the reply is in now
 */
export async function endAttempt(
  em: EntityManager,
  replyId: string,
  token: string,
  end: AttemptEnd,
): Promise<ReplyState> {
  const from = end.outcome === 'sent' ? (['sending', 'unknown'] as const) : (['sending'] as const);
  const state = end.outcome === 'retry' ? 'approved' : end.outcome;
  await em.nativeUpdate(
    Reply,
    { id: replyId, attemptToken: token, state: { $in: [...from] } },
    {
      state,
      ...(end.response ? { lastResponse: end.response.slice(0, 1000) } : {}),
      failure: end.outcome === 'sent' ? null : end.failure,
      ...(end.outcome === 'sent' ? { sentAt: new Date(), refusedRecipients: end.refusedRecipients ?? [] } : {}),
      ...(end.outcome === 'retry' ? { handedOverAt: null } : {}),
    },
  );
  const reply = await em.findOneOrFail(Reply, { id: replyId }, { refresh: true });
  return reply.state;
}
