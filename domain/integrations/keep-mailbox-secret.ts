// What opens a mailbox, kept sealed: one password for both servers, or the tokens of a consent. Whatever opened it before
// is forgotten.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Credential, type CredentialName, keepCredential } from '#domain/secrets/credential.ts';
import type { KeyRing } from '#domain/secrets/key-ring.ts';
import { keepTokens } from '#domain/secrets/oauth-tokens.ts';
import type { Integration } from './integration.ts';
import { isConsented, type MailboxTrialInput } from './mailbox-trial.ts';

const PASSWORDS: CredentialName[] = ['imap-password', 'smtp-password'];
const ALL: CredentialName[] = [...PASSWORDS, 'oauth-access-token', 'oauth-refresh-token'];

/** @param input of a trial that passed */
export async function keepMailboxSecret(
  em: EntityManager,
  keys: KeyRing,
  { id: ownerId, tenantId }: Integration,
  input: MailboxTrialInput,
): Promise<void> {
  const owner = { tenantId, ownerId };
  // The rows themselves go: a renewal of the consent before that is still under way has nowhere to store what it brings.
  await em.nativeDelete(Credential, { ownerId, name: { $in: ALL } });
  if (isConsented(input)) return keepTokens(em, keys, owner, input.consent.tokens!);
  for (const name of PASSWORDS) await keepCredential(em, keys, { ...owner, name, value: input.password });
}
