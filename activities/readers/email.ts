// Reads a mail (RFC 5322, MIME) as real mailboxes hold it: broken headers, foreign charsets and all. What cannot be
// read is said in `problems`; only what is no mail at all is refused.
import { fileTypeFromBuffer } from 'file-type';
import { type AddressObject, type Attachment, type ParsedMail, simpleParser } from 'mailparser';
import type { MailHeaders } from '#domain/rules/automated-mail.ts';
import { isNoReply, normaliseAddress } from '#domain/rules/email-address.ts';
import { canonicalMessage } from '#domain/rules/message-digest.ts';
import { splitReply } from '#domain/rules/quoted-text.ts';
import { parseMessageIds, threadKeys } from '#domain/rules/threading.ts';
import { readBounce } from './bounce.ts';
import {
  digestOf,
  type IncomingAttachment,
  type IncomingMessage,
  storable,
  threadKey,
  Unreadable,
} from './incoming-message.ts';
import { sanitiseMailHtml } from './mail-html.ts';

const LONGEST_TEXT = 1_000_000;
const LONGEST_SUBJECT = 998;

/**
 * @param raw the mail as the server gave it
 * @param receivedAt when the server received it: the date of a mail that has none, or one nobody can believe
 * @throws Unreadable when there is nothing that looks like a mail
 */
export async function readEmail(raw: Buffer, receivedAt: Date): Promise<IncomingMessage> {
  const mail = await parse(raw);
  const problems: string[] = [];
  const headers = headerList(mail);
  const sender = firstAddress(mail.from) ?? firstAddress(single(mail.headers.get('sender')));
  if (!sender?.address) problems.push('The sender could not be read.');
  const replyTo = firstAddress(mail.replyTo);
  const text = storable(mail.text ?? '').slice(0, LONGEST_TEXT);
  const subject = storable(mail.subject ?? '').slice(0, LONGEST_SUBJECT);
  const messageId = parseMessageIds(mail.messageId ?? null)[0] ?? null;
  const inReplyTo = parseMessageIds(headerValue(headers, 'in-reply-to'))[0] ?? null;
  const references = parseMessageIds(headerValue(headers, 'references'));
  const address = sender?.address ?? null;
  const writer = clientBehind(sender, replyTo);
  return {
    channel: 'email',
    digest: digestOf(
      canonicalMessage({
        messageId,
        senderAddress: address,
        date: headerValue(headers, 'date'),
        subject,
        text: text || String(mail.html || ''),
      }),
    ),
    externalId: messageId,
    inReplyTo,
    references,
    sender: { address, name: sender?.name ?? null, phone: null },
    replyTo: replyTo?.address ?? null,
    contacts: writer?.address ? [{ kind: 'email', value: writer.address }] : [],
    clientName: writer?.name ?? null,
    recipients: addresses(mail.to),
    cc: addresses(mail.cc),
    subject,
    text,
    newText: splitReply(text).newText,
    html: mail.html ? sanitiseMailHtml(storable(mail.html)) : null,
    sentAt: believableDate(mail.date, receivedAt, problems),
    attachments: await Promise.all(mail.attachments.map(readAttachment)),
    threadKeys: threadKeys({ messageId, inReplyTo, references }).map((id) => threadKey('mail', id)),
    headers,
    contentType: headerValue(headers, 'content-type'),
    returnPath: headerValue(headers, 'return-path'),
    bounce: readBounce(mail.attachments),
    problems,
  };
}

async function parse(raw: Buffer): Promise<ParsedMail> {
  let mail: ParsedMail;
  try {
    mail = await simpleParser(raw, {
      keepDeliveryStatus: true,
      keepCidLinks: true,
      checksumAlgo: false,
      skipTextToHtml: true,
    });
  } catch (error) {
    throw new Unreadable(`The mail could not be read: ${(error as Error).message}`);
  }
  const hasHeaders = ['from', 'date', 'subject', 'message-id', 'received'].some((name) => mail.headers.has(name));
  if (!hasHeaders && !mail.text && mail.attachments.length === 0)
    throw new Unreadable('This is not a mail: it has no headers and no content.');
  return mail;
}

function headerList(mail: ParsedMail): MailHeaders {
  return mail.headerLines.map(({ key, line }) => [
    key,
    storable(line.slice(line.indexOf(':') + 1))
      .replace(/\r?\n[ \t]+/g, ' ')
      .trim(),
  ]);
}

function headerValue(headers: MailHeaders, name: string): string | null {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? null;
}

type Sender = { address: string | null; name: string | null };

function firstAddress(field: unknown): Sender | null {
  const [first] = mailboxes(field);
  return first ?? null;
}

function addresses(field: unknown): string[] {
  return mailboxes(field).flatMap(({ address }) => (address ? [address] : []));
}

// A group stands for its members; an address nobody could write to is dropped.
function mailboxes(field: unknown): Sender[] {
  const objects = (Array.isArray(field) ? field : [field]) as (AddressObject | undefined)[];
  return objects
    .flatMap((object) => object?.value ?? [])
    .flatMap((entry) => entry.group ?? [entry])
    .map((entry) => ({
      address: normaliseAddress(entry.address ?? ''),
      name:
        storable(entry.name ?? '')
          .trim()
          .slice(0, 300) || null,
    }))
    .filter((entry) => entry.address || entry.name);
}

// A form on a website writes from its own no-reply address and names the client in Reply-To.
function clientBehind(sender: Sender | null, replyTo: Sender | null): Sender | null {
  if (replyTo?.address && (!sender?.address || isNoReply(sender.address))) return replyTo;
  return sender;
}

function single(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}

const A_DAY_MS = 24 * 3600_000;
const EARLIEST = Date.UTC(1990, 0, 1);

function believableDate(written: Date | undefined, receivedAt: Date, problems: string[]): Date {
  const at = written?.getTime() ?? Number.NaN;
  if (at >= EARLIEST && at <= receivedAt.getTime() + A_DAY_MS) return new Date(at);
  if (written) problems.push('Its date cannot be right: the time it was received stands instead.');
  return receivedAt;
}

async function readAttachment(part: Attachment): Promise<IncomingAttachment> {
  const detected = await fileTypeFromBuffer(part.content).catch(() => undefined);
  return {
    name: attachmentName(part),
    type: detected?.mime ?? part.contentType ?? 'application/octet-stream',
    content: part.content,
    contentId: part.cid ?? null,
    inline: part.related === true || (part.contentDisposition === 'inline' && part.cid !== undefined),
  };
}

// No path, no control or direction-changing character: the name is shown and offered for saving.
function attachmentName(part: Attachment): string {
  const name = storable(part.filename ?? '')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .split(/[/\\]/)
    .at(-1)
    ?.trim()
    .slice(0, 200);
  if (name && name !== '.' && name !== '..') return name;
  return part.contentType === 'message/rfc822' ? 'message.eml' : 'attachment';
}
