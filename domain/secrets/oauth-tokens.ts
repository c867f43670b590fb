// The tokens of a mailbox that is opened by consent. Providers rotate the refresh token: the new one is stored in the
// transaction of the access token it came with, and only one worker at a time may renew. What holds the others off is a
// lease and no open transaction, because a provider may take long to answer and connections are few.
import type { EntityManager } from '@mikro-orm/postgresql';
import { NotFound } from '#domain/errors.ts';
import { Credential, keepCredential, revealCredential } from './credential.ts';
import type { KeyRing } from './key-ring.ts';

/** Times are ISO, because tokens also wait in the sealed JSON of a trial. */
export type OAuthTokens = { accessToken: string; refreshToken: string; renewAt: string; expiresAt: string };

/** Longer than a provider is waited for; a renewer that died is believed in no longer. */
const LEASE_MS = 15_000;

type Owner = { tenantId: string; ownerId: string };

export async function keepTokens(
  em: EntityManager,
  keys: KeyRing,
  owner: Owner,
  { accessToken, refreshToken, renewAt, expiresAt }: OAuthTokens,
): Promise<void> {
  await keepCredential(em, keys, { ...owner, name: 'oauth-refresh-token', value: refreshToken });
  const times = { renewAt: new Date(renewAt), expiresAt: new Date(expiresAt) };
  await keepCredential(em, keys, { ...owner, name: 'oauth-access-token', value: accessToken, ...times });
}

export type AccessToken = { value: string; isDue: boolean; isOver: boolean };

/** @throws NotFound when the mailbox was never opened by consent */
export async function readAccessToken(em: EntityManager, keys: KeyRing, ownerId: string): Promise<AccessToken> {
  const stored = await em.findOne(Credential, { ownerId, name: 'oauth-access-token' }, { refresh: true });
  if (!stored)
    throw new NotFound('credential.missing', 'This mailbox has no consent: connect it again in the settings.');
  const { renewAt, expiresAt } = stored;
  const now = new Date();
  return { value: stored.reveal(keys), isDue: !renewAt || renewAt <= now, isOver: !expiresAt || expiresAt <= now };
}

/**
 * Takes the right to renew.
 * @returns the refresh token to do it with, or null while somebody else renews
 */
export async function beginRenewal(
  em: EntityManager,
  keys: KeyRing,
  ownerId: string,
  by: string,
): Promise<string | null> {
  const taken = await em.execute<{ affectedRows: number }>(
    `update credential set renewing_by = ?, renewing_until = now() + ? * interval '1 millisecond'
      where owner_id = ? and name = 'oauth-refresh-token' and (renewing_until is null or renewing_until < now())`,
    [by, LEASE_MS, ownerId],
    'run',
  );
  if (taken.affectedRows !== 1) return null;
  return revealCredential(em, keys, ownerId, 'oauth-refresh-token');
}

/**
 * Gives the right back, and holds the row until the transaction has ended.
 * @returns false when it was lost meanwhile: what this renewal brought must not replace what another one stored
 */
export async function endRenewal(em: EntityManager, ownerId: string, by: string): Promise<boolean> {
  const ended = await em.execute<{ affectedRows: number }>(
    `update credential set renewing_by = null, renewing_until = null
      where owner_id = ? and name = 'oauth-refresh-token' and renewing_by = ?`,
    [ownerId, by],
    'run',
  );
  return ended.affectedRows === 1;
}
