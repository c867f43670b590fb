// Reads a mail (RFC 5322, MIME) as real mailboxes hold it: broken headers, foreign charsets and all. What cannot be
// read is said in `problems`; only what is no mail at all is refused.
import type { AddressObject } from 'mailparser';
import type { MailHeaders } from '#domain/rules/automated-mail.ts';
import { isNoReply, normaliseAddress } from '#domain/rules/email-address.ts';
import { mailInstant } from '#domain/rules/mail-date.ts';
import { canonicalMessage } from '#domain/rules/message-digest.ts';
import { splitReply } from '#domain/rules/quoted-text.ts';
import { shortened, storable } from '#domain/rules/stored-text.ts';
import { replySecretsIn, withoutReplySecret } from '#domain/rules/subaddress.ts';
import { parseMessageIds, threadKeys } from '#domain/rules/threading.ts';
import { readBounce } from './bounce.ts';
import { textOfHtml } from './html-text.ts';
import { digestOf, type IncomingMessage, threadKey, Unreadable } from './incoming-message.ts';
import { readFiles } from './mail-files.ts';
import { sanitiseMailHtml, shownContentIds } from './mail-html.ts';
import { type MimeMail, type MimeText, parseMime } from './parse-mime.ts';

const LONGEST_TEXT = 1_000_000;
const LONGEST_SUBJECT = 998;
const LONGEST_NAME = 300;
/** `Re:`, `TR :`, in whatever language. */
const PREFIXED = /^\s*(\[[^\]]*\]\s*)?\p{L}{1,6}\.?\s?(\[\d+\]|\(\d+\))?\s?[:：]/u;

/**
 * @param raw the mail as the server gave it, or its beginning when it is `truncated`
 * @param receivedAt when the server received it: the date of a mail that has none, or one nobody can believe
 * @throws Unreadable when there is nothing that looks like a mail
 */
export async function readEmail(raw: Buffer, receivedAt: Date, truncated = false): Promise<IncomingMessage> {
  const mail = await parse(raw);
  const problems: string[] = [];
  const headers: MailHeaders = mail.headers.map(([name, value]) => [storable(name), storable(value)]);
  const sender = senderOf(mail);
  if (!sender?.address) problems.push('The sender could not be read.');
  const replyTo = firstAddress(mail.parsed.get('reply-to'));
  const letter = letterOf(mail.texts);
  const text = shortened(storable(wordsOf(letter)), LONGEST_TEXT);
  const subject = shortened(storable(asText(mail.parsed.get('subject'))), LONGEST_SUBJECT);
  const messageId = parseMessageIds(headerValue(headers, 'message-id'))[0] ?? null;
  const inReplyTo = parseMessageIds(headerValue(headers, 'in-reply-to'))[0] ?? null;
  const references = parseMessageIds(headerValue(headers, 'references'));
  const isAnswer = inReplyTo !== null || references.length > 0 || PREFIXED.test(subject);
  const address = sender?.address ?? null;
  const to = addresses(mail.parsed.get('to'));
  const cc = addresses(mail.parsed.get('cc'));
  const writer = clientBehind(sender, replyTo);
  const html = sanitisedHtml(mail.texts, problems);
  const bounce = readBounce({ headers, senderAddress: address, text, files: mail.files });
  return {
    channel: 'email',
    digest: digestOf(
      canonicalMessage({
        messageId,
        senderAddress: address,
        date: headerValue(headers, 'date'),
        subject,
        // As written: how HTML is turned into words may change, and the same mail must stay the same.
        text: letter.map((part) => part.content).join('\n'),
      }),
    ),
    externalId: messageId,
    inReplyTo,
    references,
    sender: { address, name: sender?.name ?? null, phone: null },
    replyTo: replyTo?.address ?? null,
    replyToName: replyTo?.name ?? null,
    contacts: writer?.address ? [{ kind: 'email', value: writer.address }] : [],
    clientName: writer?.name ?? null,
    recipients: to.map(withoutReplySecret),
    cc: cc.map(withoutReplySecret),
    subject,
    text,
    newText: splitReply(text, !isAnswer).newText,
    html,
    sentAt: believableDate(headerValue(headers, 'date'), receivedAt, problems),
    attachments: await readFiles(mail, html === null ? null : shownContentIds(html), truncated, problems),
    threadKeys: threadKeys({ messageId, inReplyTo, references }).map((id) => threadKey('mail', id)),
    replySecrets: replySecretsIn([...to, ...cc, ...deliveredTo(headers)]),
    headers,
    contentType: headerValue(headers, 'content-type'),
    returnPath: headerValue(headers, 'return-path'),
    bounce,
    problems,
  };
}

