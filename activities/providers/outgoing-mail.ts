// The mail as it goes over the wire: the same Message-ID on every attempt, the headers that keep it in its thread, and
// for automatic answers the mark of RFC 3834 that stops other machines from answering it.
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Message } from '#domain/conversations/message.ts';
import type { Reply } from '#domain/conversations/reply.ts';

export type ComposedMail = { envelope: { from: string; to: string[] }; source: Buffer };

export async function composeMail(reply: Reply, message: Message): Promise<ComposedMail> {
  const from = message.sender.address ?? '';
  const composer = new MailComposer({
    from: { address: from, name: message.sender.name ?? '' },
    to: message.recipients,
    cc: message.cc,
    subject: message.subject,
    text: message.text,
    html: asHtml(message.text),
    messageId: `<${reply.messageIdHeader}>`,
    date: message.sentAt,
    ...(message.inReplyTo ? { inReplyTo: `<${message.inReplyTo}>` } : {}),
    ...(message.references.length > 0 ? { references: message.references.map((id) => `<${id}>`) } : {}),
    headers: reply.automatic
      ? { 'Auto-Submitted': 'auto-replied', 'X-Auto-Response-Suppress': 'All', Precedence: 'auto_reply' }
      : {},
    // Nothing in a text may make the server read files or fetch addresses.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const source = await composer.compile().build();
  return { envelope: { from, to: [...message.recipients, ...message.cc] }, source };
}

function asHtml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const paragraphs = escaped.split(/\n{2,}/).map((paragraph) => `<p>${paragraph.replaceAll('\n', '<br>')}</p>`);
  return `<!doctype html><html><body>${paragraphs.join('')}</body></html>`;
}
