// Newsletters and mailing lists (RFC 2369, 2919, 8058). No single sign proves them: order
// confirmations carry List-Unsubscribe, ticket systems Precedence: bulk. Signs are weighed, and words of the text
// never reach the threshold alone, because clients quote our own newsletters when they write: only a new letter that has
// the whole form of a campaign does.
import { domainOf, normaliseAddress } from './email-address.ts';
import { foldText } from './folded-text.ts';
import { isByMailProgram } from './mail-program.ts';
import {
  cutEvidence,
  type HeaderLine,
  headerLine,
  headerLines,
  isBulkPrecedence,
  keyword,
  type MailTraits,
} from './mail-traits.ts';
import { splitReply } from './quoted-text.ts';
import { ticketSystem } from './relayed-letter.ts';

/** A mail with this score is bulk. List-Unsubscribe (2) with one strong sign (3) reaches it. */
export const BULK_SCORE = 5;

export type BulkSignal = { code: string; weight: number; evidence: string };

/** @returns the sum and what made it, heaviest first. An answer to a message of ours never reaches BULK_SCORE. */
export function bulkSignals(mail: MailTraits): { score: number; signals: BulkSignal[] } {
  const signals = [...headerSignals(mail), ...senderSignals(mail), ...contentSignals(mail), ...formSignals(mail)];
  signals.sort((a, b) => b.weight - a.weight);
  if (mail.answersUs) signals.push({ code: 'answers-us', weight: -100, evidence: 'It answers a message of ours.' });
  return { score: signals.reduce((sum, signal) => sum + signal.weight, 0), signals };
}

/**
 * The tenant's own inbox may be a group (support@acme.test as a Google Group): then every client's mail carries the
 * group's List-Id, List-Post and Precedence, and they say nothing about who wrote.
 */
function isOwnList(mail: MailTraits): boolean {
  const own = mail.ownAddresses.map(normaliseAddress).filter((address) => address !== null);
  const listId = /<([^<>]*)>/.exec(headerLine(mail.headers, 'list-id')?.value ?? '')?.[1]?.toLowerCase();
  const posts = postAddresses(mail.headers);
  return own.some((address) => address.replace('@', '.') === listId || posts.includes(address));
}

/**
 * A client's company may share an inbox that is a group: what one of its people writes to us leaves in the group's name,
 * with all its list headers, and only Reply-To tells the writer. A list's contributors come from elsewhere.
 */
function isClientsGroup({ headers, senderAddress, ownAddresses }: MailTraits): boolean {
  if (!senderAddress || !isAddressedTo(headers, ownAddresses)) return false;
  const posts = postAddresses(headers);
  if (!posts.includes(senderAddress)) {
    // Or she writes to her colleagues' list and to us: a list that had only passed it on would not name us.
    const colleagues = posts.filter((address) => domainOf(address) === domainOf(senderAddress));
    return isAddressedTo(headers, colleagues);
  }
  const writer = normaliseAddress(headerLine(headers, 'reply-to')?.value ?? '');
  return writer !== null && writer !== senderAddress && domainOf(writer) === domainOf(senderAddress);
}

/**
 * Gateways stamp headers of lists on all that leaves a company, what its people write by hand too. A list that can be
 * written to, or a text that names a way out, is what it says.
 */
function isStampedByGateway(mail: MailTraits): boolean {
  const { headers, ownAddresses } = mail;
  const isList = headerLine(headers, 'list-post') !== null || listProgram(headers) !== undefined;
  const precedence = headerLines(headers, 'precedence').some(({ value }) => keyword(value) === 'list');
  if (isList || precedence || !isByMailProgram(headers) || !isAddressedTo(headers, ownAddresses)) return false;
  return contentSignals(mail).length === 0 && campaignLine(headers) === undefined;
}

function isAddressedTo(headers: MailTraits['headers'], addresses: readonly string[]): boolean {
  const receivers = ['to', 'cc'].flatMap((name) => headerLines(headers, name)).map(({ value }) => value.toLowerCase());
  return addresses.some((address) => receivers.some((line) => line.includes(address.toLowerCase())));
}

