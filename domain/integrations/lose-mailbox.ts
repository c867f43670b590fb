// A mailbox whose password or consent no longer holds waits for a person. That is said once: on its page, in the audit
// trail, to open browsers and by one mail to the admins. Its cursor stays where it is.
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { SYSTEM } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { startTellOfLostMailbox } from '#domain/record/run-request.ts';
import { Integration } from './integration.ts';

/** @param sentence what the mailbox's page says of it; names the server or provider, never an address */
export async function loseMailbox(em: EntityManager, id: string, sentence: string): Promise<void> {
  // Two who find out in the same moment must not both be the first.
  const held = { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true } as const;
  const integration = await em.findOneOrFail(Integration, { id }, held);
  const before = integration.state;
  integration.failed(new Date(), sentence, true);
  if (integration.state === before) return;
  integration.reconnectToldAt = null;
  audit(em, SYSTEM, {
    action: 'integration.lost',
    subject: { kind: 'integration', id },
    before: { state: before },
    after: { state: integration.state, reason: sentence },
  });
  announce(em, 'settings.changed', null, { integrationId: id });
  startTellOfLostMailbox(em, integration.tenantId, id);
}

/**
 * Claims the one mail about it.
 * @returns false when it has been sent, or nobody has to be told any more
 */
export async function claimLossNotice(em: EntityManager, id: string): Promise<boolean> {
  const claimed = await em.nativeUpdate(
    Integration,
    { id, state: 'reconnect', removedAt: null, reconnectToldAt: null },
    { reconnectToldAt: new Date() },
  );
  return claimed === 1;
}

/** The mail server did not take it: it may be tried again. */
export async function releaseLossNotice(em: EntityManager, id: string): Promise<void> {
  await em.nativeUpdate(Integration, { id }, { reconnectToldAt: null });
}
