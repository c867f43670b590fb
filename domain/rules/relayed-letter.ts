// A person's words that a machine carries: a website's form, a marketplace, a calendar, another company's ticket
// system. Such mails say that they are generated (Auto-Submitted, Feedback-ID), and yet a client waits for an answer.
import { domainOf, isMailSystem, isNoReply, normaliseAddress } from './email-address.ts';
import { foldText } from './folded-text.ts';
import { type HeaderLine, headerLine, keyword, type MailTraits } from './mail-traits.ts';

const READ_CHARACTERS = 5000;

/** Each sender stands for one buyer or guest, and passes answers on to that person. */
const MARKETPLACES =
  /(^|\.)(marketplace\.amazon\.[a-z.]{2,6}|members\.ebay\.[a-z.]{2,6}|messagerie\.leboncoin\.fr|mail\.kleinanzeigen\.de|guest\.booking\.com|reply\.airbnb\.com)$/;
const CALENDARS = ['calendar-notification@google.com'];
const TICKET_SYSTEMS = /zendesk|freshdesk|freshworks|help ?scout|gorgias|intercom|front app/i;
const FIELD =
  /^[ \t>*]*(?:(?:[\p{L} '’-]{0,30}(?:e-?mail|courriel|correo|mail)[\p{L} '’-]{0,20}|de|from|von|nom|name)\s?:[ \t]*\n?[^\n]{3,200}|[^\s@<>]{1,64}@[^\s@<>]{3,190}[ \t]*$)/gimu;
/** `Sunny (via Etsy)`, `Anna Keller via Booking.com`. */
const VIA = /\bvia \p{L}/iu;
/** An address made for one conversation: answers to it reach the person. */
const MADE_FOR_ONE = /^[^@]*(?:\d[^@]*){3}@|^[^@+]+\+[^@]{4,}@/;
const CONVERSATION = /^(reply|replies|conv|convo|conversation|msg|message|chat|guest|buyer)\+[^@]{6,}@/;
/** What marketplaces of any name put above a person's words. */
const ANNOUNCED =
  /vous a (ecrit|envoye un (nouveau )?message)|vous avez (recu )?un (nouveau )?message|you('ve| have) (received |got )?a (new )?message|sent you a (new )?message|wrote to you|hat ihnen (geschrieben|eine nachricht)|sie haben eine (neue )?nachricht|te ha (escrito|enviado un mensaje)|has recibido un (nuevo )?mensaje/;
const ANNOUNCED_WITHIN = 300;
/** What a ticket system writes by itself when a mail has come in. */
const ACKNOWLEDGED =
  /(demande|message|ticket|e-?mail)[^.\n]{0,40} (a (bien )?ete (recue?|enregistree?|creee?)|est en cours de traitement)|nous avons bien recu|(request|message|ticket|e-?mail)[^.\n]{0,40} (has been|was) (received|created|logged)|we('ve| have) received|thank you for (contacting|reaching)|wir haben ihre?n? [^.\n]{0,30}(erhalten|bekommen)|vielen dank fur ihre (anfrage|nachricht)|hemos recibido|automatic(ally)? generated/;

/** @returns the header line that shows who speaks; null when no person can be seen behind the machine */
export function relayedLetter(mail: MailTraits): HeaderLine | null {
  const submitted = headerLine(mail.headers, 'auto-submitted')?.value ?? '';
  // A machine's answer carries nobody's words (RFC 3834).
  if (keyword(submitted) === 'auto-replied' || headerLine(mail.headers, 'list-id')) return null;
  return marketplaceLine(mail) ?? viaLine(mail) ?? invitationLine(mail) ?? formLine(mail) ?? ticketReplyLine(mail);
}

/** The line that names the help desk through which a mail was sent; its agents write by it, and so do its campaigns. */
export function ticketSystem({ headers }: Pick<MailTraits, 'headers'>): HeaderLine | null {
  const mailer = headerLine(headers, 'x-mailer');
  return mailer && TICKET_SYSTEMS.test(mailer.value) ? mailer : null;
}

/** `E-mail: camille@client.com`, or the address on a line of its own below its label: a form names who filled it in. */
export function namesWriter({ text, ownAddresses }: MailTraits, writer: string | null = null): boolean {
  const fields = text.slice(0, READ_CHARACTERS).matchAll(FIELD);
  return [...fields].some(([field]) => {
    const found = normaliseAddress(/[^\s<>:()]+@[^\s<>()]+/.exec(field)?.[0] ?? '');
    return found !== null && !isOneOf(ownAddresses, found) && (writer === null || found === writer);
  });
}

function marketplaceLine({ senderAddress, headers }: MailTraits): HeaderLine | null {
  if (!senderAddress || isNoReply(senderAddress) || !MARKETPLACES.test(domainOf(senderAddress) ?? '')) return null;
  return headerLine(headers, 'from');
}

function viaLine({ headers, senderName, text, ownAddresses }: MailTraits): HeaderLine | null {
  const from = headerLine(headers, 'from');
  const line = headerLine(headers, 'reply-to') ?? from;
  const answered = line && normaliseAddress(line.value);
  if (!answered || isNoReply(answered) || isOneOf(ownAddresses, answered)) return null;
  const isMadeForOne = MADE_FOR_ONE.test(answered);
  const namesBoth = VIA.test(line.value) || VIA.test(senderName ?? from?.value ?? '');
  if (namesBoth && isMadeForOne) return line;
  // Campaign tools and networks make such addresses too, and a way out with them.
  if (headerLine(headers, 'list-unsubscribe')) return null;
  return CONVERSATION.test(answered) || (isMadeForOne && isAnnounced(text)) ? line : null;
}

function isAnnounced(text: string): boolean {
  return ANNOUNCED.test(foldText(text.slice(0, ANNOUNCED_WITHIN), { exact: false, lines: false }).text);
}

// RFC 5322 3.6.2: Sender transmits, From is the author.
function invitationLine({ senderAddress, headers, ownAddresses }: MailTraits): HeaderLine | null {
  const line = headerLine(headers, 'sender');
  const sender = line && normaliseAddress(line.value);
  if (!sender || !CALENDARS.includes(sender) || !senderAddress) return null;
  return senderAddress === sender || isOneOf(ownAddresses, senderAddress) ? null : line;
}

function formLine(mail: MailTraits): HeaderLine | null {
  const line = headerLine(mail.headers, 'reply-to');
  const writer = line && normaliseAddress(line.value);
  if (!writer || isNoReply(writer) || isMailSystem(writer) || isOneOf(mail.ownAddresses, writer)) return null;
  return writer !== mail.senderAddress && namesWriter(mail, writer) ? line : null;
}

// An agent's answer and the acknowledgement carry the same headers; the subject and the first words differ.
function ticketReplyLine(mail: MailTraits): HeaderLine | null {
  const parent = headerLine(mail.headers, 'in-reply-to');
  if (!mail.answersUs || !parent || !/^(\[[^\]]{1,60}\] ?)?(re|aw|sv|rv) ?:/i.test(mail.subject)) return null;
  const mailer = headerLine(mail.headers, 'x-mailer')?.value ?? '';
  if (!TICKET_SYSTEMS.test(`${mailer} ${mail.senderAddress ?? ''}`)) return null;
  const words = foldText(mail.text.slice(0, 1000), { exact: false, lines: false }).text;
  return ACKNOWLEDGED.test(words) ? null : parent;
}

function isOneOf(addresses: readonly string[], address: string): boolean {
  return addresses.some((own) => normaliseAddress(own) === address);
}