async function parse(raw: Buffer): Promise<MimeMail> {
  let mail: MimeMail;
  try {
    mail = await parseMime(raw);
  } catch (error) {
    throw new Unreadable(`The mail could not be read: ${(error as Error).message}`);
  }
  const hasHeaders = ['from', 'date', 'subject', 'message-id', 'received'].some((name) => mail.parsed.has(name));
  if (!hasHeaders && mail.texts.length === 0 && mail.files.length === 0)
    throw new Unreadable('This is not a mail: it has no headers and no content.');
  return mail;
}

/** The parts that make the letter: of alternatives the plain one, unless it says nothing. */
function letterOf(texts: readonly MimeText[]): MimeText[] {
  const hasPlain = (alternative: object) =>
    texts.some((part) => part.alternative === alternative && part.type === 'text/plain' && part.content.trim() !== '');
  return texts.filter((part) => part.type === 'text/plain' || !part.alternative || !hasPlain(part.alternative));
}

function wordsOf(letter: readonly MimeText[]): string {
  return letter
    .map((part) => (part.type === 'text/plain' ? part.content : textOfHtml(part.content)))
    .filter((words) => words.trim() !== '')
    .join('\n')
    .trimEnd();
}

function sanitisedHtml(texts: readonly MimeText[], problems: string[]): string | null {
  if (!texts.some((part) => part.type === 'text/html')) return null;
  const shown = texts.filter((part) => part.type === 'text/html' || !part.alternative);
  const html = sanitiseMailHtml(
    storable(shown.map((part) => (part.type === 'text/html' ? part.content : asHtml(part.content))).join('\n')),
  );
  if (html === null) problems.push('Its HTML is too long or too deep to be shown: its text stands instead.');
  return html === null ? null : storable(html);
}

function asHtml(text: string): string {
  const escaped = text.trim().replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<div style="white-space:pre-wrap">${escaped}</div>`;
}

function headerValue(headers: MailHeaders, name: string): string | null {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? null;
}

/** Where the servers on the way say it went: a blind copy, a redirection. */
function deliveredTo(headers: MailHeaders): string[] {
  const names = ['delivered-to', 'x-original-to', 'envelope-to', 'x-envelope-to'];
  return headers.filter(([name]) => names.includes(name.toLowerCase())).map(([, value]) => value);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value.replace(/[\r\n\t]+/g, ' ') : '';
}

type Sender = { address: string | null; name: string | null };

function senderOf(mail: MimeMail): Sender | null {
  const from = firstAddress(mail.parsed.get('from'));
  if (from?.address) return from;
  const sender = firstAddress(mail.parsed.get('sender'));
  return sender?.address ? { address: sender.address, name: from?.name ?? sender.name } : (from ?? sender);
}

function firstAddress(field: unknown): Sender | null {
  const all = mailboxes(field);
  return all.find((one) => one.address) ?? all[0] ?? null;
}

function addresses(field: unknown): string[] {
  return [...new Set(mailboxes(field).flatMap(({ address }) => (address ? [address] : [])))];
}

// A group stands for its members; an address nobody could write to is dropped.
function mailboxes(field: unknown): Sender[] {
  const objects = (Array.isArray(field) ? field : [field]) as (AddressObject | undefined)[];
  return objects
    .flatMap((object) => object?.value ?? [])
    .flatMap((entry) => entry.group ?? [entry])
    .map((entry) => ({
      address: normaliseAddress(entry.address ?? ''),
      name: shortened(storable(entry.name ?? '').trim(), LONGEST_NAME) || null,
    }))
    .filter((entry) => entry.address || entry.name);
}

// A form on a website writes from its own no-reply address and names the client in Reply-To.
function clientBehind(sender: Sender | null, replyTo: Sender | null): Sender | null {
  if (replyTo?.address && (!sender?.address || isNoReply(sender.address))) return replyTo;
  return sender;
}

const A_DAY_MS = 24 * 3600_000;
const EARLIEST = Date.UTC(1990, 0, 1);

function believableDate(written: string | null, receivedAt: Date, problems: string[]): Date {
  if (!written) return receivedAt;
  const at = (mailInstant(written) ?? Number.NaN) * 1000;
  if (at >= EARLIEST && at <= receivedAt.getTime() + A_DAY_MS) return new Date(at);
  problems.push('Its date cannot be right: the time it was received stands instead.');
  return receivedAt;
}
