// Reads what a bounce says of the mail it gives back: the report of RFC 3464 with the codes of RFC 3463, or, because
// many servers only write a letter, what can be found in that.
import type { MailHeaders } from '#domain/rules/automated-mail.ts';
import { isFromMailSystem } from '#domain/rules/bounced-mail.ts';
import { normaliseAddress } from '#domain/rules/email-address.ts';
import { parseMessageIds } from '#domain/rules/threading.ts';
import type { MimeFile } from './parse-mime.ts';

export type Bounce = {
  recipients: { recipient: string | null; status: string | null; action: string | null }[];
  /** The Message-ID of the mail that came back. */
  originalMessageId: string | null;
};

export type BounceTraits = {
  headers: MailHeaders;
  senderAddress: string | null;
  text: string;
  files: readonly MimeFile[];
};

const ORIGINAL = /^(message\/rfc822|text\/rfc822-headers|message\/rfc822-headers|message\/global(-headers)?)$/i;
const READ_CHARACTERS = 50_000;
const MOST_RECIPIENTS = 100;

/** @returns null when the mail carries no delivery status and is no letter of a mail server */
export function readBounce(mail: BounceTraits): Bounce | null {
  const reports = mail.files.filter((file) => /^message\/(global-)?delivery-status$/i.test(file.type));
  if (reports.length > 0)
    return {
      recipients: reports.flatMap(({ content }) => recipientsOf(content.toString('utf8'))),
      originalMessageId: originalOf(mail),
    };
  if (!isFromMailSystem(mail)) return null;
  if (/^Final-Recipient:/im.test(mail.text))
    return { recipients: recipientsOf(mail.text.slice(0, READ_CHARACTERS)), originalMessageId: originalOf(mail) };
  return { recipients: failuresIn(mail), originalMessageId: originalOf(mail) };
}

// The first block of a report is about the message; some servers leave it out, or put each recipient in a report of its own.
function recipientsOf(report: string): Bounce['recipients'] {
  return fieldBlocks(report)
    .filter((fields) => fields['final-recipient'] ?? fields['original-recipient'] ?? fields.action)
    .slice(0, MOST_RECIPIENTS)
    .map((fields) => ({
      recipient: addressIn(fields['final-recipient'] ?? fields['original-recipient']),
      status: /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fields.status ?? '')?.[0] ?? null,
      action: /^\w+/.exec(fields.action ?? '')?.[0].toLowerCase() ?? null,
    }));
}

function addressIn(field: string | undefined): string | null {
  return normaliseAddress(field?.split(';').at(-1) ?? '');
}

// Exim names those for whom it has given up; the others put the address on a line of its own, or before a colon, and a code
// of RFC 3463 somewhere into their sentence.
function failuresIn({ headers, text }: BounceTraits): Bounce['recipients'] {
  const letter = text.slice(0, READ_CHARACTERS).split(COPY_FOLLOWS)[0]!;
  const isDelay = DELAY.test(letter);
  const status = (isDelay ? /\b4\.\d{1,3}\.\d{1,3}\b/ : /\b5\.\d{1,3}\.\d{1,3}\b/).exec(letter)?.[0] ?? null;
  const named = headers.find(([name]) => name.toLowerCase() === 'x-failed-recipients')?.[1].split(',') ?? [];
  if (named.length > 0 && !isDelay) {
    return named
      .slice(0, MOST_RECIPIENTS)
      .map((one) => ({ recipient: normaliseAddress(one), status, action: 'failed' }));
  }
  const recipients = writtenIn(letter).slice(0, MOST_RECIPIENTS);
  const action = isDelay ? 'delayed' : status || FINAL.test(letter) ? 'failed' : null;
  if (recipients.length === 0) return status || action ? [{ recipient: null, status, action }] : [];
  return recipients.map((recipient) => ({ recipient, status, action }));
}

function writtenIn(letter: string): string[] {
  const found = [...letter.matchAll(RECIPIENT_LINE)].map((match) => normaliseAddress(match.slice(1).find(Boolean)!));
  return [...new Set(found)].filter((address) => address !== null);
}

const COPY_FOLLOWS =
  /^.{0,30}(?:this is a copy of|below (?:this line|is a copy)|forwarded message|original message|message (?:headers? |text )?follow|headers? of the original|message d'origine)/im;
const DELAY =
  /not yet been delivered|delayed|will (?:be retried|retry|continue to try)|n'a pas encore (?:pu )?(?:être|etre)/i;
/** The server has given up; what it says in other words is left open. */
const FINAL =
  /\b5\d\d[ -]|permanent|given up|did not reach|unable to deliver|(?:was|been) not delivered|(?:does not|doesn't) exist|(?:unknown|no such|invalid) (?:user|address|recipient)|(?:user|recipient) (?:unknown|not (?:found|recognized))|could ?n[o']t be delivered|n'a pas pu (?:être|etre)|nicht zugestellt werden|no se ha podido entregar/i;
// An address at the beginning of a line, behind a mark or a label; before a colon; or to which a mail was meant to go.
const ADDRESS = '[^\\s<>@:;,"()]{1,64}@[^\\s<>:;,"()]{3,190}';
const RECIPIENT_LINE = new RegExp(
  `^[ \\t>*"•-]*<?(${ADDRESS})>?"?(?=[ \\t]*[:(\\r\\n]|[ \\t]*$|[ \\t]+(?:on |\\p{Lu}))|^(?:To|Unknown user|Recipient)[ \\t]*:[ \\t]*<?(${ADDRESS})>?[ \\t]*\\r?$|<(${ADDRESS})>[ \\t]*:|\\b(?:to|an|à|para) <(${ADDRESS})>`,
  'gmu',
);

function originalOf({ text, files }: BounceTraits): string | null {
  const original = files.find((file) => ORIGINAL.test(file.type));
  const headers = original ? fieldBlocks(original.content.subarray(0, READ_CHARACTERS).toString('utf8'))[0] : undefined;
  // A letter repeats the headers of the mail in its text, perhaps marked as a quotation.
  const quoted = /^[> \t]*Message-ID:\s*(<[^<>\s]{3,250}>)/im.exec(text.slice(0, READ_CHARACTERS))?.[1];
  return parseMessageIds(headers?.['message-id'] ?? quoted ?? null)[0] ?? null;
}

function fieldBlocks(text: string): Record<string, string>[] {
  return text
    .split(/\r?\n[ \t]*\r?\n/)
    .map((block) => {
      const unfolded = block.replace(/\r?\n[ \t]+/g, ' ');
      const fields = [...unfolded.matchAll(/^([\w-]+):[ \t]*(.*)$/gm)];
      return Object.fromEntries(fields.map((field) => [field[1]!.toLowerCase(), field[2]!.trim()]));
    })
    .filter((fields) => Object.keys(fields).length > 0);
}
