// The providers that open a mailbox by consent, as people call them.
import { OAUTH_LABELS } from '../../../../domain/rules/words.ts';
import type { OAuthProvider } from '../api.ts';

export function providerWord(provider: OAuthProvider): string {
  return OAUTH_LABELS[provider];
}
