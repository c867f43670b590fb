// A secret of a company (mailbox password, webhook secret, API key), sealed. Its only readers are the activities that
// use it and the webhook door that checks a signature; no screen and no log ever gets it back.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { NotFound } from '#domain/errors.ts';
import { instant, newId, tenantOwned } from '#domain/tenancy/tenant-owned.ts';
import { KeyRing, type SealedPlace } from './key-ring.ts';

export type CredentialName =
  | 'imap-password'
  | 'smtp-password'
  | 'oauth-access-token'
  | 'oauth-refresh-token'
  | 'webhook-secret'
  | 'webhook-secret-previous'
  | 'vonage-api-secret'
  | 'vonage-private-key'
  | 'vonage-signature-secret'
  | 'vonage-signature-secret-previous'
  | 'model-key';

const CredentialSchema = defineEntity({
  name: 'Credential',
  properties: {
    ...tenantOwned,
    /** The integration it belongs to, or the tenant itself. */
    ownerId: p.uuid(),
    name: p.string().length(40).$type<CredentialName>(),
    sealed: p.text().hidden(),
    /** A secret that was rotated works until then. */
    expiresAt: instant().nullable(),
    /** An access token is renewed from then on, before it expires. */
    renewAt: instant().nullable(),
    /** Who renews by this refresh token, and until when that is believed. */
    renewingBy: p.uuid().nullable(),
    renewingUntil: instant().nullable(),
  },
  uniques: [{ properties: ['tenantId', 'ownerId', 'name'] }],
});

export class Credential extends CredentialSchema.class {
  isOver(now = new Date()): boolean {
    return this.expiresAt != null && this.expiresAt < now;
  }

  /** Opens the seal. Keep the result out of logs, errors and workflow payloads. */
  reveal(keys: KeyRing): string {
    return keys.open(this.place(), this.sealed);
  }

  /** Seals the value again under the current key; false when it already is. */
  reseal(keys: KeyRing): boolean {
    if (KeyRing.keyIdOf(this.sealed) === keys.currentKeyId) return false;
    this.sealed = keys.seal(this.place(), this.reveal(keys));
    return true;
  }

  private place(): SealedPlace {
    return credentialPlace(this.tenantId, this.id);
  }
}
CredentialSchema.setClass(Credential);

/** Keeps a secret for an owner, replacing the one of that name. */
export async function keepCredential(
  em: EntityManager,
  keys: KeyRing,
  secret: { tenantId: string; ownerId: string; name: CredentialName; value: string; expiresAt?: Date; renewAt?: Date },
): Promise<void> {
  const existing = await em.findOne(Credential, { ownerId: secret.ownerId, name: secret.name });
  const id = existing?.id ?? newId();
  const sealed = keys.seal(credentialPlace(secret.tenantId, id), secret.value);
  const times = { expiresAt: secret.expiresAt ?? null, renewAt: secret.renewAt ?? null };
  if (existing) em.assign(existing, { sealed, ...times });
  else em.create(Credential, { id, ownerId: secret.ownerId, name: secret.name, sealed, ...times });
}

/** @throws NotFound when the owner has no secret of that name */
export async function revealCredential(
  em: EntityManager,
  keys: KeyRing,
  ownerId: string,
  name: CredentialName,
): Promise<string> {
  const credential = await em.findOne(Credential, { ownerId, name });
  if (!credential) throw new NotFound('credential.missing', `No ${name} is stored: enter it again in the settings.`);
  return credential.reveal(keys);
}

function credentialPlace(tenantId: string, id: string): SealedPlace {
  return { tenantId, table: 'credential', column: 'sealed', row: id };
}