const CAMPAIGN_TOOLS =
  /mailchimp|sendinblue|brevo|mailjet|campaign ?monitor|createsend|constant ?contact|klaviyo|activecampaign|sarbacane|mailerlite|phplist|acymailing|mailpoet|getresponse|marketo|eloqua|pardot|responsys|exacttarget|splio|selligent|dolist|emailvision|smartfocus|mailkitchen|newsletter|e-goi/i;
const CAMPAIGN_HEADERS = ['x-campaign', 'x-campaign-id', 'x-campaignid', 'x-mc-user', 'x-mailing-id'];
const NEWSLETTER_SENDER = /^(news|newsletters?|infolettres?|marketing|promos?|promotions?|offres|mailing)([._+-]|\d*@)/;
const LIST_SENDER =
  /(^|<|\s)(owner-[^\s@<>]+@|[^\s@<>]+-(bounces|owner|request|l)(\+[^\s@<>]*)?@|[^\s@<>]+@listserv\.)/i;
const UNSUBSCRIBE_WORDS =
  /unsubscribe|se desabonner|desinscri|vous desabonner|manage your preferences|abbestellen|abmelden|darse de baja|cancelar (la )?suscripcion/;
const WEB_VERSION_WORDS =
  /view (this )?(e-?mail )?in (your )?browser|version en ligne|voir (cet e-?mail |ce message )?dans (votre|le) navigateur|im browser (ansehen|anzeigen)|ver en (el )?navegador/;

