// The access token of a mailbox that is opened by consent: the stored one while it is good, and a new one from its
// provider when four fifths of its life are over or a server refused it. One worker renews at a time and stores both
// tokens before it uses one. When it dies between the provider's answer and the store, its lease runs out and the refresh
// token before is used again, which providers accept for a while after they have rotated it.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { faultPoint } from '#domain/fault-point.ts';
import { loseMailbox } from '#domain/integrations/lose-mailbox.ts';
import type { OAuthProvider } from '#domain/integrations/oauth-provider.ts';
import { OAUTH_LABELS, type OAuthProviderName } from '#domain/rules/words.ts';
import {
  beginRenewal,
  endRenewal,
  keepTokens,
  type OAuthTokens,
  readAccessToken,
} from '#domain/secrets/oauth-tokens.ts';
import type { Dependencies } from './dependencies.ts';
import { final, later } from './failures.ts';
import { renewTokens } from './providers/oauth.ts';

const LOOK_EVERY_MS = 100;
/** A renewer that died is believed in for half of it. */
const WAIT_AT_MOST_MS = 30_000;

export type MailboxRef = { tenantId: string; integrationId: string };

type Access = Pick<Dependencies, 'database' | 'keys' | 'oauth'>;

/**
 * @param refused the token a server did not take: that one is not given again
 * @throws ApplicationFailure as failures.ts says; with `mailbox-consent-revoked` the mailbox waits for a person
 */
export async function accessTokenOf(
  access: Access,
  ref: MailboxRef,
  name: OAuthProviderName,
  refused: string | null = null,
): Promise<string> {
  const provider = access.oauth[name];
  if (!provider)
    throw final('oauth-client-refused', `${OAUTH_LABELS[name]} refused this installation (not registered).`);
  const giveUpAt = Date.now() + WAIT_AT_MOST_MS;
  while (Date.now() < giveUpAt) {
    const { token, renewal } = await tokenOrRenewal(access, ref, refused);
    const usable = renewal ? await renew(access, ref, provider, renewal) : token;
    if (usable) return usable;
    if (!renewal) await delay(LOOK_EVERY_MS);
  }
  throw later('oauth-unreachable', `${provider.label} gives no access for now.`);
}

type Renewal = {
  by: string;
  refreshToken: string;
  /** The token before, where it can still be used. */
  meanwhile: string | null;
};

/** The stored token, or the right to renew it, or neither while somebody else renews it. */
function tokenOrRenewal(
  { database, keys }: Access,
  { tenantId, integrationId }: MailboxRef,
  refused: string | null,
): Promise<{ token?: string; renewal?: Renewal }> {
  return database.inTenant(tenantId, async (em) => {
    const read = async () => {
      const { value, isDue, isOver } = await readAccessToken(em, keys, integrationId);
      const usable = value === refused || isOver ? null : value;
      return { usable, isGood: usable !== null && !isDue };
    };
    const before = await read();
    if (before.isGood) return { token: before.usable! };
    const by = randomUUID();
    const refreshToken = await beginRenewal(em, keys, integrationId, by);
    if (!refreshToken) return before.usable ? { token: before.usable } : {};
    // Somebody may have finished renewing between the look and the claim.
    const now = await read();
    if (!now.isGood) return { renewal: { by, refreshToken, meanwhile: now.usable } };
    await endRenewal(em, integrationId, by);
    return { token: now.usable! };
  });
}

/** @returns the new token; null when the right to renew was lost meanwhile, and what is stored must be looked at again */
async function renew(
  access: Access,
  ref: MailboxRef,
  provider: OAuthProvider,
  { by, refreshToken, meanwhile }: Renewal,
): Promise<string | null> {
  let tokens: OAuthTokens;
  try {
    tokens = await renewTokens(provider, refreshToken);
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    if (!(await giveUpRenewal(access, ref, by, error))) return null;
    if (meanwhile && !error.nonRetryable) return meanwhile;
    throw error;
  }
  await faultPoint('oauth.before_store');
  const isStored = await access.database.inTenant(ref.tenantId, async (em) => {
    if (!(await endRenewal(em, ref.integrationId, by))) return false;
    await keepTokens(em, access.keys, { tenantId: ref.tenantId, ownerId: ref.integrationId }, tokens);
    return true;
  });
  return isStored ? tokens.accessToken : null;
}

/** @returns false when another worker renews by now: what this one heard says nothing of the token that is stored */
function giveUpRenewal(
  { database }: Access,
  { tenantId, integrationId }: MailboxRef,
  by: string,
  failure: ApplicationFailure,
): Promise<boolean> {
  return database.inTenant(tenantId, async (em) => {
    if (!(await endRenewal(em, integrationId, by))) return false;
    if (failure.type === 'mailbox-consent-revoked') await loseMailbox(em, integrationId, failure.message);
    return true;
  });
}
