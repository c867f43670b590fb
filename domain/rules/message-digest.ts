// The identity of a mail is the SHA-256 of this string, made elsewhere. Message-ID alone is none:
// different mails share one, and some have none. What transport changes is evened out: folding, line ends, trailing
// white space, the case of the address, the zone of the date.
import { normaliseAddress } from './email-address.ts';
import { mailInstant } from './mail-date.ts';
import { parseMessageIds } from './threading.ts';

/** Goes into the digest: change it together with these rules, and old mails fetched again become new ones. */
const VERSION = 'mail-1';

/**
 * @param parts as the mail has them; `text` is the decoded plain text, or the text made from its HTML
 * @returns one string; each field with its length, so that no two different mails can give the same one
 */
export function canonicalMessage(parts: {
  messageId: string | null;
  senderAddress: string | null;
  date: string | null;
  subject: string;
  text: string;
}): string {
  const fields = [
    canonicalId(parts.messageId),
    canonicalAddress(parts.senderAddress),
    canonicalDate(parts.date),
    collapse(parts.subject),
    canonicalText(parts.text),
  ];
  return [VERSION, ...fields.map(withLength)].join('\n');
}

/** `-` for what is missing, which no length looks like. */
function withLength(field: string | null): string {
  // A lone surrogate has no UTF-8: the digest would replace it anyway.
  const value = field?.toWellFormed();
  return value === undefined ? '-' : `${value.length}:${value}`;
}

function canonicalId(messageId: string | null): string | null {
  const [id] = parseMessageIds(messageId);
  return id ?? (messageId ? withoutBrackets(messageId) : null);
}

function canonicalAddress(address: string | null): string | null {
  return address ? (normaliseAddress(address) ?? (collapse(address).toLowerCase() || null)) : null;
}

/** The marks keep an unreadable date apart from an instant. */
function canonicalDate(date: string | null): string | null {
  const words = date && collapse(date);
  if (!words) return null;
  const instant = mailInstant(words);
  return instant === null ? `as written: ${words.toLowerCase()}` : `instant: ${instant}`;
}

function canonicalText(text: string): string {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trimEnd());
  let first = 0;
  let end = lines.length;
  while (first < end && lines[first] === '') first++;
  while (end > first && lines[end - 1] === '') end--;
  return lines.slice(first, end).join('\n');
}

function withoutBrackets(id: string): string | null {
  return id.replace(/[<>\s]+/g, '') || null;
}

function collapse(value: string): string {
  return value.replace(/\s+/g, ' ').trim();
}