const FORM_CHARACTERS = 20_000;
const WHY_RECEIVED =
  /(vous (avez recu|recevez) (cet e-?mail|ce message|ce courriel)|you('re| are)? receiv(ed|e|ing) this (e-?mail|message)|sie erhalten diese (e-?mail|nachricht)|(recibes|has recibido|recibe) este (correo|mensaje)) (car|parce|because|weil|da|porque)/;
const CAMPAIGN_LINK = /[?&]utm_(campaign|medium|source)=/;
const UNDISCLOSED = /^"?(undisclosed|destinataires? inconnus|unlisted)[- ]?(recipients)?"?\s*:/i;

function headerSignals({ headers, ...mail }: MailTraits): BulkSignal[] {
  const signals: BulkSignal[] = [];
  const add = (code: string, weight: number, line: HeaderLine | null | undefined) => {
    if (line?.value) signals.push({ code, weight, evidence: line.line });
  };
  const isStamped = isStampedByGateway({ headers, ...mail });
  if (!isStamped && !isOwnList({ headers, ...mail }) && !isClientsGroup({ headers, ...mail })) {
    add('list-id', 4, headerLine(headers, 'list-id'));
    const precedence = headerLines(headers, 'precedence').find(({ value }) => isBulkPrecedence(value));
    add(`precedence-${keyword(precedence?.value ?? '')}`, 3, precedence);
    add(
      'list-post',
      3,
      headerLines(headers, 'list-post').find(({ value }) => /mailto:/i.test(value)),
    );
    add('list-program', 3, listProgram(headers));
    add('list-unsubscribe', 2, headerLine(headers, 'list-unsubscribe'));
    const others = ['list-help', 'list-owner', 'list-archive', 'list-subscribe'];
    add(
      'list-other',
      1,
      others.map((name) => headerLine(headers, name)).find((line) => line !== null),
    );
  }
  const oneClick = headerLines(headers, 'list-unsubscribe-post').find(({ value }) => /one-click/i.test(value));
  add('one-click', 3, isStamped ? null : oneClick);
  // Proton puts one on every letter of a person, and what carries a help desk's mails on every answer of its agents.
  const feedback = headerLines(headers, 'feedback-id').find(({ value }) => !/:user:proton$/i.test(value));
  add('feedback-id', 3, ticketSystem({ headers }) ? null : feedback);
  add('campaign-mailer', 3, campaignLine(headers));
  return signals;
}

function campaignLine(headers: MailTraits['headers']): HeaderLine | undefined {
  const mailer = ['x-mailer', 'user-agent'].map((name) => headerLine(headers, name)).filter((line) => line !== null);
  const marks = CAMPAIGN_HEADERS.map((name) => headerLine(headers, name)).filter((line) => line !== null);
  return mailer.find((line) => CAMPAIGN_TOOLS.test(line.value)) ?? marks[0];
}

/** The programs of lists that people write to: their own headers, or the owner's address in Sender (`owner-x@`, `x-bounces@`). */
function listProgram(headers: MailTraits['headers']): HeaderLine | undefined {
  // `List-Post: NO` (RFC 2369 3.4): nobody may write to it.
  if (headerLines(headers, 'list-post').some(({ value }) => keyword(value) === 'no')) return undefined;
  const own = ['mailing-list', 'x-mailman-version', 'x-beenthere'].flatMap((name) => headerLines(headers, name));
  const listserv = headerLines(headers, 'sender').find(({ value }) => LIST_SENDER.test(value));
  return own[0] ?? listserv;
}

function senderSignals({ senderAddress }: MailTraits): BulkSignal[] {
  const address = senderAddress && normaliseAddress(senderAddress);
  if (!address || !NEWSLETTER_SENDER.test(address)) return [];
  return [{ code: 'newsletter-sender', weight: 2, evidence: cutEvidence(`From: ${address}`) }];
}

/** Unsubscribe links stand at the end of a mail, "view in your browser" at its beginning: both ends are read. */
function contentSignals({ text, html }: MailTraits): BulkSignal[] {
  const body = [text, html ?? ''].map((part) => `${part.slice(0, 5000)} ${part.slice(5000).slice(-10_000)}`);
  const words = foldText(body.join(' '), { exact: false, lines: false }).text;
  const signals: BulkSignal[] = [];
  const unsubscribe = UNSUBSCRIBE_WORDS.exec(words);
  if (unsubscribe) signals.push({ code: 'unsubscribe-words', weight: 1, evidence: unsubscribe[0] });
  const web = WEB_VERSION_WORDS.exec(words);
  if (web) signals.push({ code: 'web-version-words', weight: 1, evidence: web[0] });
  return signals;
}

/** A campaign without a header of one: what it is shows only in its form, and its writer's own words have no such form. */
function formSignals({ headers, subject, text }: MailTraits): BulkSignal[] {
  if (/^\s*(re|fwd?|tr|aw|wg|rv|r|sv) ?:/i.test(subject)) return [];
  const own = splitReply(text.slice(0, FORM_CHARACTERS)).newText;
  const words = foldText(own, { exact: false, lines: false }).text;
  const why = WHY_RECEIVED.exec(words) ?? CAMPAIGN_LINK.exec(words);
  const out = UNSUBSCRIBE_WORDS.exec(words);
  if (!why || !out) return [];
  const web = isByMailProgram(headers) ? null : WEB_VERSION_WORDS.exec(words);
  // From a mail program it goes to nobody by name, and asks nothing.
  const isHidden = !words.includes('? ') && headerLines(headers, 'to').some(({ value }) => UNDISCLOSED.test(value));
  const form = web?.[0] ?? (isHidden ? 'undisclosed-recipients' : null);
  return form ? [{ code: 'campaign-form', weight: 4, evidence: cutEvidence(`${form}; ${why[0]}; ${out[0]}`) }] : [];
}

function postAddresses(headers: MailTraits['headers']): string[] {
  return headerLines(headers, 'list-post').flatMap(({ value }) => mailtoAddresses(value));
}

function mailtoAddresses(value: string): string[] {
  const found = value.matchAll(/mailto:([^>?\s]+)/gi);
  return [...found].map((match) => normaliseAddress(match[1]!)).filter((address) => address !== null);
}
