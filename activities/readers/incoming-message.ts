// What every reader makes of a receipt: the message in our own form, and what the later steps need to judge it.
import { createHash } from 'node:crypto';
import type { Contact } from '#domain/people/client.ts';
import type { MailHeaders } from '#domain/rules/automated-mail.ts';
import type { Channel } from '#domain/rules/message-facts.ts';
import type { Bounce } from './bounce.ts';

export type IncomingAttachment = {
  name: string;
  type: string;
  content: Buffer;
  contentId: string | null;
  inline: boolean;
};

export type IncomingMessage = {
  channel: Channel;
  /** Hex SHA-256 of the external identity: two receipts with one digest are one message. */
  digest: string;
  externalId: string | null;
  inReplyTo: string | null;
  references: string[];
  sender: { address: string | null; name: string | null; phone: string | null };
  /** Where answers are asked to go, when that is not the sender. */
  replyTo: string | null;
  replyToName?: string | null;
  /** How the client is known: most telling first. */
  contacts: Contact[];
  clientName: string | null;
  recipients: string[];
  cc: string[];
  subject: string;
  text: string;
  newText: string;
  /** Sanitised; null when there was none. */
  html: string | null;
  sentAt: Date;
  attachments: IncomingAttachment[];
  /** Keys that lead to its conversation (domain/conversations/thread.ts), its own first. */
  threadKeys: string[];
  /** What stands in the addresses it was sent to, when one of our mails asked to be answered there. */
  replySecrets?: string[];
  /** Mail headers in order, empty for other channels. */
  headers: MailHeaders;
  contentType: string | null;
  returnPath: string | null;
  /** What a bounce says of the mail it gives back. */
  bounce: Bounce | null;
  /** Things a person may want to know about the reading: a damaged date, a part that was left out. */
  problems: string[];
  /** Files that lie at the provider, not fetched yet. */
  media?: MediaToFetch[];
  /** Of a long SMS. */
  series?: Series;
};

export type MediaToFetch = { url: string; name: string | null; kind: string };

export type FetchedFile = { content: Buffer } | { problem: string };

export type Series = {
  /** The receipts whose parts are in the text. */
  receiptIds: string[];
  /** Parts that have not come. */
  missing: number;
};

/** The raw form cannot be read: the receipt is set aside with this sentence, and the others go on. */
export class Unreadable extends Error {
  override name = 'Unreadable';
}

export function digestOf(identity: string): string {
  return createHash('sha256').update(identity).digest('hex');
}

const LONGEST_KEY = 250;

/** A thread key of bounded length: long Message-IDs exist, and an index entry has a limit. */
export function threadKey(scheme: string, id: string): string {
  const key = `${scheme}:${id}`;
  return key.length <= LONGEST_KEY ? key : `${scheme}:sha256:${digestOf(id)}`;
}
