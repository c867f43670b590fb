// Fetches the pictures and files a message names while they still lie at the provider (a fortnight at the most), before
// the message is recorded. What cannot be fetched becomes a sentence in the message.
import { Context } from '@temporalio/activity';
import { type FetchedMedia, Receipt } from '#domain/integrations/receipt.ts';
import type { ReceiveMessageInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { later } from './failures.ts';
import { FetchFailed, fetchGuarded } from './providers/guarded-fetch.ts';
import { authorization, type VonageAccount, vonageAccount } from './providers/vonage.ts';
import type { MediaToFetch } from './readers/incoming-message.ts';
import { ReceiptReader } from './readers/read-receipt.ts';

const LARGEST_FILE_BYTES = 32_000_000;
const MOST_FILES = 10;
/** About three minutes with the pauses in between. */
const MOST_ATTEMPTS = 8;

export function createFetchingMedia(dependencies: Dependencies) {
  const { database, attachments, keys } = dependencies;
  const reader = new ReceiptReader(database, attachments);

  return {
    /** Run again, it fetches again and keeps the same bytes once. @throws ApplicationFailure to be tried again */
    async fetchMedia({ tenantId, receiptId }: ReceiveMessageInput): Promise<void> {
      const { media = [] } = await reader.read(tenantId, receiptId);
      const account = await database.inTenant(tenantId, async (em) => {
        const receipt = await em.findOneOrFail(Receipt, { id: receiptId });
        return vonageAccount(em, keys, receipt.integrationId);
      });
      const fetched: FetchedMedia[] = [];
      for (const one of media.slice(0, MOST_FILES)) fetched.push(await fetchOne(dependencies, tenantId, account, one));
      await database.inTenant(tenantId, async (em) => {
        const receipt = await em.findOneOrFail(Receipt, { id: receiptId });
        receipt.origin = { ...receipt.origin, media: fetched };
      });
    },
  };
}

async function fetchOne(
  { attachments, vonageUrl, patience }: Dependencies,
  tenantId: string,
  account: VonageAccount,
  { url, kind }: MediaToFetch,
): Promise<FetchedMedia> {
  const trustedOrigin = new URL(vonageUrl).origin;
  const headersFor = (address: URL): Record<string, string> =>
    isVonage(address, trustedOrigin) ? { authorization: authorization(account) } : {};
  try {
    const content = await fetchGuarded(url, {
      largestBytes: LARGEST_FILE_BYTES,
      timeoutMs: patience.vonageTimeoutMs * 2,
      trustedOrigin,
      headersFor,
    });
    return { sha256: await attachments.keep(tenantId, content) };
  } catch (error) {
    if (!(error instanceof FetchFailed)) throw error;
    if (error.problem === 'unreachable' && Context.current().info.attempt < MOST_ATTEMPTS)
      throw later('media-unreachable', 'A file of the message could not be fetched yet.');
    return { problem: `A file (${kind}) could not be fetched: ${error.message}` };
  }
}

function isVonage(address: URL, trustedOrigin: string): boolean {
  if (address.origin === trustedOrigin) return true;
  return address.protocol === 'https:' && /\.(nexmo|vonage)\.com$/.test(address.hostname);
}
