// A mail as the pure rules judge it: what the reader found, and what only the installation knows.
import type { MailTraits } from '#domain/rules/mail-traits.ts';
import type { IncomingAttachment, IncomingMessage } from './incoming-message.ts';

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
    acceptsInvitation: mail.attachments.some(isAcceptance),
    ...known,
  };
}

const CALENDAR_CHARACTERS = 20_000;

function isAcceptance({ type, content }: IncomingAttachment): boolean {
  if (!/^(text\/calendar|application\/ics)$/i.test(type)) return false;
  const calendar = content.subarray(0, CALENDAR_CHARACTERS).toString('latin1');
  // Long lines are folded anywhere (RFC 5545 3.1).
  const lines = calendar.replace(/\r?\n[ \t]/g, '');
  return /^METHOD:REPLY\s*$/im.test(lines) && /^ATTENDEE\b[^\n]*;PARTSTAT=ACCEPTED\b/im.test(lines);
}
