// Who may have a file: everybody of its company, unless it is kept back. Then an admin may, who asks for it in spite of the
// warning, and that is on record.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Forbidden, NotFound } from '#domain/errors.ts';
import type { Actor } from '#domain/people/actor.ts';
import { hasRole, type Role } from '#domain/people/role.ts';
import { audit } from '#domain/record/audit-event.ts';
import { isKeptBack } from '#domain/rules/file-verdict.ts';
import { Conversation } from './conversation.ts';
import { Attachment, Message } from './message.ts';

/**
 * @param anyway the warning was read
 * @throws NotFound, also when its conversation was deleted; Forbidden when the file is kept back
 */
export async function openAttachment(
  em: EntityManager,
  { role, actor }: { role: Role; actor: Actor },
  id: string,
  anyway: boolean,
): Promise<Attachment> {
  const file = hasRole(role, 'viewer') ? await em.findOne(Attachment, { id }) : null;
  if (!file || !(await isShown(em, file.messageId)))
    throw new NotFound('attachment.not-found', 'This attachment does not exist.');
  if (!isKeptBack(file.verdict)) return file;
  const reason = file.verdictReason ?? null;
  if (!anyway || !hasRole(role, 'admin')) {
    throw new Forbidden(
      'attachment.kept-back',
      'This file could harm your computer: ask an admin, who can download it after a warning.',
      { verdict: file.verdict, reason },
    );
  }
  audit(em, actor, {
    action: 'attachment.downloaded_anyway',
    subject: { kind: 'attachment', id },
    after: { verdict: file.verdict, reason },
  });
  return file;
}

async function isShown(em: EntityManager, messageId: string): Promise<boolean> {
  const message = await em.findOne(Message, { id: messageId });
  return message !== null && (await em.count(Conversation, { id: message.conversationId, deletedAt: null })) > 0;
}
