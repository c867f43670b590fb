// What the readers and the pure rules make of one mail, for `relais explain`: nothing is stored, no server is asked.
import { z } from 'zod';
import { classifyMail, type MailVerdict } from '#domain/rules/automated-mail.ts';
import { domainOf } from '#domain/rules/email-address.ts';
import { readEmail } from './email.ts';
import { type IncomingMessage, Unreadable } from './incoming-message.ts';
import { mailTraitsOf } from './mail-traits-of.ts';

const mailbox = z.object({
  name: z.string().nullable(),
  address: z.string().nullable().describe('In lower case.'),
});

const messageId = z.string().describe('Without angle brackets, its domain in lower case.');

export const explainedMailSchema = z
  .object({
    file: z.string().describe('As it was named, or found in the folder that was named.'),
    kind: z
      .enum(['personal', 'newsletter', 'list', 'automatic', 'bounce', 'loop', 'spam'])
      .describe('Only a personal mail is answered. What could not be judged is personal: it is never filtered.'),
    reason: z.string().describe('The rule that decided, as a stable code: docs/explain-a-mail.md lists them.'),
    messageId: messageId.nullable(),
    from: mailbox.nullable(),
    replyTo: mailbox.nullable(),
    to: z.array(z.string()).describe('Addresses; the members of a group stand for it.'),
    cc: z.array(z.string()),
    subject: z.string(),
    date: z.iso.datetime().nullable().describe('In UTC; null when it is missing or cannot be right.'),
    inReplyTo: messageId.nullable(),
    references: z.array(messageId),
    text: z.string().describe('The words of the mail, of its HTML where there is no plain text.'),
    newText: z.string().describe('The text without quoted mails and without the signature.'),
    attachments: z.array(
      z.object({
        name: z.string(),
        type: z.string().describe('As its bytes show, or as the sender claims.'),
        size: z.int().min(0).describe('In bytes, decoded.'),
        inline: z.boolean().describe('Shown within the text.'),
      }),
    ),
    bounce: z
      .object({
        recipient: z.string().nullable(),
        status: z.string().nullable().describe('A code of RFC 3463, such as 5.1.1.'),
        action: z.string().nullable().describe('Of RFC 3464: failed, delayed, delivered, relayed or expanded.'),
      })
      .nullable()
      .describe('What a bounce says of the first recipient that failed.'),
    problems: z.array(z.string()).describe('What could not be read, each as a sentence.'),
  })
  .strict();

export type ExplainedMail = z.infer<typeof explainedMailSchema>;

type Explaining = {
  file: string;
  /** The company's own addresses. */
  own: readonly string[];
  receivedAt: Date;
  /** Only the beginning of the mail is there. */
  truncated?: boolean;
};

/** Never throws for what stands in the mail. */
export async function explainMail(raw: Buffer, explaining: Explaining): Promise<ExplainedMail> {
  const { file, own, receivedAt, truncated } = explaining;
  try {
    const mail = await readEmail(raw, receivedAt, truncated);
    const { kind, reason } = judge(mail, own);
    return {
      file,
      kind,
      reason,
      ...described(mail, receivedAt),
      bounce: kind === 'bounce' ? firstFailure(mail) : null,
    };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return setAside(raw, explaining, error.message);
  }
}

/** An installation sets such a mail aside. What its first header lines say helps to find it. */
async function setAside(raw: Buffer, { file, receivedAt }: Explaining, problem: string): Promise<ExplainedMail> {
  const unread = unexplained(file, 'unreadable', problem);
  const head = await readEmail(headLines(raw), receivedAt).catch(() => null);
  return head ? { ...unread, ...described(head, receivedAt), problems: unread.problems } : unread;
}

const HEAD_BYTES = 50_000;

function headLines(raw: Buffer): Buffer {
  const head = raw.subarray(0, HEAD_BYTES).toString('latin1');
  const lines = head.split(/\r?\n\r?\n/)[0]!.split(/\r?\n(?![ \t])/);
  // Without the type of its parts, and without what only a hostile line is long enough for.
  const plain = lines.filter((line) => !/^content-/i.test(line) && line.length < 10_000);
  return Buffer.from(`${plain.join('\r\n')}\r\n\r\n`, 'latin1');
}

function described(
  mail: IncomingMessage,
  receivedAt: Date,
): Omit<ExplainedMail, 'file' | 'kind' | 'reason' | 'bounce'> {
  const { address, name } = mail.sender;
  return {
    messageId: mail.externalId,
    from: address || name ? { name, address } : null,
    replyTo: mail.replyTo || mail.replyToName ? { name: mail.replyToName ?? null, address: mail.replyTo } : null,
    to: mail.recipients,
    cc: mail.cc,
    subject: mail.subject,
    // The reader's answer to a date that is missing or cannot be right is the one it was given.
    date: mail.sentAt === receivedAt ? null : mail.sentAt.toISOString(),
    inReplyTo: mail.inReplyTo,
    references: mail.references,
    text: mail.text,
    newText: mail.newText,
    attachments: mail.attachments.map(({ name, type, content, inline }) => ({
      name,
      type,
      size: content.length,
      inline,
    })),
    problems: mail.problems,
  };
}

/** What is said of a mail that could not be read, in time or at all: nothing is known, so nothing is filtered. */
export function unexplained(file: string, reason: string, problem: string): ExplainedMail {
  return {
    file,
    kind: 'personal',
    reason,
    messageId: null,
    from: null,
    replyTo: null,
    to: [],
    cc: [],
    subject: '',
    date: null,
    inReplyTo: null,
    references: [],
    text: '',
    newText: '',
    attachments: [],
    bounce: null,
    problems: [problem],
  };
}

function judge(mail: IncomingMessage, own: readonly string[]): MailVerdict {
  const domains = own.map(domainOf).filter((domain) => domain !== null);
  const parents = [...mail.references, ...(mail.inReplyTo ? [mail.inReplyTo] : [])];
  return classifyMail(
    mailTraitsOf(mail, {
      ownAddresses: own,
      senderRules: [],
      // An installation knows the mails it sent. Here their domain stands for them.
      answersUs: parents.some((id) => domains.some((domain) => id.endsWith(`@${domain}`))),
      ownMessageId: false,
      inJunk: false,
    }),
  );
}

function firstFailure({ bounce }: IncomingMessage): ExplainedMail['bounce'] {
  const recipients = bounce?.recipients ?? [];
  return recipients.find(({ action }) => action === 'failed') ?? recipients[0] ?? null;
}
