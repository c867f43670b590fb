// Reads what a bounce says of the mail it gives back (RFC 3464, codes of RFC 3463).
import type { Attachment } from 'mailparser';
import { normaliseAddress } from '#domain/rules/email-address.ts';
import { parseMessageIds } from '#domain/rules/threading.ts';

export type Bounce = {
  recipients: { recipient: string | null; status: string | null; action: string | null }[];
  /** The Message-ID of the mail that came back. */
  originalMessageId: string | null;
};

const ORIGINAL = /^(message\/rfc822|text\/rfc822-headers|message\/rfc822-headers)$/i;

/** @returns null when the mail carries no delivery status */
export function readBounce(attachments: readonly Attachment[]): Bounce | null {
  const status = attachments.find((part) => part.contentType.toLowerCase() === 'message/delivery-status');
  if (!status) return null;
  const [, ...recipients] = fieldBlocks(status.content.toString('utf8'));
  const original = attachments.find((part) => ORIGINAL.test(part.contentType));
  const headers = original ? fieldBlocks(original.content.toString('utf8'))[0] : undefined;
  return {
    recipients: recipients.map((fields) => ({
      recipient: normaliseAddress(fields['final-recipient']?.split(';').at(-1) ?? ''),
      status: /\d\.\d{1,3}\.\d{1,3}/.exec(fields.status ?? '')?.[0] ?? null,
      action: fields.action?.toLowerCase() ?? null,
    })),
    originalMessageId: parseMessageIds(headers?.['message-id'] ?? null)[0] ?? null,
  };
}

function fieldBlocks(text: string): Record<string, string>[] {
  return text
    .split(/\r?\n\s*\r?\n/)
    .map((block) => {
      const unfolded = block.replace(/\r?\n[ \t]+/g, ' ');
      const fields = [...unfolded.matchAll(/^([\w-]+):[ \t]*(.*)$/gm)];
      return Object.fromEntries(fields.map((field) => [field[1]!.toLowerCase(), field[2]!.trim()]));
    })
    .filter((fields) => Object.keys(fields).length > 0);
}
