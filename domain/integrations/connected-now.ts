// An account that was removed and connected again is another integration under the same address; what was begun by the
// one goes on by the other.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Integration } from './integration.ts';

/** @returns the integration itself, or the one that has taken its place; null when the account is connected no more */
export async function connectedNow(em: EntityManager, id: string): Promise<Integration | null> {
  const origin = await em.findOneOrFail(Integration, { id });
  if (!origin.removedAt) return origin;
  return em.findOne(Integration, { channel: origin.channel, address: origin.address, removedAt: null });
}
