// Older mail, fetched afterwards: everything up to the cursor, since the chosen day, that was never kept. What is kept is
// the progress, so a page that was cut off is begun again where it stopped.
import { Context } from '@temporalio/activity';
import type { ImapFlow } from 'imapflow';
import type { Integration } from '#domain/integrations/integration.ts';
import { MailboxCursor } from '#domain/integrations/mailbox-cursor.ts';
import { announce } from '#domain/record/event.ts';
import type { BackfillMailboxInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { keepOlderMails, neverKept, runningBackfill } from './keep-mails.ts';
import { inMailbox } from './mailbox-access.ts';
import { type Bundle, beginningOf, fetchBundle, notHandedOver, uidsUpTo } from './providers/imap-folder.ts';

const MAILS_A_PAGE = 200;
const MAILS_AT_ONCE = 50;

/** The last of three attempts may set a mail aside (workflows/steps.ts). */
const MOST_LOSSES = 2;

/** `unwanted`: cancelled, or the mailbox was removed. */
type PageEnd = 'kept' | 'lost' | 'unwanted';
type Folder = { cursor: MailboxCursor; uids: number[] };

export function createBackfilling(dependencies: Dependencies) {
  const { database } = dependencies;

  return {
    /**
     * @returns whether there is more
     * @throws ApplicationFailure as activities/failures.ts says
     */
    async fetchOlderMail(ref: BackfillMailboxInput): Promise<{ more: boolean }> {
      if (!(await database.inTenant(ref.tenantId, (em) => runningBackfill(em, ref)))) return { more: false };
      return inMailbox(dependencies, ref, async (client, integration) => {
        const folders = await olderMail(client, ref, integration);
        const all = folders.reduce((sum, { uids }) => sum + uids.length, 0);
        let left = all;
        for (const folder of folders) {
          const page = folder.uids.slice(0, MAILS_A_PAGE - (all - left));
          const end = await keepPage(client, ref, integration, { ...folder, uids: page }, left);
          if (end !== 'kept') return { more: end === 'lost' };
          left -= page.length;
        }
        return { more: left > 0 };
      });
    },

    /** `problem` is a sentence for a person. What a person has cancelled stays cancelled. */
    async finishBackfill(ref: BackfillMailboxInput & { problem: string | null }): Promise<void> {
      await database.inTenant(ref.tenantId, async (em) => {
        const sync = await runningBackfill(em, ref);
        if (!sync) return;
        sync.state = ref.problem ? 'failed' : 'done';
        sync.error = ref.problem;
        sync.finishedAt = new Date();
        announce(em, 'sync.progressed', null, { syncId: sync.id, state: sync.state });
      });
    },
  };

  // A folder that was never looked at has no older mail: its first look takes all of it.
  async function olderMail(client: ImapFlow, ref: BackfillMailboxInput, integration: Integration): Promise<Folder[]> {
    const cursors = await database.inTenant(ref.tenantId, (em) =>
      em.find(MailboxCursor, { integrationId: ref.integrationId, path: { $in: integration.foldersRead() } }),
    );
    const since = beginningOf(integration.mailboxSettings().since);
    const folders: Folder[] = [];
    for (const cursor of cursors) {
      const { uidValidity } = await client.mailboxOpen(cursor.path, { readOnly: true });
      if (String(uidValidity) !== cursor.uidValidity) continue;
      const found = await uidsUpTo(client, cursor.lastUid, since);
      const uids = await database.inTenant(ref.tenantId, (em) => neverKept(em, cursor, found));
      folders.push({ cursor, uids: uids.reverse() });
    }
    return folders;
  }

  // Newest first.
  async function keepPage(
    client: ImapFlow,
    ref: BackfillMailboxInput,
    integration: Integration,
    { cursor, uids }: Folder,
    left: number,
  ): Promise<PageEnd> {
    const { path, uidValidity, createdAt } = cursor;
    const folder = { path, uidValidity, firstSeenAt: createdAt };
    const { attempt } = Context.current().info;
    if (uids.length > 0) await client.mailboxOpen(path, { readOnly: true });
    for (let rest = uids; rest.length > 0; ) {
      Context.current().cancellationSignal.throwIfAborted();
      const asked = rest.slice(0, attempt === 1 ? MAILS_AT_ONCE : 1).sort((a, b) => a - b);
      const { mails, upTo } = await fetchOrSetAside(client, asked, attempt);
      rest = rest.filter((uid) => uid > upTo || !asked.includes(uid));
      const remaining = left - (uids.length - rest.length);
      const kept = await database.inTenant(ref.tenantId, (em) =>
        keepOlderMails(em, ref, integration, folder, { mails, remaining }),
      );
      if (kept === null) return 'unwanted';
      if (!client.usable) return 'lost';
    }
    return 'kept';
  }
}

// A connection that ended over one and the same mail again and again: the others must not wait for it.
async function fetchOrSetAside(client: ImapFlow, asked: number[], attempt: number): Promise<Bundle> {
  try {
    return await fetchBundle(client, asked);
  } catch (error) {
    if (client.usable || asked.length > 1 || attempt <= MOST_LOSSES) throw error;
    return { upTo: asked[0]!, mails: [notHandedOver(asked[0]!)] };
  }
}
