// A mail as the pure rules judge it: what the reader found, and what only the installation knows.
import type { MailTraits } from '#domain/rules/mail-traits.ts';
import type { IncomingMessage } from './incoming-message.ts';

/** What no header tells: the company's addresses, its list of senders, whether it wrote before, and where the mail lay. */
type KnownOfCompany = Pick<MailTraits, 'ownAddresses' | 'senderRules' | 'answersUs' | 'ownMessageId' | 'inJunk'>;

export function mailTraitsOf(mail: IncomingMessage, known: KnownOfCompany): MailTraits {
  return {
    headers: mail.headers,
    senderAddress: mail.sender.address,
    senderName: mail.sender.name,
    returnPath: mail.returnPath,
    contentType: mail.contentType,
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    ...known,
  };
}
