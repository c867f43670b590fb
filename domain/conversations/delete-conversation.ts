// A person deletes a conversation: nobody sees it any more from this moment, and its rows go once every run that may still
// look at them is over. The fingerprints of its messages stay: the same mail fetched again is known, and stays deleted.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conflict } from '#domain/errors.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import type { Actor } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { Step } from '#domain/record/step.ts';
import { cancelFollowUps, FollowUp } from '#domain/work/follow-up.ts';
import { Conversation, holdShownConversation } from './conversation.ts';
import { supersedeWaitingDraft } from './draft-decision.ts';
import { Message } from './message.ts';
import { Reply } from './reply.ts';

export const ROWS_KEPT_DAYS = 7;
const MOST_AT_ONCE = 100;

/**
 * @throws NotFound; Conflict while a reply is on its way or of unknown outcome, or a message comes in: they would be out of
 *   everybody's sight
 */
export async function deleteConversation(em: EntityManager, id: string, actor: Actor): Promise<void> {
  const conversation = await holdShownConversation(em, id);
  const unsettled = await em.count(Reply, { conversationId: id, state: { $in: ['approved', 'sending', 'unknown'] } });
  if (unsettled > 0) {
    throw new Conflict(
      'conversation.reply-unsettled',
      'A reply of this conversation is on its way, or nobody knows whether it was sent: settle it in the outbox first.',
    );
  }
  if ((await em.count(Message, { conversationId: id, direction: 'inbound', kind: null })) > 0) {
    throw new Conflict(
      'conversation.message-arriving',
      'A message is just coming in that nobody has seen: read it before you delete the conversation.',
    );
  }
  await supersedeWaitingDraft(em, conversation, actor);
  await cancelFollowUps(em, id, 'deleted');
  await em.nativeUpdate(FollowUp, { conversationId: id, doneAt: null }, { doneAt: new Date() });
  conversation.deletedAt = new Date();
  const messages = await em.find(Message, { conversationId: id }, { fields: ['id'] });
  await em.nativeUpdate(Receipt, { messageId: { $in: messages.map((message) => message.id) } }, { raw: null });
  audit(em, actor, { action: 'conversation.deleted', subject: { kind: 'conversation', id } });
  announce(em, 'conversation.changed', id, { deleted: true });
}

/** Removes the rows of what was deleted long enough ago. @returns how many conversations */
export async function removeDeleted(em: EntityManager, now: Date): Promise<number> {
  const before = new Date(now.getTime() - ROWS_KEPT_DAYS * 24 * 3600_000);
  const over = await em.find(Conversation, { deletedAt: { $lt: before } }, { fields: ['id'], limit: MOST_AT_ONCE });
  const ids = over.map((conversation) => conversation.id);
  if (ids.length === 0) return 0;
  await em.nativeDelete(Step, { conversationId: { $in: ids } });
  return em.nativeDelete(Conversation, { id: { $in: ids } });
}
