// Header lines as some programs write them: raw bytes of the writer's own charset instead of encoded words (RFC 2047),
// white space before the colon (RFC 5322 4.5.8). Mended here, so that one rule serves subject, names and file names.
import { guessText } from './charset-guess.ts';

/** Header lines anywhere in the mail that carry text, with their folded continuation. */
const EIGHT_BIT_PART_HEADER =
  /^(?:content-(?:type|disposition|description)[ \t]*:|[ \t]+(?:file)?name\*?[0-9*]*=)[^\r\n]*[\x80-\xff][^\r\n]*/gim;

/** @returns the mail itself when there is nothing to mend */
export function mendHeaders(raw: Buffer): Buffer {
  const end = headEnd(raw);
  const head = raw.subarray(0, end).toString('latin1');
  const mended = head
    .replace(/^([!-9;-~]+)[ \t]+:/gm, '$1:')
    // Of each line for itself: one program wrote the subject, another the received lines.
    .replace(/^[^\r\n]*[\x80-\xff][^\r\n]*/gm, asUtf8);
  const body = raw.subarray(end);
  const parts = /^content-type:\s*multipart\//im.test(mended) ? mendParts(body) : body;
  return mended === head && parts === body ? raw : Buffer.concat([Buffer.from(mended, 'latin1'), parts]);
}

function headEnd(raw: Buffer): number {
  const windows = raw.indexOf('\r\n\r\n');
  const unix = raw.indexOf('\n\n');
  if (windows < 0 && unix < 0) return raw.length;
  return windows >= 0 && (unix < 0 || windows < unix) ? windows : unix;
}

function mendParts(body: Buffer): Buffer {
  const text = body.toString('latin1');
  const mended = text.replace(EIGHT_BIT_PART_HEADER, asUtf8);
  return mended === text ? body : Buffer.from(mended, 'latin1');
}

function asUtf8(line: string): string {
  return Buffer.from(guessText(Buffer.from(line, 'latin1')), 'utf8').toString('latin1');
}
