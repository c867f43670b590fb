// Mails as their programs write them, made for a test.
import { newId } from '#domain/tenancy/tenant-owned.ts';

export type MailToWrite = {
  from?: string;
  to?: string;
  subject?: string;
  text?: string;
  id?: string;
  date?: Date;
  headers?: Record<string, string>;
};

/** A personal mail of Camille, unless told otherwise. */
export function mail(parts: MailToWrite = {}): string {
  const headers = {
    'Return-Path': `<${(parts.from ?? 'camille@example.com').replace(/^.*<|>$/g, '')}>`,
    From: parts.from ?? 'Camille Martin <camille@example.com>',
    To: parts.to ?? 'support@acme.test',
    Subject: parts.subject ?? 'Ma commande',
    Date: (parts.date ?? new Date()).toUTCString(),
    'Message-ID': `<${parts.id ?? `${newId()}@example.com`}>`,
    'MIME-Version': '1.0',
    'Content-Type': 'text/plain; charset=utf-8',
    ...parts.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n${parts.text ?? 'Bonjour, où est ma commande #12345 ?'}\r\n`;
}

/** What a mail server says of a mail it could not deliver (RFC 3464). */
export function bounceOf(originalMessageId: string, recipient: string): string {
  return [
    'Return-Path: <>',
    'From: Mail Delivery System <MAILER-DAEMON@mx.example.com>',
    'To: support@acme.test',
    'Subject: Undelivered Mail Returned to Sender',
    `Date: ${new Date().toUTCString()}`,
    `Message-ID: <${newId()}@mx.example.com>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'This is the mail system. Your message could not be delivered.',
    '',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.com',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 User unknown',
    '',
    '--b',
    'Content-Type: text/rfc822-headers',
    '',
    `Message-ID: <${originalMessageId}>`,
    'Subject: Re: Ma commande',
    '',
    '--b--',
    '',
  ].join('\r\n');
}
