// Reads an SMS of Vonage's SMS API, whole or joined from its parts in whatever order they came. What is missing after
// its time is said so in its place, and the rest is shown.
import { fromVonage } from '#domain/rules/phone-number.ts';
import { storable } from '#domain/rules/stored-text.ts';
import { digestOf, type IncomingMessage, threadKey } from './incoming-message.ts';
import { believableDate } from './sent-at.ts';
import { inOrder, type SmsPart } from './sms-parts.ts';

/**
 * @param received the parts that came
 * @param ownId the one that is read; it is in the message whatever else is
 */
export function readTextMessage(received: readonly SmsPart[], ownId: string): IncomingMessage {
  const parts = inOrder(received, received.find(({ id }) => id === ownId)!);
  const first = parts[0]!;
  const problems: string[] = [];
  const from = storable(first.parameters.msisdn ?? '').trim();
  const to = storable(first.parameters.to ?? '').trim();
  const phone = fromVonage(from);
  const ours = fromVonage(to) ?? to;
  const missing = first.total - parts.length;
  if (missing > 0) problems.push(`${missing} of its ${first.total} parts did not arrive.`);
  const text = joined(parts);
  return {
    channel: 'sms',
    digest: digestOf(`sms:${first.sourceId}`),
    externalId: first.sourceId,
    inReplyTo: null,
    references: [],
    // A short code or a sender's name is no number to answer to.
    sender: { address: null, name: null, phone: phone ?? (from || null) },
    replyTo: null,
    replyToName: null,
    clientName: null,
    contacts: from ? [phone ? { kind: 'phone', value: phone } : { kind: 'handle', value: `sms:${from}` }] : [],
    recipients: [ours],
    cc: [],
    subject: '',
    text,
    newText: text,
    html: null,
    sentAt: believableDate(utc(first.parameters['message-timestamp']), first.receivedAt, problems),
    attachments: [],
    threadKeys: from ? [threadKey('sms', `${ours}:${phone ?? from}`)] : [],
    headers: [],
    contentType: null,
    returnPath: null,
    bounce: null,
    problems,
    ...(first.total > 1 ? { series: { receiptIds: parts.map(({ id }) => id), missing } } : {}),
  };
}

const GAP = '[…]';

function joined(parts: readonly SmsPart[]): string {
  const { total } = parts[0]!;
  const texts = Array.from({ length: total }, (_, index) => {
    const part = parts.find((one) => one.part === index + 1) ?? (total === 1 ? parts[0] : undefined);
    return part ? storable(textOf(part)) : GAP;
  });
  return texts.join('').replaceAll(`${GAP}${GAP}`, GAP);
}

function textOf({ parameters }: SmsPart): string {
  if (parameters.text !== undefined) return parameters.text;
  // Data for a program of the telephone: shown as such, nobody can read it.
  return `[${parameters.type ?? 'empty'}]${parameters.data ? ` ${parameters.data}` : ''}`;
}

/** `2026-11-25 09:30:00`, in UTC. */
function utc(written: string | undefined): string | undefined {
  return written && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(written) ? `${written.replace(' ', 'T')}Z` : undefined;
}
