// Whether all mail of a mailbox is here: what its server holds, what was kept of it, and what became of that.
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Integration } from '#domain/integrations/integration.ts';
import { MailboxCursor } from '#domain/integrations/mailbox-cursor.ts';
import type { mailboxes } from '../contract/mailboxes.ts';
import type { Answer } from '../contract/route.ts';

type Kept = {
  folder: string;
  kept: number;
  messages: number;
  duplicates: number;
  setAside: number;
  pending: number;
};

const NOTHING_KEPT: Omit<Kept, 'folder'> = { kept: 0, messages: 0, duplicates: 0, setAside: 0, pending: 0 };

export async function mailboxCounts(
  em: EntityManager,
  mailbox: Integration,
): Promise<Answer<typeof mailboxes.countMailbox>> {
  const cursors = await em.find(MailboxCursor, { integrationId: mailbox.id });
  const kept = await keptByFolder(em, mailbox.id);
  return {
    folders: mailbox.foldersRead().map((path) => {
      const cursor = cursors.find((one) => one.path === path);
      const { folder: _, ...counts } = kept.find(({ folder }) => folder === path) ?? { folder: path, ...NOTHING_KEPT };
      return {
        path,
        comparedAt: cursor?.comparedAt?.toISOString() ?? null,
        atServer: cursor?.atServer ?? null,
        missing: cursor?.missing ?? null,
        ...counts,
      };
    }),
  };
}

// After a change of UIDVALIDITY a mail has a second receipt: only those of today's numbers are counted.
async function keptByFolder(em: EntityManager, integrationId: string): Promise<Kept[]> {
  return em.execute<Kept[]>(
    `select receipt.origin ->> 'folder' as folder, count(*)::int as kept,
            count(*) filter (where state = 'done' and outcome in ('new', 'filtered'))::int as messages,
            count(*) filter (where state = 'done' and outcome = 'duplicate')::int as duplicates,
            count(*) filter (where state = 'set_aside')::int as "setAside",
            count(*) filter (where state = 'kept')::int as pending
       from receipt join mailbox_cursor as cursor
         on cursor.integration_id = receipt.integration_id and cursor.path = receipt.origin ->> 'folder'
        and cursor.uid_validity::text = receipt.origin ->> 'uidValidity'
      where receipt.integration_id = ?
      group by 1`,
    [integrationId],
  );
}
