// The token endpoint of a mailbox's provider (RFC 6749): an answered consent becomes tokens, and a refresh token becomes
// new ones.
import * as oauth from 'oauth4webapi';
import type { Consent } from '#domain/integrations/mailbox-trial.ts';
import type { OAuthProvider } from '#domain/integrations/oauth-provider.ts';
import type { OAuthTokens } from '#domain/secrets/oauth-tokens.ts';
import { final, oauthFailure } from '../failures.ts';

const ANSWER_WITHIN_MS = 10_000;
/** RFC 6749, 5.1 only recommends that a provider says how long its token lives. */
const USUAL_LIFE_SECONDS = 3600;
/** A token is renewed at this part of its life, so that a provider's bad hour is over before it expires. */
const RENEW_AT = 0.8;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3})$/i;

export type Consented = { tokens: OAuthTokens; address: string | null };

/** @throws ApplicationFailure as failures.ts says; `oauth-denied` when the person did not consent */
export async function exchangeConsent(provider: OAuthProvider, consent: Consent): Promise<Consented> {
  try {
    const answer = new URLSearchParams(consent.answer ?? '');
    const client = { client_id: provider.clientId };
    // Microsoft names the issuer of the person's own organisation, which is known from the identity token only.
    const known = provider.issuer.includes('{tenant}') ? withoutIssuer(answer) : answer;
    const parameters = oauth.validateAuthResponse(serverOf(provider), client, known, consent.state);
    const response = await oauth.authorizationCodeGrantRequest(
      serverOf(provider),
      client,
      oauth.ClientSecretPost(provider.clientSecret),
      parameters,
      consent.redirectUri,
      consent.verifier,
      requestOptions(provider),
    );
    const server = serverOf(provider, response.ok ? await organisationOf(response) : undefined);
    const granted = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: consent.nonce,
      requireIdToken: true,
    });
    if (!coversMail(provider, granted.scope)) {
      throw final('oauth-scope-missing', `${provider.label} was not allowed to hand over the mail.`);
    }
    if (!granted.refresh_token)
      throw final('oauth-client-refused', `${provider.label} refused this installation (no refresh token).`);
    return { tokens: tokensFrom(granted, granted.refresh_token), address: addressIn(granted) };
  } catch (error) {
    throw oauthFailure(error, provider.label);
  }
}

/** @throws ApplicationFailure as failures.ts says; `mailbox-consent-revoked` when only a person can help */
export async function renewTokens(provider: OAuthProvider, refreshToken: string): Promise<OAuthTokens> {
  const client = { client_id: provider.clientId };
  try {
    const response = await oauth.refreshTokenGrantRequest(
      serverOf(provider),
      client,
      oauth.ClientSecretPost(provider.clientSecret),
      refreshToken,
      requestOptions(provider),
    );
    const server = serverOf(provider, response.ok ? await organisationOf(response) : undefined);
    const granted = await oauth.processRefreshTokenResponse(server, client, response);
    // Who does not rotate sends none, and the one before stays.
    return tokensFrom(granted, granted.refresh_token ?? refreshToken);
  } catch (error) {
    throw oauthFailure(error, provider.label);
  }
}

function serverOf(provider: OAuthProvider, organisation?: string): oauth.AuthorizationServer {
  const issuer = organisation ? provider.issuer.replace('{tenant}', organisation) : provider.issuer;
  return { issuer, token_endpoint: provider.tokenUrl };
}

function requestOptions(provider: OAuthProvider): oauth.TokenEndpointRequestOptions {
  return {
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    [oauth.allowInsecureRequests]: LOOPBACK.test(new URL(provider.tokenUrl).hostname),
  };
}

function withoutIssuer(answer: URLSearchParams): URLSearchParams {
  const copy = new URLSearchParams(answer);
  copy.delete('iss');
  return copy;
}

// Read before the token is checked, because the issuer it is checked against depends on it. It came from the provider
// itself, over TLS.
async function organisationOf(response: Response): Promise<string | undefined> {
  const body = (await response
    .clone()
    .json()
    .catch(() => null)) as { id_token?: unknown } | null;
  const [, payload] = String(body?.id_token ?? '').split('.');
  if (!payload) return undefined;
  const { tid } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { tid?: unknown };
  return typeof tid === 'string' ? tid : undefined;
}

// At Google each permission can be unticked on its own. A provider that says nothing granted everything (RFC 6749, 5.1).
function coversMail({ mailScopes }: OAuthProvider, granted: string | undefined): boolean {
  if (granted === undefined) return true;
  const given = new Set(granted.toLowerCase().split(' '));
  return mailScopes.every((scope) => given.has(scope.toLowerCase()));
}

function tokensFrom(granted: oauth.TokenEndpointResponse, refreshToken: string): OAuthTokens {
  const lifeMs = (granted.expires_in ?? USUAL_LIFE_SECONDS) * 1000;
  const now = Date.now();
  return {
    accessToken: granted.access_token,
    refreshToken,
    renewAt: new Date(now + lifeMs * RENEW_AT).toISOString(),
    expiresAt: new Date(now + lifeMs).toISOString(),
  };
}

// Microsoft opens a mailbox by the name its account signs in with, which is not always an address of it.
function addressIn(granted: oauth.TokenEndpointResponse): string | null {
  const claims = oauth.getValidatedIdTokenClaims(granted);
  const named = claims?.preferred_username ?? claims?.email;
  return typeof named === 'string' && named.includes('@') ? named.toLowerCase() : null;
}
