// A person's words that a machine carries: a website's form, a marketplace, a calendar, another company's ticket
// system. Such mails say that they are generated (Auto-Submitted, Feedback-ID), and yet a client waits for an answer.
import { domainOf, isMailSystem, isNoReply, normaliseAddress } from './email-address.ts';
import { foldText } from './folded-text.ts';
import { cutEvidence, type HeaderLine, headerLine, keyword, type MailTraits } from './mail-traits.ts';

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
const QUOTED_WORDS = /["«“„][^"»”“\n]{10,1000}["»”“]/;
/** `La famille Duarte vous écrit :`, `Anna said:`: words follow, and the answer goes to whoever said them. */
const SAID =
  /(\b(vous (a )?(ecrit|repond|pose une question)|a (ecrit|repondu)|wrote|said|asked|(hat|haben) [^.:\n]{0,30}(geschrieben|gefragt)|schreibt|(te |le )?(escribe|ha escrito|dice|pregunta))) ?:/;
/** `Fax reçu de 0467112233`, `Voicemail from +44 20 7946 0000`: a telephone system hands over what a caller sent. */
const CALL_OR_FAX =
  /\b(fax|telecopie|sms|text message|message vocal|voice ?mail|voice message|sprachnachricht|mensaje de voz)\b[^\n]{0,40} (de|du|from|von|desde) (le )?\+?[\d(][\d ().-]{6,}/;
/** What a ticket system writes by itself when a mail has come in. */
const ACKNOWLEDGED =
  /(demande|message|ticket|e-?mail)[^.\n]{0,40} (a (bien )?ete (recue?|enregistree?|creee?)|est en cours de traitement)|nous avons bien recu|(request|message|ticket|e-?mail)[^.\n]{0,40} (has been|was) (received|created|logged)|we('ve| have) received|thank you for (contacting|reaching)|wir haben ihre?n? [^.\n]{0,30}(erhalten|bekommen)|vielen dank fur ihre (anfrage|nachricht)|hemos recibido|automatic(ally)? generated/;

/** @returns the header line that shows who speaks; null when no person can be seen behind the machine */
export function relayedLetter(mail: MailTraits): HeaderLine | null {
  const submitted = headerLine(mail.headers, 'auto-submitted')?.value ?? '';
  // A machine's answer carries nobody's words (RFC 3834).
  if (keyword(submitted) === 'auto-replied' || headerLine(mail.headers, 'list-id')) return null;
  return (
    marketplaceLine(mail) ??
    viaLine(mail) ??
    saidLine(mail) ??
    invitationLine(mail) ??
    formLine(mail) ??
    callLine(mail) ??
    ticketReplyLine(mail)
  );
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
  const isAnnounced = isMadeForOne && ANNOUNCED.test(beginningOf(text));
  // Campaign tools and networks make such addresses too, and a way out with them: they do not pass on words.
  if (headerLine(headers, 'list-unsubscribe'))
    return isAnnounced && QUOTED_WORDS.test(text.slice(0, READ_CHARACTERS)) ? line : null;
  return CONVERSATION.test(answered) || isAnnounced ? line : null;
}

function saidLine({ headers, senderAddress, text, ownAddresses }: MailTraits): HeaderLine | null {
  const line = headerLine(headers, 'reply-to');
  const answered = line && normaliseAddress(line.value);
  if (!answered || answered === senderAddress || isNoReply(answered) || isOneOf(ownAddresses, answered)) return null;
  if (headerLine(headers, 'list-unsubscribe')) return null;
  const beginning = beginningOf(text);
  const names =
    line.value
      .slice(0, line.value.lastIndexOf('@'))
      .toLowerCase()
      .match(/\p{L}{4,}/gu) ?? [];
  return SAID.test(beginning) && names.some((name) => beginning.includes(name)) ? line : null;
}

function callLine({ subject }: MailTraits): HeaderLine | null {
  return CALL_OR_FAX.test(beginningOf(subject)) ? { value: subject, line: cutEvidence(`Subject: ${subject}`) } : null;
}

function beginningOf(text: string): string {
  return foldText(text.slice(0, ANNOUNCED_WITHIN), { exact: false, lines: false }).text;
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
  return writer !== mail.senderAddress && (namesWriter(mail, writer) || isFilledIn(mail.text)) ? line : null;
}

/** A name and a message, each behind its label. */
function isFilledIn(text: string): boolean {
  const words = foldText(text.slice(0, READ_CHARACTERS), { exact: false, lines: true }).text;
  return NAME_FIELD.test(words) && MESSAGE_FIELD.test(words);
}

const NAME_FIELD =
  /^[*> ]*((your |votre |ihr |su |first |last |full )?(name|nom|vorname|nachname|prenom|nombre))[ *]*:/m;
const MESSAGE_FIELD =
  /^[*> ]*((your |votre |ihre |su )?(message|body|corps( du message)?|commentaires?|comments?|nachricht|anfrage|mensaje|question|demande))[ *]*:/m;

// An agent's letter and the acknowledgement carry the same headers; the subject and the first words differ.
function ticketReplyLine(mail: MailTraits): HeaderLine | null {
  const words = foldText(mail.text.slice(0, 1000), { exact: false, lines: false }).text;
  if (ACKNOWLEDGED.test(words)) return null;
  const parent = headerLine(mail.headers, 'in-reply-to');
  const mailer = headerLine(mail.headers, 'x-mailer')?.value ?? '';
  const isAnswer = mail.answersUs && parent && /^(\[[^\]]{1,60}\] ?)?(re|aw|sv|rv) ?:/i.test(mail.subject);
  if (isAnswer && TICKET_SYSTEMS.test(`${mailer} ${mail.senderAddress ?? ''}`)) return parent;
  // A new one asks for something; what the system asks by itself is how one liked it.
  const asks = /\? |\?$/.test(words) && !SURVEY.test(words) && !headerLine(mail.headers, 'list-unsubscribe');
  return asks && parent === null ? ticketSystem(mail) : null;
}

const SURVEY =
  /\b(rate|rating|survey|satisf\w+|feedback|how did we do|solved|closed|resolu|ferme|cloture|notez|votre avis|bewert\w+|zufrieden|geschlossen|gelost|valora\w*|encuesta|resuelt[oa]|cerrad[oa])\b/;

function isOneOf(addresses: readonly string[], address: string): boolean {
  return addresses.some((own) => normaliseAddress(own) === address);
}
