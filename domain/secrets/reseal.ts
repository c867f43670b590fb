// Key rotation: everything a company has sealed is sealed again under the current key. Values of both keys open while it
// runs, so nothing has to stop; once it is done for every company the old key can go.
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Credential } from './credential.ts';
import type { KeyRing } from './key-ring.ts';
import { Trial } from './trial.ts';

/** @returns how many values were sealed again; 0 when all were under the current key already */
export async function resealTenant(em: EntityManager, keys: KeyRing): Promise<number> {
  // Held, so that a secret that is changed meanwhile is not overwritten with the one before.
  const held = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;
  const credentials = await em.find(Credential, {}, held);
  const trials = await em.find(Trial, { expiresAt: { $gt: new Date() } }, held);
  const resealed = [...credentials, ...trials].filter((row) => row.reseal(keys));
  await em.flush();
  return resealed.length;
}
