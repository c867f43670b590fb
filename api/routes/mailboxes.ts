// What can be changed of a mailbox that is connected. Its servers and its password are changed by connecting it again.
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { Conflict, Invalid, NotFound } from '#domain/errors.ts';
import { Integration } from '#domain/integrations/integration.ts';
import type { MailServersFound } from '#domain/integrations/mail-providers.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { startApplyIntegration, startBackfill, startMailServerLookUp } from '#domain/record/run-request.ts';
import { openTrial, Trial } from '#domain/secrets/trial.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { mailboxes } from '../contract/mailboxes.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import { integrationViewOf, syncViewOf } from '../views/integration-views.ts';
import { mailboxCounts } from '../views/mailbox-counts.ts';
import { HELD } from './integrations.ts';

export function mailboxRoutes({ database, keys, publicUrl }: ApiDependencies): Handlers<typeof mailboxes> {
  return {
    countMailbox: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => mailboxCounts(em, await findMailbox(em, params.id))),

    changeMailbox: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const mailbox = await findMailbox(em, params.id, HELD);
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

    startBackfill: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const mailbox = await findMailbox(em, params.id, HELD);
        if (await findBackfill(em, mailbox.id, 'running'))
          throw new Conflict('backfill.running', 'Older mail is being fetched already: wait for it, or stop it first.');
        const settings = mailbox.mailboxSettings();
        if (body.since < settings.since) mailbox.settings = { ...settings, since: body.since };
        const sync = em.create(Sync, { id: newId(), integrationId: mailbox.id, trigger: 'backfill' });
        await em.flush();
        startBackfill(em, principal.tenantId, mailbox.id, sync.id);
        audit(em, principal.actor, {
          action: 'mailbox.backfilled',
          subject: { kind: 'integration', id: mailbox.id },
          before: { since: settings.since },
          after: { since: body.since },
        });
        return syncViewOf(em, sync);
      }),

    getBackfill: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const { id } = await findMailbox(em, params.id);
        const sync = await findBackfill(em, id);
        return { backfill: sync && (await syncViewOf(em, sync)) };
      }),

    cancelBackfill: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const { id } = await findMailbox(em, params.id);
        const sync = await findBackfill(em, id, 'running');
        if (!sync) throw new NotFound('backfill.not-running', 'No older mail is being fetched any more.');
        em.assign(sync, { state: 'cancelled', finishedAt: new Date() });
        audit(em, principal.actor, { action: 'mailbox.backfill_stopped', subject: { kind: 'integration', id } });
        announce(em, 'sync.progressed', null, { syncId: sync.id, state: 'cancelled' });
        return undefined;
      }),

    lookUpMailServers: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const id = newId();
        openTrial(em, keys, principal.tenantId, { id, kind: 'mail-servers', input: body });
        startMailServerLookUp(em, principal.tenantId, id);
        return { id };
      }),

    getMailServerLookUp: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const trial = await em.findOne(Trial, { id: params.id, kind: 'mail-servers', expiresAt: { $gt: new Date() } });
        if (!trial) throw new NotFound('trial.not-found', 'This look-up is over: enter the address again.');
        return { found: trial.result<MailServersFound>(keys) };
      }),
  };
}

async function findMailbox(em: EntityManager, id: string, options: { lockMode?: LockMode } = {}): Promise<Integration> {
  const mailbox = await em.findOne(Integration, { id, channel: 'email', removedAt: null }, options);
  if (!mailbox) throw new NotFound('integration.not-found', 'This channel is not connected any more.');
  return mailbox;
}

function findBackfill(em: EntityManager, integrationId: string, state?: 'running'): Promise<Sync | null> {
  return em.findOne(
    Sync,
    { integrationId, trigger: 'backfill', ...(state ? { state } : {}) },
    { orderBy: { createdAt: 'desc' }, ...(state ? { lockMode: LockMode.PESSIMISTIC_WRITE } : {}) },
  );
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
