// What can be changed of a mailbox that is connected. Its servers and its password are changed by connecting it again.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invalid, NotFound } from '#domain/errors.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { startApplyIntegration } from '#domain/record/run-request.ts';
import type { mailboxes } from '../contract/mailboxes.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import { integrationViewOf } from '../views/integration-views.ts';
import { mailboxCounts } from '../views/mailbox-counts.ts';

export function mailboxRoutes({ database, publicUrl }: ApiDependencies): Handlers<typeof mailboxes> {
  return {
    countMailbox: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => mailboxCounts(em, await findMailbox(em, params.id))),

    changeMailbox: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const mailbox = await findMailbox(em, params.id);
        const before = mailbox.foldersRead();
        chooseFolders(mailbox, body);
        mailbox.changed();
        audit(em, principal.actor, {
          action: 'integration.folders_chosen',
          subject: { kind: 'integration', id: mailbox.id },
          before: { folders: before },
          after: { folders: mailbox.foldersRead() },
        });
        announce(em, 'settings.changed', null, { integrationId: mailbox.id });
        startApplyIntegration(em, principal.tenantId, mailbox.id);
        return integrationViewOf(mailbox, publicUrl);
      }),
  };
}

async function findMailbox(em: EntityManager, id: string): Promise<Integration> {
  const mailbox = await em.findOne(Integration, { id, channel: 'email', removedAt: null });
  if (!mailbox) throw new NotFound('integration.not-found', 'This channel is not connected any more.');
  return mailbox;
}

type Choice = { folders?: string[] | undefined; readJunk?: boolean | undefined };

function chooseFolders(mailbox: Integration, { folders, readJunk }: Choice): void {
  const settings = mailbox.mailboxSettings();
  const offered = mailbox.serverFolders;
  const unknown = folders?.find((path) => !settings.folders.includes(path) && !offered?.paths.includes(path));
  if (unknown !== undefined)
    throw new Invalid('mailbox.no-such-folder', `The mail server offered no folder ${unknown}: choose another one.`);
  mailbox.settings = {
    ...settings,
    ...(folders ? { folders } : {}),
    ...(readJunk === undefined ? {} : { junkFolder: readJunk ? (offered?.junk ?? null) : null }),
  };
}
