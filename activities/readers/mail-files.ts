// The files of a mail: a safe name, and the type their bytes show rather than the one the sender claims.
import { fileTypeFromBuffer } from 'file-type';
import { safeFileName } from '#domain/rules/file-name.ts';
import { storable } from '#domain/rules/stored-text.ts';
import type { IncomingAttachment } from './incoming-message.ts';
import type { MimeFile, MimeMail } from './parse-mime.ts';

const LONGEST_CONTENT_ID = 255;

/**
 * @param shown the content ids of the pictures that stand in the HTML; null where there is no HTML
 * @param truncated only the beginning of the mail is there, so that its last file was cut in two
 */
export async function readFiles(
  mail: MimeMail,
  shown: ReadonlySet<string> | null,
  truncated: boolean,
  problems: string[],
): Promise<IncomingAttachment[]> {
  const read = await Promise.all(mail.files.map(readFile));
  // Apple Mail calls every picture inline: one that the HTML shows nowhere would be seen nowhere.
  const files = read.map((file) => ({ ...file, inline: file.inline && (!shown || shown.has(file.contentId ?? '')) }));
  if (mail.leftOut > 0) problems.push(`${mail.leftOut} more files were left out: a letter does not have that many.`);
  if (!truncated) return files;
  const cut = files.pop();
  problems.push(
    cut
      ? `The mail is very large: its files from ${cut.name} on were left out.`
      : 'The mail is very large: only its beginning was kept.',
  );
  return files;
}

async function readFile(file: MimeFile): Promise<IncomingAttachment> {
  const detected = await fileTypeFromBuffer(file.content).catch(() => undefined);
  const claimed = /^[\w!#$&^.+-]{1,60}\/[\w!#$&^.+-]{1,59}$/.test(file.type) ? file.type : 'application/octet-stream';
  const contentId = file.contentId && storable(file.contentId);
  return {
    name: safeFileName(file.name) ?? nameless(claimed, detected?.ext),
    type: detected?.mime ?? claimed,
    content: file.content,
    // A longer one is no reference of a letter's own text.
    contentId: contentId && contentId.length <= LONGEST_CONTENT_ID ? contentId : null,
    inline: file.inline,
  };
}

const USUAL_NAMES: Record<string, string> = {
  'message/rfc822': 'message.eml',
  'message/delivery-status': 'delivery-status.txt',
  'message/disposition-notification': 'read-receipt.txt',
  'text/rfc822-headers': 'headers.txt',
  'text/calendar': 'invitation.ics',
  'text/vcard': 'contact.vcf',
  'text/x-vcard': 'contact.vcf',
  'text/plain': 'text.txt',
  'text/html': 'page.html',
  'application/pgp-signature': 'signature.asc',
  'application/pkcs7-signature': 'smime.p7s',
};

function nameless(claimed: string, extension: string | undefined): string {
  return USUAL_NAMES[claimed.toLowerCase()] ?? (extension ? `attachment.${extension}` : 'attachment');
}
