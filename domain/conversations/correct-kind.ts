// An agent corrects the filter: this is no newsletter, that is spam. The conversation moves at once, and from then on
// the company's word on the sender counts.
import type { EntityManager } from '@mikro-orm/postgresql';
import { NotFound } from '#domain/errors.ts';
import { SenderRule, setSenderRule } from '#domain/integrations/sender-rule.ts';
import { type Actor, actorId } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { startReclassifyFolderless } from '#domain/record/run-request.ts';
import { holdShownConversation } from './conversation.ts';
import { Message } from './message.ts';

/** @throws NotFound */
export async function correctKind(
  em: EntityManager,
  messageId: string,
  kind: 'personal' | 'newsletter' | 'spam',
  actor: Actor,
): Promise<void> {
  const message = await em.findOne(Message, { id: messageId, direction: 'inbound' });
  if (!message) throw new NotFound('message.not-found', 'This message does not exist.');
  const conversation = await holdShownConversation(em, message.conversationId);
  const before = { kind: message.kind ?? null };
  message.kind = kind;
  message.kindReason = 'corrected';
  conversation.kind = kind;
  if (kind === 'spam') conversation.changeStatus('spam');
  else if (conversation.status === 'spam') conversation.changeStatus('new');
  if (kind === 'personal') startReclassifyFolderless(em, conversation.tenantId);
  if (message.sender.address)
    await remember(
      em,
      message.tenantId,
      message.sender.address,
      kind === 'personal' ? 'allow' : kind === 'spam' ? 'block' : null,
      actor,
    );
  audit(em, actor, {
    action: 'message.corrected',
    subject: { kind: 'message', id: messageId },
    before,
    after: { kind },
  });
  announce(em, 'conversation.changed', conversation.id, {});
}

async function remember(
  em: EntityManager,
  tenantId: string,
  address: string,
  verdict: 'allow' | 'block' | null,
  actor: Actor,
): Promise<void> {
  if (verdict === null) await em.nativeDelete(SenderRule, { pattern: address });
  else await setSenderRule(em, tenantId, { pattern: address, verdict, createdById: actorId(actor) });
}
