// One message of a conversation, received or sent.
import { defineEntity, p } from '@mikro-orm/core';
import type { MailKind } from '#domain/rules/automated-mail.ts';
import type { FileCard } from '#domain/rules/file-card.ts';
import { FILE_VERDICTS, type FileReason } from '#domain/rules/file-verdict.ts';
import type { FilledTemplate } from '#domain/rules/whatsapp-template.ts';
import { CHANNELS } from '#domain/rules/words.ts';
import { instant, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

export type Correspondent = { address: string | null; name: string | null; phone?: string | null };

const MessageSchema = defineEntity({
  name: 'Message',
  properties: {
    ...tenantOwned,
    conversationId: p.uuid(),
    direction: p.enum(['inbound', 'outbound'] as const),
    channel: p.enum(CHANNELS),
    integrationId: p.uuid(),
    receiptId: p.uuid().nullable(),
    /** Workflow id of the run that brought or sent it. */
    runId: p.string().length(200),
    /** RFC 5322 Message-ID without brackets, or the provider's id. */
    externalId: p.text().nullable(),
    inReplyTo: p.text().nullable(),
    references: p.json<string[]>(),
    sender: p.json<Correspondent>(),
    /** Where the sender asked for the answer, when that is not the sending address. */
    replyTo: p.string().length(320).nullable(),
    recipients: p.json<string[]>(),
    cc: p.json<string[]>(),
    /** Of what we sent: in the envelope only, never in a header. */
    bcc: p.json<string[]>().onCreate(() => []),
    subject: p.text(),
    /** Everything, quotes included; `newText` is what was written for this message. */
    text: p.text(),
    newText: p.text(),
    /** Sanitised at reading; shown in a sandboxed frame only. */
    html: p.text().nullable().lazy(),
    /** Null until the bulk filter has judged it; outbound messages are personal from the start. */
    kind: p.string().length(20).nullable().$type<MailKind>(),
    kindReason: p.string().length(60).nullable(),
    /** Why no machine may answer it, as a stable code; null when one may. */
    autoReplyObstacle: p.string().length(60).nullable(),
    fromBackfill: p.boolean().default(false),
    language: p.string().length(8).nullable(),
    intent: p.string().length(30).nullable(),
    /** The approved template its text was made from. */
    template: p.json<FilledTemplate>().nullable(),
    authorId: p.uuid().nullable(),
    /** When it was written, by its own account; `createdAt` is when we kept it. */
    sentAt: instant(),
  },
  uniques: [referable],
  indexes: [{ properties: ['tenantId', 'conversationId', 'sentAt'] }, { properties: ['tenantId', 'createdAt'] }],
});

export class Message extends MessageSchema.class {}
MessageSchema.setClass(Message);

const AttachmentSchema = defineEntity({
  name: 'Attachment',
  properties: {
    ...tenantOwned,
    messageId: p.uuid(),
    name: p.string().length(255),
    /** By content (magic bytes), not by what the sender claimed. */
    type: p.string().length(120),
    size: p.integer(),
    sha256: p.string().length(64),
    contentId: p.string().length(255).nullable(),
    inline: p.boolean().default(false),
    /** Whether anybody may open it, and why not. Without a reason `unchecked` is a file of our own. */
    verdict: p.enum(FILE_VERDICTS).default('unchecked'),
    verdictReason: p.string().length(40).nullable().$type<FileReason>(),
    /** What it says, when it is an invitation or a business card. */
    card: p.json<FileCard>().nullable(),
  },
  indexes: [{ properties: ['tenantId', 'messageId'] }],
});

/** A file of a message; its bytes lie in the file store under the tenant's prefix and their digest. */
export class Attachment extends AttachmentSchema.class {}
AttachmentSchema.setClass(Attachment);

const FingerprintSchema = defineEntity({
  name: 'Fingerprint',
  properties: {
    ...tenantOwned,
    /** SHA-256 of the channel's external identity; the database's last word on duplicates. */
    digest: p.string().length(64),
    /** Kept when its message is deleted, so that the same mail fetched again stays deleted. */
    messageId: p.uuid(),
  },
  uniques: [{ properties: ['tenantId', 'digest'] }],
});

/** The memory that a message has been here. */
export class Fingerprint extends FingerprintSchema.class {}
FingerprintSchema.setClass(Fingerprint);

const NoteSchema = defineEntity({
  name: 'Note',
  properties: {
    ...tenantOwned,
    conversationId: p.uuid(),
    authorId: p.uuid(),
    text: p.text(),
  },
  indexes: [{ properties: ['tenantId', 'conversationId'] }],
});

/** What agents tell each other; no client ever sees it. */
export class Note extends NoteSchema.class {}
NoteSchema.setClass(Note);
