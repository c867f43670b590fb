// Google and Microsoft as this installation knows them: where consent is asked for, what is asked, where tokens come
// from, and the servers of their mailboxes. Nothing here speaks to them.
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { OAUTH_LABELS, type OAuthProviderName } from '#domain/rules/words.ts';
import { mailServerFrom, type ServerAddress } from './mail-server-url.ts';

const MICROSOFT = 'https://login.microsoftonline.com/{tenant}';

/** Without an id and a secret a provider is not offered; the addresses are for national clouds and stand-ins. */
export const oauthSettings = {
  GOOGLE_CLIENT_ID: z.string().optional(),
  GOOGLE_CLIENT_SECRET: z.string().optional(),
  GOOGLE_ISSUER: z.url().default('https://accounts.google.com'),
  GOOGLE_AUTHORIZE_URL: z.url().default('https://accounts.google.com/o/oauth2/v2/auth'),
  GOOGLE_TOKEN_URL: z.url().default('https://oauth2.googleapis.com/token'),
  GOOGLE_IMAP_URL: z.url().default('imaps://imap.gmail.com'),
  GOOGLE_SMTP_URL: z.url().default('smtps://smtp.gmail.com'),
  MICROSOFT_CLIENT_ID: z.string().optional(),
  MICROSOFT_CLIENT_SECRET: z.string().optional(),
  MICROSOFT_TENANT: z.string().default('common'),
  MICROSOFT_ISSUER: z.url().default(`${MICROSOFT}/v2.0`),
  MICROSOFT_AUTHORIZE_URL: z.url().default(`${MICROSOFT}/oauth2/v2.0/authorize`),
  MICROSOFT_TOKEN_URL: z.url().default(`${MICROSOFT}/oauth2/v2.0/token`),
  MICROSOFT_IMAP_URL: z.url().default('imaps://outlook.office365.com'),
  MICROSOFT_SMTP_URL: z.url().default('smtp://smtp.office365.com'),
};

type OAuthSettings = z.output<z.ZodObject<typeof oauthSettings>>;

export type OAuthProvider = {
  /** As people call it. */
  label: string;
  clientId: string;
  clientSecret: string;
  /** `{tenant}` in it is the organisation of whoever consented: Microsoft has an issuer for each. */
  issuer: string;
  authorizeUrl: string;
  tokenUrl: string;
  mailScopes: string[];
  scopes: string[];
  /** What makes the provider give a refresh token, and let people choose the account. */
  asking: Record<string, string>;
  imap: ServerAddress;
  smtp: ServerAddress;
};

export type OAuthProviders = Partial<Record<OAuthProviderName, OAuthProvider>>;

/** The providers this installation is registered with. */
export function oauthProvidersFrom(settings: OAuthSettings): OAuthProviders {
  const providers: OAuthProviders = {};
  const { GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, MICROSOFT_CLIENT_ID, MICROSOFT_CLIENT_SECRET } = settings;
  if (GOOGLE_CLIENT_ID && GOOGLE_CLIENT_SECRET)
    providers.google = google(settings, GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET);
  if (MICROSOFT_CLIENT_ID && MICROSOFT_CLIENT_SECRET)
    providers.microsoft = microsoft(settings, MICROSOFT_CLIENT_ID, MICROSOFT_CLIENT_SECRET);
  return providers;
}

function google(settings: OAuthSettings, clientId: string, clientSecret: string): OAuthProvider {
  const mailScopes = ['https://mail.google.com/'];
  return {
    label: OAUTH_LABELS.google,
    clientId,
    clientSecret,
    issuer: settings.GOOGLE_ISSUER,
    authorizeUrl: settings.GOOGLE_AUTHORIZE_URL,
    tokenUrl: settings.GOOGLE_TOKEN_URL,
    mailScopes,
    scopes: [...mailScopes, 'openid', 'email'],
    // Google gives a refresh token with the first consent only, unless it is asked to consent again.
    asking: { access_type: 'offline', prompt: 'select_account consent' },
    imap: mailServerFrom(new URL(settings.GOOGLE_IMAP_URL)),
    smtp: mailServerFrom(new URL(settings.GOOGLE_SMTP_URL)),
  };
}

function microsoft(settings: OAuthSettings, clientId: string, clientSecret: string): OAuthProvider {
  const mailScopes = ['IMAP.AccessAsUser.All', 'SMTP.Send'].map((name) => `https://outlook.office.com/${name}`);
  const ofTenant = (url: string) => url.replace('{tenant}', encodeURIComponent(settings.MICROSOFT_TENANT));
  return {
    label: OAUTH_LABELS.microsoft,
    clientId,
    clientSecret,
    issuer: settings.MICROSOFT_ISSUER,
    authorizeUrl: ofTenant(settings.MICROSOFT_AUTHORIZE_URL),
    tokenUrl: ofTenant(settings.MICROSOFT_TOKEN_URL),
    mailScopes,
    // `profile` brings the name the account signs in with, which is what its mailbox is opened by.
    scopes: [...mailScopes, 'offline_access', 'openid', 'email', 'profile'],
    asking: { prompt: 'select_account' },
    imap: mailServerFrom(new URL(settings.MICROSOFT_IMAP_URL)),
    smtp: mailServerFrom(new URL(settings.MICROSOFT_SMTP_URL)),
  };
}

/** What binds the answer of a provider to the question: none of it leaves the server but through `authorizationUrl`. */
export type ConsentSecrets = { state: string; verifier: string; nonce: string };

export function newConsentSecrets(trialId: string): ConsentSecrets {
  const random = () => randomBytes(32).toString('base64url');
  return { state: `${trialId}.${random()}`, verifier: random(), nonce: random() };
}

/** Where the browser goes to consent (RFC 6749, 4.1.1, with PKCE of RFC 7636). */
export function authorizationUrl(
  provider: OAuthProvider,
  { state, verifier, nonce }: ConsentSecrets,
  redirectUri: string,
  address: string | null,
): string {
  const url = new URL(provider.authorizeUrl);
  const parameters = {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: redirectUri,
    scope: provider.scopes.join(' '),
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...provider.asking,
    ...(address ? { login_hint: address } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
