// Real mails as the rules see them, and a plain letter from Camille to change where a test needs it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import type { MailTraits } from '../../domain/rules/mail-traits.ts';
import type { MessageFacts } from '../../domain/rules/message-facts.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/mail');

/** Paths of all real mails, such as `replies/gmail.eml`. */
export function fixturePaths(under = ''): string[] {
  return readdirSync(join(FOLDER, under), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.eml'))
    .map((path) => join(under, path))
    .sort();
}

export async function readFixture(path: string): Promise<MailTraits & { text: string }> {
  const mail = await simpleParser(readFileSync(join(FOLDER, path)));
  const headers = mail.headerLines.map(({ key, line }) => [key, line.slice(line.indexOf(':') + 1)] as const);
  const value = (name: string) => headers.find(([key]) => key === name)?.[1].trim() ?? null;
  return letter({
    headers,
    senderAddress: mail.from?.value[0]?.address ?? null,
    senderName: mail.from?.value[0]?.name || null,
    returnPath: value('return-path')?.replace(/[<>]/g, '') ?? null,
    contentType: value('content-type'),
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: mail.html || null,
  });
}

/** A letter Camille wrote to acme by hand. */
export function letter(change: Partial<MailTraits> = {}): MailTraits {
  return {
    headers: [],
    senderAddress: 'camille@client.com',
    senderName: 'Camille',
    returnPath: 'camille@client.com',
    contentType: 'text/plain; charset=utf-8',
    subject: 'Ma commande 1042',
    text: 'Bonjour, où en est ma commande ? Cordialement, Camille',
    html: null,
    answersUs: false,
    ownAddresses: ['support@acme.test', 'reply@acme.test'],
    ownMessageId: false,
    inJunk: false,
    senderRules: [],
    ...change,
  };
}

/** The same letter as rules see it. */
export function facts(change: Partial<MessageFacts> = {}): MessageFacts {
  const text = change.text ?? 'Bonjour, où en est ma commande ?';
  return {
    channel: 'email',
    sender: { address: 'camille@client.com', name: 'Camille Noël', phone: null },
    recipients: ['support@acme.test'],
    subject: 'Ma commande 1042',
    text,
    newText: text,
    language: 'fr',
    hasAttachment: false,
    client: {},
    ...change,
  };
}
