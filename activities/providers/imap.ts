// One connection to one mailbox (RFC 9051), opened read-only: nothing is marked as read, moved or deleted. The one thing
// ever written is a copy of what we sent (sent-folder.ts).
import { CancelledFailure } from '@temporalio/common';
import { ImapFlow, type ListResponse, type SearchObject } from 'imapflow';
import type { MailServer, ServerFolders } from '#domain/integrations/integration.ts';
import { later, mailboxFailure } from '../failures.ts';

const GREETING_WITHIN_MS = 15_000;
const SILENCE_LIMIT_MS = 60_000;
/** More than any provider lets through; bounds what a hostile server can make us hold. */
const LARGEST_LITERAL_BYTES = 160_000_000;

/** While it waits for news a connection is quiet, but for a sign of life before any router forgets it (RFC 2177: 29 min). */
const IDLE_FOR_MS = 4 * 60_000;
const SILENCE_LIMIT_WHILE_IDLE_MS = IDLE_FOR_MS + SILENCE_LIMIT_MS;

/** What opens an account: a password, or a token of its provider (XOAUTH2, RFC 7628). */
export type MailSecret = { password: string } | { accessToken: string };

export type ImapAccount = { server: MailServer } & MailSecret;

/**
 * Connects, runs `work`, and leaves.
 * @param idles it is quiet for minutes, and meant to be
 * @throws ApplicationFailure as failures.ts says for what the server or the network does; what goes wrong elsewhere
 *   (our database, a bug) is thrown as it is
 */
export async function withMailbox<Result>(
  account: ImapAccount,
  work: (client: ImapFlow) => Promise<Result>,
  { idles = false } = {},
): Promise<Result> {
  const { server } = account;
  const secret = 'accessToken' in account ? { accessToken: account.accessToken } : { pass: account.password };
  const client = new ImapFlow({
    host: server.host,
    port: server.port,
    secure: server.security === 'tls',
    ...(server.security === 'tls' ? {} : { doSTARTTLS: server.security === 'starttls' }),
    auth: { user: server.username, ...secret },
    clientInfo: { name: 'Relais' },
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: GREETING_WITHIN_MS,
    greetingTimeout: GREETING_WITHIN_MS,
    socketTimeout: idles ? SILENCE_LIMIT_WHILE_IDLE_MS : SILENCE_LIMIT_MS,
    maxIdleTime: IDLE_FOR_MS,
    maxLiteralSize: LARGEST_LITERAL_BYTES,
  });
  // Without a listener a connection lost between two commands would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    client.close();
    throw mailboxFailure(error, server.host);
  }
  try {
    const result = await work(client);
    await client.logout().catch(() => {});
    return result;
  } catch (error) {
    throw isOfServer(error, client) ? mailboxFailure(error, server.host) : error;
  } finally {
    client.close();
  }
}

function isOfServer(error: unknown, client: ImapFlow): boolean {
  if (error instanceof CancelledFailure) return false;
  const { responseStatus, serverResponseCode, mailboxMissing } = error as Record<string, unknown>;
  return !client.usable || Boolean(responseStatus ?? serverResponseCode ?? mailboxMissing);
}

/** @throws ApplicationFailure when the server refuses to search: that is not the same as finding nothing */
export async function searchUids(client: ImapFlow, query: SearchObject): Promise<number[]> {
  const found = await client.search(query, { uid: true });
  if (!Array.isArray(found)) throw later('mailbox-unreachable', 'The mail server refused to search the folder.');
  return found;
}

/** The folder of that special use (RFC 6154), or the first whose name is usual for it. */
export function folderFor(folders: readonly ListResponse[], use: '\\Sent' | '\\Junk', usual: RegExp): string | null {
  const named =
    folders.find((folder) => folder.specialUse === use) ?? folders.find((folder) => usual.test(folder.name));
  return named?.path ?? null;
}

const JUNK_NAMES = /^(junk|junk e-?mail|spam|bulk mail|courrier ind[ée]sirable|ind[ée]sirables?|pourriels?)$/i;

/** The folders that hold mails, for a person to choose from. */
export async function foldersOf(client: ImapFlow): Promise<ServerFolders> {
  const folders = (await client.list()).filter(({ flags }) => !flags.has('\\Noselect') && !flags.has('\\NonExistent'));
  return { paths: folders.map(({ path }) => path), junk: folderFor(folders, '\\Junk', JUNK_NAMES) };
}
