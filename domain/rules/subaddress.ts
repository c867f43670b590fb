// Subaddresses (RFC 5233): many servers deliver `support+anything@acme.test` to `support@acme.test`. Ours carries the
// secret of one mail of ours, so that an answer finds its conversation although every Message-ID was dropped or rewritten
// on the way.
import { domainOf, normaliseAddress } from './email-address.ts';

const LOCAL_PART_CHARACTERS = 64; // RFC 5321 4.5.3.1.1
const TAG = /\+r\.([0-9a-f]{32})@/i;
const OUR_MESSAGE_ID = /^relais\.[0-9a-f-]{36}\.([0-9a-f]{32})@/;

/** @param secret 32 hex digits nobody can guess */
export function ourMessageId(replyId: string, secret: string, from: string | null): string {
  return `relais.${replyId}.${secret}@${domainOf(from ?? '') ?? 'relais.invalid'}`;
}

/** @returns the address that leads back to the mail with this Message-ID; null where it would be too long to be delivered */
export function replyAddress(address: string, messageId: string): string | null {
  const secret = OUR_MESSAGE_ID.exec(messageId)?.[1];
  const own = normaliseAddress(address);
  if (!secret || !own) return null;
  const local = `${own.slice(0, own.lastIndexOf('@'))}+r.${secret}`;
  return local.length <= LOCAL_PART_CHARACTERS ? `${local}${own.slice(own.lastIndexOf('@'))}` : null;
}

/** @returns the secrets that stand in addresses a mail was sent to, each once, in lower case */
export function replySecretsIn(addresses: readonly string[]): string[] {
  return [...new Set(addresses.flatMap((address) => TAG.exec(address)?.[1]?.toLowerCase() ?? []))];
}

/** The address as it is known: `support@acme.test` of `support+r.SECRET@acme.test`. */
export function withoutReplySecret(address: string): string {
  return address.replace(TAG, '@');
}

/**
 * Whether a mailbox takes subaddresses without anybody having said so: where the provider does and no administrator can
 * switch it off, and the address is the account's own rather than one that is forwarded to it.
 */
export function usuallyTakesSubaddresses(imapHost: string, username: string, address: string): boolean {
  const own = normaliseAddress(address);
  if (!own || own !== normaliseAddress(username)) return false;
  if (/^imap\.(gmail|fastmail|mail\.me)\.com$/i.test(imapHost)) return true;
  return /^outlook\.office365\.com$/i.test(imapHost) && /@(outlook|hotmail|live|msn)\.[a-z.]+$/.test(own);
}
