// Fetches the pictures and files a message names while they still lie where it says (at Vonage a fortnight), before
// the message is recorded. What cannot be fetched becomes a sentence in the message.
import { Context } from '@temporalio/activity';
import { type FetchedMedia, Receipt } from '#domain/integrations/receipt.ts';
import type { ReceiveMessageInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { later } from './failures.ts';
import { FetchFailed, fetchGuarded, type GuardedOptions } from './providers/guarded-fetch.ts';
import { authorization, type VonageAccount, vonageAccount } from './providers/vonage.ts';
import type { MediaToFetch } from './readers/incoming-message.ts';
import type { ReceiptReader } from './readers/read-receipt.ts';

const LARGEST_FILE_BYTES = 32_000_000;
const MOST_FILES = 20;
/** About three minutes with the pauses in between. */
const MOST_ATTEMPTS = 8;

export function createFetchingMedia(dependencies: Dependencies, reader: ReceiptReader) {
  const { database, keys, vonageUrl, filesOrigin } = dependencies;

  return {
    /** Run again, it fetches again and keeps the same bytes once. @throws ApplicationFailure to be tried again */
    async fetchMedia({ tenantId, receiptId }: ReceiveMessageInput): Promise<void> {
      const { media = [] } = await reader.read(tenantId, receiptId);
      const access = await database.inTenant(tenantId, async (em): Promise<Access> => {
        const { format, integrationId } = await em.findOneOrFail(Receipt, { id: receiptId });
        if (format === 'custom') return { trustedOrigin: filesOrigin, headersFor: () => ({}) };
        return vonageAccess(vonageUrl, await vonageAccount(em, keys, integrationId));
      });
      const fetched: FetchedMedia[] = [];
      for (const one of media.slice(0, MOST_FILES)) fetched.push(await fetchOne(dependencies, tenantId, access, one));
      await database.inTenant(tenantId, async (em) => {
        const receipt = await em.findOneOrFail(Receipt, { id: receiptId });
        receipt.origin = { ...receipt.origin, media: fetched };
      });
    },
  };
}

type Access = Pick<GuardedOptions, 'trustedOrigin' | 'headersFor'>;

/** Files of Vonage's own hosts are shown to the account they belong to; nobody else ever sees its key. */
function vonageAccess(vonageUrl: string, account: VonageAccount): Access {
  const trustedOrigin = new URL(vonageUrl).origin;
  const headersFor = (address: URL): Record<string, string> =>
    isVonage(address, trustedOrigin) ? { authorization: authorization(account) } : {};
  return { trustedOrigin, headersFor };
}

async function fetchOne(
  { attachments, patience }: Dependencies,
  tenantId: string,
  access: Access,
  { url, kind }: MediaToFetch,
): Promise<FetchedMedia> {
  try {
    const content = await fetchGuarded(url, {
      largestBytes: LARGEST_FILE_BYTES,
      timeoutMs: patience.vonageTimeoutMs * 2,
      ...access,
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
