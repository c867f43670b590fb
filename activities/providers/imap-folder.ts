// Reads mails from one folder of a mailbox, a bounded bundle at a time, and never takes silence of the server for the
// absence of a mail.
import type { FetchMessageObject, ImapFlow } from 'imapflow';
import { searchUids } from './imap.ts';

/** Larger mails are kept as headers and the beginning of their text, and said so. */
const LARGEST_MAIL_BYTES = 26_000_000;
const KEPT_OF_LARGER_BYTES = 256_000;
/** What one bundle may hold in memory; a single mail may be larger. */
const LARGEST_BUNDLE_BYTES = 32_000_000;

export const TOO_LARGE = 'too-large';

export type FetchedMail = {
  uid: number;
  /** Null when the server could not hand it over. */
  raw: Buffer | null;
  receivedAt: Date | null;
  size: number;
  /** `TOO_LARGE`, or for a person what is wrong with it. */
  problem: string | null;
};

export type Bundle = {
  /** The last UID this bundle settles: everything up to it was fetched or is gone. */
  upTo: number;
  mails: FetchedMail[];
};

const EARLIEST_ZONE_HOURS = 14;

/** A day begins first at UTC+14: nothing of the chosen day is missed, wherever it was chosen. */
export function beginningOf(day: string): Date {
  return new Date(Date.parse(day) - EARLIEST_ZONE_HOURS * 3600_000);
}

/**
 * The UIDs beyond the last one that was read, in order.
 * @param lastUid null when the folder was never read, or not since its UIDVALIDITY changed
 * @param since mail the server received before that day is left alone
 */
export async function newUids(client: ImapFlow, lastUid: number | null, since: Date): Promise<number[]> {
  const found = await searchUids(client, { uid: `${(lastUid ?? 0) + 1}:*`, since });
  // `*` names the last mail even when its number is below the range.
  return found.filter((uid) => uid > (lastUid ?? 0)).sort((a, b) => a - b);
}

/** The UIDs that a look has settled, of mail the server received since that day. */
export function uidsUpTo(client: ImapFlow, lastUid: number, since: Date): Promise<number[]> {
  return lastUid > 0 ? searchUids(client, { uid: `1:${lastUid}`, since }) : Promise.resolve([]);
}

/** @param uids in order; the bundle is the beginning of them that memory allows, at least one */
export async function fetchBundle(client: ImapFlow, uids: readonly number[]): Promise<Bundle> {
  const sizes = await sizesOf(client, uids);
  const wanted = asManyAsFit(uids, sizes);
  const large = wanted.filter((uid) => (sizes.get(uid) ?? 0) > LARGEST_MAIL_BYTES);
  const whole = wanted.filter((uid) => !large.includes(uid));
  const found = [
    ...(await fetchSources(client, whole, true)),
    ...(await fetchSources(client, large, { maxLength: KEPT_OF_LARGER_BYTES })),
  ];
  const mails = found.map((mail) => ({
    ...mail,
    size: sizes.get(mail.uid) ?? mail.size,
    problem: mail.problem ?? (large.includes(mail.uid) ? TOO_LARGE : null),
  }));
  return { upTo: wanted.at(-1)!, mails: [...mails, ...(await withheld(client, wanted, mails))].sort(byUid) };
}

async function sizesOf(client: ImapFlow, uids: readonly number[]): Promise<Map<number, number>> {
  const sizes = await collect(client, uids, { uid: true, size: true });
  return new Map(sizes.map((mail) => [mail.uid, mail.size ?? 0]));
}

function asManyAsFit(uids: readonly number[], sizes: Map<number, number>): number[] {
  let bytes = 0;
  const end = uids.findIndex((uid, at) => {
    bytes += Math.min(sizes.get(uid) ?? 0, LARGEST_MAIL_BYTES);
    return at > 0 && bytes > LARGEST_BUNDLE_BYTES;
  });
  return uids.slice(0, end < 0 ? uids.length : end);
}

// One mail the server stumbles over must not stop the others: then each is asked for alone.
async function fetchSources(
  client: ImapFlow,
  uids: readonly number[],
  source: true | { maxLength: number },
): Promise<FetchedMail[]> {
  if (uids.length === 0) return [];
  try {
    return (await collect(client, uids, { uid: true, internalDate: true, source })).map(fetched);
  } catch (error) {
    if (!client.usable) throw error;
  }
  const mails: FetchedMail[] = [];
  for (const uid of uids) mails.push(...(await fetchAlone(client, uid, source)));
  return mails;
}

async function fetchAlone(
  client: ImapFlow,
  uid: number,
  source: true | { maxLength: number } = true,
): Promise<FetchedMail[]> {
  try {
    return (await collect(client, [uid], { uid: true, internalDate: true, source })).map(fetched);
  } catch (error) {
    if (!client.usable) throw error;
    return [notHandedOver(uid)];
  }
}

// A mail that was asked for and did not come was deleted or moved meanwhile. When the server still lists it, it is asked
// for once more, and then set aside: skipped in silence it would be lost.
async function withheld(client: ImapFlow, wanted: number[], mails: FetchedMail[]): Promise<FetchedMail[]> {
  const missing = wanted.filter((uid) => !mails.some((mail) => mail.uid === uid));
  if (missing.length === 0) return [];
  const there = await searchUids(client, { uid: missing.join(',') });
  const found: FetchedMail[] = [];
  for (const uid of missing.filter((one) => there.includes(one))) {
    const again = await fetchAlone(client, uid);
    found.push(...(again.length > 0 ? again : [notHandedOver(uid)]));
  }
  return found;
}

async function collect(
  client: ImapFlow,
  uids: readonly number[],
  query: Parameters<ImapFlow['fetch']>[1],
): Promise<FetchMessageObject[]> {
  const found: FetchMessageObject[] = [];
  for await (const mail of client.fetch([...uids], query, { uid: true })) found.push(mail);
  return found;
}

function fetched(mail: FetchMessageObject): FetchedMail {
  const at = mail.internalDate ? new Date(mail.internalDate) : null;
  return {
    uid: mail.uid,
    raw: mail.source ?? null,
    receivedAt: at && !Number.isNaN(at.getTime()) ? at : null,
    size: mail.source?.length ?? 0,
    problem: mail.source ? null : 'The mail server gave no content for this mail.',
  };
}

/** A mail that the server has and does not give. */
export function notHandedOver(uid: number): FetchedMail {
  const problem = 'The mail server could not hand this mail over.';
  return { uid, raw: null, receivedAt: null, size: 0, problem };
}

function byUid(one: FetchedMail, other: FetchedMail): number {
  return one.uid - other.uid;
}
