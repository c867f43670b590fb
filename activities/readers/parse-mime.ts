// Takes a mail apart (MIME, RFC 2045 to 2049) with mailparser, and is as forgiving as the programs people read mail
// with: a charset that is missing or wrong, raw 8-bit header lines, a disposition that is none, files without a name.
import { buffer } from 'node:stream/consumers';
import { type AttachmentStream, type Headers, MailParser, type MessageText } from 'mailparser';
import { guessable, guessing } from './charset-guess.ts';
import { mendHeaders } from './mend-headers.ts';
import { decodeUu, isUuencoded } from './uuencode.ts';

/** More is no letter; what is beyond it stays in the raw mail. */
const MOST_FILES = 200;

export type MimeText = {
  type: 'text/plain' | 'text/html';
  content: string;
  /** The multipart/alternative it is one form of: of those one is read. */
  alternative: object | null;
};

export type MimeFile = {
  name: string | null;
  /** As the sender claims. */
  type: string;
  content: Buffer;
  contentId: string | null;
  inline: boolean;
};

export type MimeMail = {
  /** In the order of the mail, unfolded. */
  headers: [name: string, value: string][];
  parsed: Headers;
  texts: MimeText[];
  files: MimeFile[];
  /** Files beyond the limit. */
  leftOut: number;
};

/** @throws Error of mailparser when it finds no way through */
export async function parseMime(raw: Buffer): Promise<MimeMail> {
  const parser = new ForgivingParser({
    keepDeliveryStatus: true,
    checksumAlgo: false,
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipTextLinks: true,
    skipImageLinks: true,
  });
  // A fault leaves the file being read without an end; one after it must not end the process.
  const fault = new Promise<never>((_, reject) => parser.on('error', reject));
  fault.catch(() => {});
  parser.end(mendHeaders(raw));
  const files: MimeFile[] = [];
  let leftOut = 0;
  for await (const item of parser as AsyncIterable<AttachmentStream | MessageText>) {
    if (item.type !== 'attachment') continue;
    item.content.on('error', () => {});
    const content = await Promise.race([buffer(item.content), fault]);
    if (files.length < MOST_FILES) files.push(fileOf(item, content));
    else leftOut += 1;
    item.release?.();
  }
  return {
    headers: headersOf(parser.headerLines || []),
    parsed: parser.headers || new Map(),
    texts: parser.texts(),
    files,
    leftOut,
  };
}

function headersOf(lines: RawHeaders): [string, string][] {
  return lines.map(({ key, line }) => {
    // mailparser hands the bytes over one by one; mended, they are UTF-8.
    const text = Buffer.from(line, 'binary').toString('utf8');
    const value = text.slice(text.indexOf(':') + 1);
    return [key, value.replace(/\r?\n[ \t]+/g, ' ').trim()];
  });
}

function fileOf(part: AttachmentStream, content: Buffer): MimeFile {
  const location = part.headers.get('content-location');
  const encoding = part.headers.get('content-transfer-encoding');
  return {
    name: part.filename || (typeof location === 'string' ? location.replace(/[?#].*$/, '') : null) || null,
    type: part.contentType,
    content: isUuencoded(encoding) ? decodeUu(content) : content,
    contentId: part.cid ?? null,
    inline: part.related === true || (part.contentDisposition === 'inline' && part.cid !== undefined),
  };
}

// What mailparser keeps to itself. Its version is pinned, and tests/activities/readers.test.ts reads mails of every kind.
type Node = {
  root: boolean;
  parentNode: Node | false;
  contentType: string | false;
  charset: string | false;
  disposition: string | false;
  filename: string | false;
};
type TreeNode = {
  contentType: string | false;
  textContent?: string;
  isAttachment?: boolean;
  showMeta?: boolean;
  headers: Headers;
  headerLines: RawHeaders;
  children: TreeNode[];
};
type RawHeaders = ReadonlyArray<{ key: string; line: string }>;
type Internals = {
  tree: TreeNode | false;
  createNode(node: Node): TreeNode;
  getDecoder(): { decodeStream(charset: string): NodeJS.ReadWriteStream };
};
const inner = MailParser.prototype as unknown as Internals;

class ForgivingParser extends MailParser {
  /** A text part before this one has been met: files of text come after it. */
  hasText?: boolean;

  createNode(node: Node): TreeNode {
    // RFC 2045 5.2: a type that is none counts as plain text.
    if (node.contentType && !/^[^\s/]+\/[^\s/]/.test(node.contentType)) node.contentType = 'text/plain';
    const isText = node.contentType === 'text/plain' || node.contentType === 'text/html';
    if (isText && !node.filename && !isDisposition(node.disposition)) node.disposition = false;
    if (isText && this.isTextFile(node)) node.disposition = 'attachment';
    if (isText) node.charset = guessable(node.charset || '');
    return inner.createNode.call(this, node);
  }

  getDecoder() {
    const usual = inner.getDecoder.call(this);
    return {
      decodeStream: (charset: string) => guessing(charset, (name) => usual.decodeStream(name)),
    };
  }

  texts(): MimeText[] {
    const { tree } = this as unknown as Internals;
    return tree ? textsOf(tree, null) : [];
  }

  // `Content-Disposition: inline; filename=prices.csv` is a file to keep, unless it is the letter itself.
  private isTextFile(node: Node): boolean {
    const { hasText, hasHtml } = this as unknown as { hasText: boolean; hasHtml: boolean };
    const isAlternative = node.parentNode && node.parentNode.contentType === 'multipart/alternative';
    return Boolean(node.filename) && !node.root && !isAlternative && (hasText || hasHtml);
  }
}

// An unknown one counts as attachment (RFC 2183 2.8), but a letter must not hide behind a damaged header.
function isDisposition(disposition: string | false): boolean {
  return disposition === 'inline' || disposition === 'attachment';
}

function textsOf(node: TreeNode, alternative: object | null): MimeText[] {
  const texts: MimeText[] = [];
  // A mail forwarded inside this one begins with who wrote it.
  if (node.showMeta) texts.push({ type: 'text/plain', content: forwardedHead(node), alternative: null });
  if (node.textContent && !node.isAttachment && (node.contentType === 'text/plain' || node.contentType === 'text/html'))
    texts.push({ type: node.contentType, content: node.textContent, alternative });
  const within = node.contentType === 'multipart/alternative' ? node : alternative;
  return [...texts, ...node.children.flatMap((child) => textsOf(child, within))];
}

function forwardedHead(node: TreeNode): string {
  // The date as it stands there: mailparser takes a damaged one for now.
  const date = headersOf(node.headerLines).find(([name]) => name === 'date')?.[1];
  const lines = ['From', 'Date', 'Subject', 'To', 'Cc'].flatMap((name) => {
    const value = name === 'Date' ? date : node.headers.get(name.toLowerCase());
    const text = (value as { text?: string } | undefined)?.text ?? value;
    return typeof text === 'string' && text ? [`${name}: ${text}`] : [];
  });
  return lines.length > 0 ? `\n${lines.join('\n')}\n` : '';
}
