// A person sets the status. What is closed is not answered any more: its draft is superseded and its follow-ups end. And
// "spam" is a word on the sender, as "not spam" is.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conflict } from '#domain/errors.ts';
import type { Actor } from '#domain/people/actor.ts';
import type { Status } from '#domain/rules/conversation-status.ts';
import { cancelFollowUps } from '#domain/work/follow-up.ts';
import type { Conversation } from './conversation.ts';
import { correctKind } from './correct-kind.ts';
import { supersedeWaitingDraft } from './draft-decision.ts';
import { Message } from './message.ts';

/** @throws Conflict when the present status does not lead there */
export async function setStatus(
  em: EntityManager,
  conversation: Conversation,
  to: Status | 'urgent',
  actor: Actor,
): Promise<void> {
  if (to === 'urgent') return makeUrgent(conversation);
  const from = conversation.status;
  if ((to === 'spam') !== (from === 'spam')) {
    const newest = await newestOfClient(em, conversation.id);
    if (newest) await correctKind(em, newest.id, to === 'spam' ? 'spam' : 'personal', actor);
  }
  conversation.prioritise('normal');
  conversation.changeStatus(to);
  if (to === 'new' || to === 'in_progress') return;
  await supersedeWaitingDraft(em, conversation, actor);
  await cancelFollowUps(em, conversation.id, to, { keepsThoseOfPeople: to === 'resolved' });
}

function makeUrgent(conversation: Conversation): void {
  if (conversation.status !== 'new' && conversation.status !== 'in_progress') {
    throw new Conflict(
      'conversation.status-not-allowed',
      `A conversation that is ${conversation.status} cannot become urgent: reopen it first.`,
    );
  }
  conversation.prioritise('urgent');
}

function newestOfClient(em: EntityManager, conversationId: string): Promise<Message | null> {
  return em.findOne(Message, { conversationId, direction: 'inbound' }, { orderBy: { sentAt: 'desc', id: 'desc' } });
}
