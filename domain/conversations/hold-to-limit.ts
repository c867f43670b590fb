// Keeps what leaves by a mailbox to what its provider allows. A mail beyond that is given the next free moment on its
// row, where the screens read it and its run waits for it.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Integration } from '#domain/integrations/integration.ts';
import { announce } from '#domain/record/event.ts';
import { nextMoment, periodOf, type SendingLimit, usualLimit } from '#domain/rules/sending-limit.ts';
import { Reply } from './reply.ts';

export const SENDING_LIMIT = 'sending-limit';

/**
 * Called before a reply is taken for an attempt, in the same transaction: one at a time for each mailbox.
 * @returns whether it has to wait
 */
export async function heldByLimit(em: EntityManager, replyId: string): Promise<boolean> {
  const reply = await em.findOneOrFail(Reply, { id: replyId });
  if (!reply.integrationId || reply.state !== 'approved') return false;
  const mailbox = await em.findOneOrFail(Integration, { id: reply.integrationId });
  if (mailbox.channel !== 'email') return false;
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [mailbox.id]);
  const now = Date.now();
  const until = Math.max(await freeMoment(em, reply, mailbox, now), mailbox.sendingPausedUntil?.getTime() ?? 0);
  if (until <= now) return false;
  await em.nativeUpdate(
    Reply,
    { id: replyId, state: 'approved' },
    { notBefore: new Date(until), scheduled: false, failure: SENDING_LIMIT },
  );
  announce(em, 'reply.changed', reply.conversationId, { replyId, messageId: reply.messageId, state: 'approved' });
  return true;
}

/** The provider has said that it is too much: nothing more leaves by this mailbox for a while. */
export async function pauseSending(em: EntityManager, integrationId: string, pauseMs: number): Promise<void> {
  await em.nativeUpdate(Integration, { id: integrationId }, { sendingPausedUntil: new Date(Date.now() + pauseMs) });
}

async function freeMoment(em: EntityManager, reply: Reply, mailbox: Integration, now: number): Promise<number> {
  const limit = limitOf(mailbox);
  const others = { integrationId: mailbox.id, id: { $ne: reply.id } };
  const left = await em.find(
    Reply,
    { ...others, attemptedAt: { $gt: new Date(now - periodOf(limit)) } },
    { orderBy: { attemptedAt: 'desc' }, limit: limit.count, fields: ['attemptedAt'] },
  );
  const moments = left.map(({ attemptedAt }) => attemptedAt!.getTime());
  // Whoever has waited for its moment needs no other one because of those who come after it.
  if (reply.failure === SENDING_LIMIT && nextMoment(moments, limit, now) <= now) return now;
  const promised = await em.find(
    Reply,
    { ...others, state: 'approved', failure: SENDING_LIMIT, notBefore: { $gt: new Date(now) } },
    { orderBy: { notBefore: 'desc' }, limit: limit.count, fields: ['notBefore'] },
  );
  return nextMoment([...moments, ...promised.map(({ notBefore }) => notBefore.getTime())], limit, now);
}

function limitOf(mailbox: Integration): SendingLimit {
  const { smtp, sendingLimit } = mailbox.mailboxSettings();
  return sendingLimit ?? usualLimit(smtp.host, mailbox.address);
}
