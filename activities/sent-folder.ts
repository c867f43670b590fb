// The Sent folder of a mailbox: the proof of a mail whose outcome is unknown, and the place of our copies for providers
// that do not file them themselves.
import { buffer } from 'node:stream/consumers';
import type { ImapFlow } from 'imapflow';
import type { Reply } from '#domain/conversations/reply.ts';
import { Integration } from '#domain/integrations/integration.ts';
import type { Dependencies } from './dependencies.ts';
import { inMailbox } from './mailbox-access.ts';
import { folderFor, searchUids } from './providers/imap.ts';
import type { MailSource } from './providers/smtp.ts';

/** Whether a mail we may have sent stands in the Sent folder of its mailbox. */
export async function findInSent(dependencies: Dependencies, tenantId: string, reply: Reply): Promise<boolean> {
  const { integrationId } = reply;
  if (!integrationId) return false;
  return inMailbox(dependencies, { tenantId, integrationId }, async (client) => {
    const sent = await sentFolder(client);
    if (!sent) return false;
    await client.mailboxOpen(sent, { readOnly: true });
    return (await sentCopies(client, reply)).length > 0;
  });
}

/** Files a copy of what was sent, for the company's other mail programs; twice is once. */
export async function keepInSent(
  dependencies: Dependencies,
  tenantId: string,
  reply: Reply,
  source: MailSource,
): Promise<void> {
  const { integrationId } = reply;
  if (!integrationId) return;
  const integration = await dependencies.database.inTenant(tenantId, (em) =>
    em.findOneOrFail(Integration, { id: integrationId }),
  );
  if (filesSentMail(integration.mailboxSettings().imap.host)) return;
  await inMailbox(dependencies, { tenantId, integrationId }, async (client) => {
    const sent = await sentFolder(client);
    if (!sent) return;
    await client.mailboxOpen(sent, { readOnly: true });
    if ((await sentCopies(client, reply)).length > 0) return;
    // IMAP wants to know its length first; what may leave is limited, and so is this.
    await client.append(sent, await buffer(source()), ['\\Seen']);
  });
}

const SENT_NAMES = /^(sent|sent items|sent messages|envoy[ée]s|messages envoy[ée]s|[ée]l[ée]ments envoy[ée]s)$/i;

async function sentFolder(client: ImapFlow): Promise<string | null> {
  return folderFor(await client.list(), '\\Sent', SENT_NAMES);
}

// Gmail and Exchange Online file submitted mail themselves: a copy of ours would be a second one.
function filesSentMail(host: string): boolean {
  return /(^|\.)(gmail\.com|googlemail\.com|office365\.com|outlook\.com)$/i.test(host);
}

function sentCopies(client: ImapFlow, reply: Reply): Promise<number[]> {
  return searchUids(client, { header: { 'message-id': reply.messageIdHeader } });
}
