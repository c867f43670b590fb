// The mail as it goes over the wire: the same Message-ID on every attempt, the headers that keep it in its thread, its
// files, and for automatic answers the mark of RFC 3834 that stops other machines from answering it.
import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Attachment, Message } from '#domain/conversations/message.ts';
import type { Reply } from '#domain/conversations/reply.ts';
import { imageMark } from '#domain/rules/outgoing-files.ts';
import type { MailSource } from './smtp.ts';

export type ComposedMail = { envelope: { from: string; to: string[] }; source: MailSource };

/**
 * @param replyTo where answers are to go, when not to the sender
 * @param open gives a file's bytes; called only when they are to be written
 */
export function composeMail(
  reply: Reply,
  message: Message,
  files: Attachment[],
  replyTo: string | null,
  open: (file: Attachment) => Readable,
): ComposedMail {
  const from = message.sender.address ?? '';
  const to = [...message.recipients, ...message.cc, ...message.bcc];
  const source = () => {
    const opened: Readable[] = [];
    const opening = (file: Attachment) => whenRead(() => remembered(opened, open(file)));
    const text = new MailComposer({
      from: { address: from, name: message.sender.name ?? '' },
      ...(replyTo ? { replyTo: { address: replyTo, name: message.sender.name ?? '' } } : {}),
      to: message.recipients,
      cc: message.cc,
      subject: message.subject,
      text: message.text,
      html: asHtml(message.text, files),
      messageId: `<${reply.messageIdHeader}>`,
      date: message.sentAt,
      ...(message.inReplyTo ? { inReplyTo: `<${message.inReplyTo}>` } : {}),
      ...(message.references.length > 0 ? { references: message.references.map((id) => `<${id}>`) } : {}),
      attachments: files.map((file) => ({
        filename: file.name,
        contentType: wireType(file.type),
        content: opening(file),
        ...(file.contentId ? { cid: file.contentId, contentDisposition: 'inline' as const } : {}),
      })),
      headers: reply.automatic
        ? { 'Auto-Submitted': 'auto-replied', 'X-Auto-Response-Suppress': 'All', Precedence: 'auto_reply' }
        : {},
      // Nothing in a text may make the server read files or fetch addresses.
      disableFileAccess: true,
      disableUrlAccess: true,
    })
      .compile()
      .createReadStream();
    // A connection that breaks in the middle of a file leaves it open otherwise.
    return text.once('close', () => {
      for (const stream of opened) stream.destroy();
    });
  };
  return { envelope: { from, to }, source };
}

// One after the other: twenty files that wait for their turn are not twenty open files, and one that is gone is an error
// of the mail rather than of nobody.
function whenRead(open: () => Readable): Readable {
  return Readable.from(
    (async function* () {
      yield* open();
    })(),
    { objectMode: false },
  );
}

function remembered(opened: Readable[], stream: Readable): Readable {
  opened.push(stream);
  return stream;
}

// A mail as a file: base64 is forbidden to it under its own type (RFC 2046, 5.2.1), and without base64 its bytes would
// not arrive as they are.
function wireType(type: string): string {
  return /^(message|multipart)\//i.test(type) ? 'application/octet-stream' : type;
}

function asHtml(text: string, files: Attachment[]): string {
  const paragraphs = withPictures(escaped(text), files)
    .split(/\n{2,}/)
    .map((paragraph) => `<p>${paragraph.replaceAll('\n', '<br>')}</p>`);
  return `<!doctype html><html><body>${paragraphs.join('')}</body></html>`;
}

function withPictures(html: string, files: Attachment[]): string {
  return files.reduce((shown, { name, contentId }) => {
    const picture = `<img src="cid:${contentId}" alt="${escaped(name)}" style="max-width: 100%">`;
    return contentId ? shown.replaceAll(escaped(imageMark(name)), () => picture) : shown;
  }, html);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
