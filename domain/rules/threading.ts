// Which messages belong together, by the headers of RFC 5322 3.6.4, and what a reply of ours carries. Ids are written
// without angle brackets everywhere; the domain in lower case, because gateways change it.

export { baseSubject, replySubject } from './subject-line.ts';

const HEADER_CHARACTERS = 100_000;
const ID_CHARACTERS = 998; // RFC 5322 2.1.1: a line
const KEYS = 50;
const REFERENCES_SENT = 20;

/**
 * @returns normalised ids without duplicates: the own id first, then at most 50 others from the oldest to the parent
 *   (of more, the first and the last ones), since a hostile header may name thousands
 */
export function threadKeys(mail: {
  messageId: string | null;
  inReplyTo: string | null;
  references: string[];
}): string[] {
  const own = parseMessageIds(mail.messageId).slice(0, 1);
  const parents = [...mail.references.flatMap(parseMessageIds), ...parseMessageIds(mail.inReplyTo)];
  const others = [...new Set(parents)].filter((id) => id !== own[0]);
  return [...own, ...firstAndNewest(others, KEYS)];
}

/**
 * @param header a Message-ID, In-Reply-To or References, folded or not
 * @returns what stands in `<...>`; where there are no brackets at all, the words with an @
 */
export function parseMessageIds(header: string | null): string[] {
  if (!header) return [];
  const value = header.slice(0, HEADER_CHARACTERS);
  const found = value.includes('<')
    ? [...value.matchAll(/<([^<>]*)/g)].map((match) => match[1]!)
    : value.split(/[\s,;>]+/).filter((word) => word.includes('@'));
  // Some servers fold inside an id: white space is no part of it.
  const ids = found
    .map((id) => id.replace(/[\s\p{Cc}]+/gu, ''))
    .filter((id) => id !== '' && id.length <= ID_CHARACTERS);
  return [...new Set(ids.map(withLowerCaseDomain))];
}

/** The References of a reply: the parent's own and the parent, at most 20; of more, the first and the newest. */
export function referencesForReply(parent: { messageId: string | null; references: string[] }): string[] {
  const own = parseMessageIds(parent.messageId).slice(0, 1);
  const older = parent.references.flatMap(parseMessageIds).filter((id) => id !== own[0]);
  return firstAndNewest([...new Set([...older, ...own])], REFERENCES_SENT);
}

function firstAndNewest(ids: string[], limit: number): string[] {
  return ids.length <= limit ? ids : [ids[0]!, ...ids.slice(1 - limit)];
}

function withLowerCaseDomain(id: string): string {
  const at = id.lastIndexOf('@');
  return at < 0 ? id : id.slice(0, at) + id.slice(at).toLowerCase();
}
