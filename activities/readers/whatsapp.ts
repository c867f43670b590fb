// Reads a message of Vonage's Messages API: WhatsApp, and SMS where a number is linked to an application. Types nobody
// knows yet are shown as what they are, with what text they carry.
import { fileTypeFromBuffer } from 'file-type';
import { z } from 'zod';
import { safeFileName } from '#domain/rules/file-name.ts';
import { fromVonage } from '#domain/rules/phone-number.ts';
import { storable } from '#domain/rules/stored-text.ts';
import {
  digestOf,
  type FetchedFile,
  type IncomingAttachment,
  type IncomingMessage,
  type MediaToFetch,
  threadKey,
  Unreadable,
} from './incoming-message.ts';
import { believableDate } from './sent-at.ts';

const FILES = ['image', 'audio', 'video', 'file', 'sticker'] as const;

const file = z.object({ url: z.string().optional(), name: z.string().optional(), caption: z.string().optional() });
const coordinate = z.union([z.number(), z.string()]);

const bodySchema = z.object({
  channel: z.string(),
  message_uuid: z.string().min(1),
  from: z.string(),
  to: z.string(),
  timestamp: z.string().optional(),
  message_type: z.string(),
  text: z.string().optional(),
  image: file.optional(),
  audio: file.optional(),
  video: file.optional(),
  file: file.optional(),
  sticker: file.optional(),
  location: z
    .object({
      lat: coordinate.optional(),
      long: coordinate.optional(),
      name: z.string().optional(),
      address: z.string().optional(),
    })
    .optional(),
  contact: z.unknown().optional(),
  reply: z.object({ title: z.string().optional(), description: z.string().optional() }).optional(),
  button: z.object({ text: z.string().optional(), payload: z.string().optional() }).optional(),
  profile: z.object({ name: z.string().optional() }).optional(),
  context: z.object({ message_uuid: z.string().optional() }).optional(),
});

type Body = z.output<typeof bodySchema>;

/**
 * @param fetched what was fetched of its files, in their order; null when that has not been tried yet
 * @throws Unreadable
 */
export async function readWhatsapp(
  raw: Buffer,
  receivedAt: Date,
  fetched: readonly FetchedFile[] | null,
): Promise<IncomingMessage> {
  const body = parse(raw);
  const channel = body.channel === 'sms' ? 'sms' : 'whatsapp';
  const phone = fromVonage(body.from);
  const from = phone ?? storable(body.from).trim();
  const ours = fromVonage(body.to) ?? storable(body.to).trim();
  const name = storable(body.profile?.name ?? '').trim() || null;
  const media = mediaOf(body);
  const problems = (fetched ?? []).flatMap((one) => ('problem' in one ? [one.problem] : []));
  const text = storable(textOf(body)) + problems.map((problem) => `\n[${problem}]`).join('');
  return {
    channel,
    digest: digestOf(`${channel}:${body.message_uuid}`),
    externalId: storable(body.message_uuid),
    inReplyTo: body.context?.message_uuid ? storable(body.context.message_uuid) : null,
    references: [],
    sender: { address: null, name, phone: from || null },
    replyTo: null,
    replyToName: null,
    clientName: name,
    contacts: from ? [phone ? { kind: 'phone', value: phone } : { kind: 'handle', value: `${channel}:${from}` }] : [],
    recipients: [ours],
    cc: [],
    subject: '',
    text: text.trim(),
    newText: text.trim(),
    html: null,
    sentAt: believableDate(isDate(body.timestamp) ? body.timestamp : undefined, receivedAt, problems),
    attachments: fetched ? await attachmentsOf(media, fetched) : [],
    threadKeys: from ? [threadKey(channel, `${ours}:${from}`)] : [],
    headers: [],
    contentType: null,
    returnPath: null,
    bounce: null,
    problems,
    ...(media.length > 0 && fetched === null ? { media } : {}),
  };
}

function parse(raw: Buffer): Body {
  try {
    return bodySchema.parse(JSON.parse(raw.toString('utf8')));
  } catch (error) {
    throw new Unreadable(`The message does not have the documented form: ${(error as Error).message}`);
  }
}

function textOf(body: Body): string {
  const type = body.message_type;
  const caption = FILES.map((kind) => body[kind]?.caption).find(Boolean);
  const words = [body.text, caption, type === 'reply' ? replyOf(body.reply) : null, body.button?.text].find(Boolean);
  if (type === 'location' && body.location) return placeOf(body.location);
  if (type === 'contact') return contactsOf(body.contact);
  if (words) return words;
  return FILES.some((kind) => kind === type) ? '' : `[${type}]`;
}

function replyOf(reply: Body['reply']): string {
  return [reply?.title, reply?.description].filter(Boolean).join('\n');
}

function placeOf({ lat, long, name, address }: NonNullable<Body['location']>): string {
  const at = lat === undefined || long === undefined ? '' : `${lat}, ${long}`;
  const map = at
    ? `https://www.openstreetmap.org/?mlat=${encodeURIComponent(lat!)}&mlon=${encodeURIComponent(long!)}`
    : '';
  return ['📍', name, address, at, map].filter(Boolean).join('\n');
}

const contactSchema = z.object({
  name: z.object({ formatted_name: z.string().optional() }).optional(),
  phones: z.array(z.object({ phone: z.string().optional() })).optional(),
  emails: z.array(z.object({ email: z.string().optional() })).optional(),
});
const MOST_CONTACTS = 20;

function contactsOf(given: unknown): string {
  const list = Array.isArray(given) ? given : ((given as { contacts?: unknown } | undefined)?.contacts ?? [given]);
  const lines = (Array.isArray(list) ? list : [list]).slice(0, MOST_CONTACTS).flatMap((one) => {
    const contact = contactSchema.safeParse(one);
    if (!contact.success) return [];
    const { name, phones = [], emails = [] } = contact.data;
    const ways = [...phones.map(({ phone }) => phone), ...emails.map(({ email }) => email)];
    return [[`👤 ${name?.formatted_name ?? ''}`.trim(), ...ways].filter(Boolean).join('\n')];
  });
  return lines.length > 0 ? lines.join('\n\n') : '[contact]';
}

function mediaOf(body: Body): MediaToFetch[] {
  return FILES.flatMap((kind) => {
    const { url, name } = body[kind] ?? {};
    return url ? [{ url, name: name ?? null, kind }] : [];
  });
}

async function attachmentsOf(
  media: readonly MediaToFetch[],
  fetched: readonly FetchedFile[],
): Promise<IncomingAttachment[]> {
  const files = await Promise.all(
    media.map(async ({ name, kind }, index) => {
      const one = fetched[index];
      if (!one || 'problem' in one) return [];
      const detected = await fileTypeFromBuffer(one.content).catch(() => undefined);
      const usual = detected ? `${kind}.${detected.ext}` : kind;
      const type = detected?.mime ?? 'application/octet-stream';
      return [{ name: safeFileName(name) ?? usual, type, content: one.content, contentId: null, inline: false }];
    }),
  );
  return files.flat();
}

function isDate(written: string | undefined): boolean {
  return written !== undefined && !Number.isNaN(Date.parse(written));
}
