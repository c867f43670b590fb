// When a reply leaves: after its time to undo, or at the moment its author chose. Until then it can be sent at once.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conflict, Invalid, NotFound } from '#domain/errors.ts';
import type { Actor } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { tellReplyChanged } from '#domain/record/run-request.ts';
import { Message } from './message.ts';
import { Reply } from './reply.ts';

type Departure = { at: Date; scheduled: boolean };

const LATEST_DAYS = 365;

/**
 * @param chosen the moment an agent chose; without one it leaves after `undoMs`
 * @throws Invalid for a moment that has passed, or is more than a year away
 */
export function departureOf(chosen: Date | null, undoMs: number, now: Date): Departure {
  if (!chosen) return { at: new Date(now.getTime() + undoMs), scheduled: false };
  if (chosen <= now) throw new Invalid('reply.in-the-past', 'This moment has passed: choose a later one.');
  if (chosen.getTime() > now.getTime() + LATEST_DAYS * 24 * 3600_000)
    throw new Invalid('reply.too-far', 'A reply can be scheduled for a year at most: choose an earlier moment.');
  return { at: chosen, scheduled: true };
}

/** @throws NotFound; Conflict when it has left, or was taken back */
export async function departNow(em: EntityManager, replyId: string, actor: Actor): Promise<void> {
  const reply = await em.findOne(Reply, { id: replyId });
  if (!reply) throw new NotFound('reply.not-found', 'This reply does not exist.');
  const now = new Date();
  const changed = await em.nativeUpdate(
    Reply,
    { id: replyId, state: 'approved', scheduled: true, notBefore: { $gt: now } },
    { notBefore: now, scheduled: false },
  );
  if (changed === 0) {
    throw new Conflict('reply.settled', 'This reply does not wait any more: reload to see how it went.', {
      state: reply.state,
    });
  }
  await writtenNow(em, reply.messageId, now);
  audit(em, actor, {
    action: 'reply.sent_now',
    subject: { kind: 'reply', id: replyId },
    before: { notBefore: reply.notBefore.toISOString() },
  });
  announce(em, 'reply.changed', reply.conversationId, { replyId, messageId: reply.messageId, state: 'approved' });
  tellReplyChanged(em, reply.tenantId, replyId);
}

/** The message no longer stands at a moment to come, in the thread and in its Date header. */
export async function writtenNow(em: EntityManager, messageId: string, now: Date): Promise<void> {
  await em.nativeUpdate(Message, { id: messageId, sentAt: { $gt: now } }, { sentAt: now });
}
