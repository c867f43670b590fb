// What the judgement of a mail looks at, and how its header lines are read. Bounds everywhere: a stranger wrote it.

/** Names in any case, values raw (possibly folded), in the order of the mail: the receiving server's come first. */
export type MailHeaders = ReadonlyArray<readonly [name: string, value: string]>;

export type MailKind = 'personal' | 'newsletter' | 'list' | 'automatic' | 'bounce' | 'loop' | 'spam';

/** `reason`: a stable code such as 'list-id'; `evidence`: the header lines that decided, each cut at 120 characters. */
export type MailVerdict = { kind: MailKind; reason: string; evidence: string[] };

export type MailTraits = {
  headers: MailHeaders;
  senderAddress: string | null;
  /** Decoded, unlike the headers. */
  senderName: string | null;
  /** '' means `<>`; null when the mail has none. */
  returnPath: string | null;
  /** Of the whole mail, with parameters: `multipart/report; report-type=delivery-status`. */
  contentType: string | null;
  subject: string;
  text: string;
  html: string | null;
  /** In-Reply-To or References name a message of ours, or the reply address carries our token. */
  answersUs: boolean;
  /** This tenant's own addresses. */
  ownAddresses: readonly string[];
  /** Its Message-ID is one of ours: our own mail came back. */
  ownMessageId: boolean;
  /** The mailbox's server put it into its Junk folder. */
  inJunk: boolean;
  /** The tenant's list: `news@shop.test`, or a domain with its subdomains (`@shop.test`, `shop.test`). */
  senderRules: readonly { pattern: string; verdict: 'allow' | 'block' }[];
};

/** One header line: its value unfolded and trimmed, and the line as evidence. */
export type HeaderLine = { value: string; line: string };

const HEADERS_READ = 1000;
const VALUE_CHARACTERS = 2000;
const EVIDENCE_CHARACTERS = 120;

/** All lines of that name (lower case), topmost first. */
export function headerLines(headers: MailHeaders, name: string): HeaderLine[] {
  return headers
    .slice(0, HEADERS_READ)
    .filter(([lineName]) => lineName.trim().toLowerCase() === name)
    .map(([lineName, raw]) => {
      const value = raw.slice(0, VALUE_CHARACTERS).replace(/\s+/g, ' ').trim();
      return { value, line: cutEvidence(`${lineName.trim()}: ${value}`) };
    });
}

/** The topmost line of that name. */
export function headerLine(headers: MailHeaders, name: string): HeaderLine | null {
  return headerLines(headers, name)[0] ?? null;
}

/** The first word of a value in lower case: `auto-replied` of `Auto-Replied; owner=x (vacation)`. */
export function keyword(value: string): string {
  return (/^[^\s;,(]*/.exec(value)?.[0] ?? '').toLowerCase();
}

export function cutEvidence(line: string): string {
  return line.slice(0, EVIDENCE_CHARACTERS).toWellFormed();
}

/** Precedence is no standard; these values stop automatic answers (RFC 3834 section 2). */
export function isBulkPrecedence(value: string): boolean {
  return ['bulk', 'list', 'junk'].includes(keyword(value));
}

/** `<>`: the sender takes no bounces, as RFC 5321 4.5.5 asks of machines. A mail without the header says nothing. */
export function isEmptyPath(returnPath: string | null): boolean {
  return returnPath !== null && returnPath.replace(/[<>\s]/g, '') === '';
}

/** RFC 6522: what a multipart/report reports. */
export function reportType({ contentType }: MailTraits): string | null {
  const type = (contentType ?? '').slice(0, 2000);
  if (!/^\s*multipart\/report\b/i.test(type)) return null;
  return /;\s*report-type\s*=\s*"?([a-z-]+)/i.exec(type)?.[1]?.toLowerCase() ?? null;
}

export function verdict(
  kind: MailVerdict['kind'],
  reason: string,
  ...evidence: (HeaderLine | string | null | undefined)[]
): MailVerdict {
  const lines = evidence.map((item) => (typeof item === 'string' ? cutEvidence(item) : item?.line));
  return { kind, reason, evidence: lines.filter((line) => line !== undefined) };
}
