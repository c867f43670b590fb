// Reads a message another system sent to a custom webhook; the door has already checked it against the schema of
// domain/integrations/custom-message.ts, and a receipt keeps those bytes.
import { fileTypeFromBuffer } from 'file-type';
import { type CustomMessage, customMessageSchema } from '#domain/integrations/custom-message.ts';
import type { Contact } from '#domain/people/client.ts';
import { normaliseAddress } from '#domain/rules/email-address.ts';
import { safeFileName } from '#domain/rules/file-name.ts';
import { toE164 } from '#domain/rules/phone-number.ts';
import { splitReply } from '#domain/rules/quoted-text.ts';
import { storable } from '#domain/rules/stored-text.ts';
import {
  digestOf,
  type FetchedFile,
  type IncomingAttachment,
  type IncomingMessage,
  threadKey,
  Unreadable,
} from './incoming-message.ts';
import { sanitiseMailHtml } from './mail-html.ts';
import { believableDate } from './sent-at.ts';

/**
 * @param fetched what was fetched of the files it names by address, in their order; null when that has not been tried yet
 * @throws Unreadable
 */
export async function readCustom(
  raw: Buffer,
  receipt: { integrationId: string; sourceId: string; receivedAt: Date },
  phoneRegion: string,
  fetched: readonly FetchedFile[] | null,
): Promise<IncomingMessage> {
  const message = parse(raw);
  const media = message.attachments.flatMap(({ name, url }) => (url ? [{ url, name, kind: name }] : []));
  const problems = (fetched ?? []).flatMap((one) => ('problem' in one ? [one.problem] : []));
  const address = message.from.email ? normaliseAddress(message.from.email) : null;
  const phone = message.from.phone ? toE164(message.from.phone, phoneRegion) : null;
  const name = storable(message.from.name ?? '').trim() || null;
  const text = storable(message.text);
  const html = message.html ? sanitiseMailHtml(storable(message.html)) : null;
  if (message.html && html === null) problems.push('Its HTML is too deep to be shown: its text stands instead.');
  return {
    channel: 'webhook',
    digest: digestOf(`webhook:${receipt.integrationId}:${receipt.sourceId}`),
    externalId: receipt.sourceId,
    inReplyTo: null,
    references: [],
    sender: { address, name, phone },
    replyTo: null,
    clientName: name,
    contacts: contactsOf(receipt.integrationId, address, phone, storable(message.from.id ?? '').trim() || null),
    recipients: [],
    cc: [],
    subject: storable(message.subject ?? ''),
    text,
    newText: splitReply(text).newText,
    html: html === null ? null : storable(html),
    sentAt: believableDate(message.sentAt, receipt.receivedAt, problems),
    attachments: await attachmentsOf(message, fetched ?? []),
    threadKeys: message.conversation
      ? [threadKey(`webhook:${receipt.integrationId}`, storable(message.conversation))]
      : [],
    headers: [],
    contentType: null,
    returnPath: null,
    bounce: null,
    problems,
    ...(media.length > 0 && fetched === null ? { media } : {}),
  };
}

function parse(raw: Buffer): CustomMessage {
  try {
    return customMessageSchema.parse(JSON.parse(raw.toString('utf8')));
  } catch (error) {
    throw new Unreadable(`The message does not have the documented form: ${(error as Error).message}`);
  }
}

function contactsOf(
  integrationId: string,
  address: string | null,
  phone: string | null,
  handle: string | null,
): Contact[] {
  return [
    ...(address ? [{ kind: 'email' as const, value: address }] : []),
    ...(phone ? [{ kind: 'phone' as const, value: phone }] : []),
    ...(handle ? [{ kind: 'handle' as const, value: `${integrationId}:${handle}` }] : []),
  ];
}

async function attachmentsOf(
  { attachments }: CustomMessage,
  fetched: readonly FetchedFile[],
): Promise<IncomingAttachment[]> {
  const files = [...fetched];
  const found: IncomingAttachment[] = [];
  for (const { name, content } of attachments) {
    const file = content === undefined ? files.shift() : { content: Buffer.from(content, 'base64') };
    if (file && 'content' in file) found.push(await asAttachment(name, file.content));
  }
  return found;
}

async function asAttachment(name: string, content: Buffer): Promise<IncomingAttachment> {
  const detected = await fileTypeFromBuffer(content).catch(() => undefined);
  return {
    name: safeFileName(name) ?? 'attachment',
    type: detected?.mime ?? 'application/octet-stream',
    content,
    contentId: null,
    inline: false,
  };
}
