// What a trial of a mailbox holds, sealed: servers, and either the password that was typed or the consent that was asked
// for at a provider.
import type { OAuthProviderName } from '#domain/rules/words.ts';
import type { OAuthTokens } from '#domain/secrets/oauth-tokens.ts';
import type { MailServer } from './integration.ts';
import type { ConsentSecrets } from './oauth-provider.ts';

type Servers = { address: string; imap: MailServer; smtp: MailServer };

export type TypedMailbox = Servers & { password: string };

export type ConsentedMailbox = Servers & { consent: Consent };

export type MailboxTrialInput = TypedMailbox | ConsentedMailbox;

export type Consent = ConsentSecrets & {
  provider: OAuthProviderName;
  /** Whoever asked is the only one who may come back with the answer. */
  userId: string;
  redirectUri: string;
  /** The mailbox that is to be opened again; null when it is a new one. */
  integrationId: string | null;
  /** The query the provider sent the browser back with. */
  answer: string | null;
  tokens: OAuthTokens | null;
};

export function isConsented(input: MailboxTrialInput): input is ConsentedMailbox {
  return 'consent' in input;
}
