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
    .replace(EIGHT_BIT_WORD, asQuotedPrintable)
    // Of each line for itself: one program wrote the subject, another the received lines.
    .replace(/^[^\r\n]*[\x80-\xff][^\r\n]*/gm, asUtf8);
  const body = raw.subarray(end);
  const isMultipart = /^content-type:\s*multipart\//im.test(mended);
  const whole = isMultipart ? mendBoundary(mended, body) : mended;
  const parts = isMultipart ? mendParts(body) : body;
  return whole === head && parts === body ? raw : Buffer.concat([Buffer.from(whole, 'latin1'), parts]);
}

/** The line between parts as it stands, where the header names another one; without any such line the body is text. */
function mendBoundary(head: string, body: Buffer): string {
  return head.replace(/^content-type:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/im, (field) => {
    if (field.length > LONGEST_FIELD) return field;
    const [parameter, quoted, bare] = /;?\s*\bboundary\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(field) ?? [];
    const boundary = (quoted ?? bare)?.replace(/\r?\n/g, '');
    // RFC 2231 may spell it over several parameters.
    if (/\bboundary\*/i.test(field)) return field;
    if (boundary && body.includes(`--${boundary}`, 0, 'latin1'))
      return field.replace(/^(content-type:\s*multipart\/[\w-]+)(?=\s+boundary\s*=)/i, '$1;');
    const met = FIRST_PART.exec(body.toString('latin1', 0, FIRST_PART_WITHIN))?.[1];
    return met ? `${field.replace(parameter ?? '', '')}; boundary="${met}"` : 'Content-Type: text/plain';
  });
}

/** A longer one is made to keep us busy. */
const LONGEST_FIELD = 5000;
const FIRST_PART = /^--([^\s"\\$][^\r\n"\\$]{0,68}[^\s"\\$])[ \t]*\r?\n(?=content-[a-z-]+[ \t]*:)/im;
const FIRST_PART_WITHIN = 100_000;

/** Raw bytes within an encoded word are of its charset, whatever the rest of the line is. */
const EIGHT_BIT_WORD = /=\?[\w-]{2,40}\?q\?[^?\s]*[\x80-\xff][^?\s]*\?=/gi;

function asQuotedPrintable(word: string): string {
  return word.replace(/[\x80-\xff]/g, (byte) => `=${byte.charCodeAt(0).toString(16).toUpperCase()}`);
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
