// Connecting channels. The API never speaks to a mail server itself: it keeps what was typed sealed and asks a workflow.
import { randomBytes } from 'node:crypto';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { Conflict, Invalid, NotFound } from '#domain/errors.ts';
import { Integration, type MailboxSettings } from '#domain/integrations/integration.ts';
import { keepMailboxSecret } from '#domain/integrations/keep-mailbox-secret.ts';
import { findMailServers } from '#domain/integrations/mail-providers.ts';
import { isConsented, type MailboxTrialInput } from '#domain/integrations/mailbox-trial.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { Sync } from '#domain/integrations/sync.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import {
  startApplyIntegration,
  startMailboxTrial,
  startReceiveMessage,
  startSync,
} from '#domain/record/run-request.ts';
import { Credential, keepCredential, revealCredential } from '#domain/secrets/credential.ts';
import { openTrial, Trial } from '#domain/secrets/trial.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { integrations } from '../contract/integrations.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import type { Principal } from '../principal.ts';
import { integrationViewOf, mailboxTrialViewOf, setAsideList, syncViewOf } from '../views/integration-views.ts';
import { callExample, callThroughDoor } from '../webhooks/call-example.ts';

const A_DAY_MS = 24 * 3600_000;
/** Settings are one value: whoever changes a part of them has read the others' changes. */
export const HELD = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;

export function integrationRoutes(dependencies: ApiDependencies): Handlers<typeof integrations> {
  const { database, keys, publicUrl } = dependencies;
  const view = (integration: Integration) => integrationViewOf(integration, publicUrl);

  return {
    listIntegrations: ({ principal }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const all = await em.find(Integration, { removedAt: null }, { orderBy: { createdAt: 'asc' } });
        return { integrations: all.map(view) };
      }),

    findMailServers: async ({ query }) => findMailServers(query.address),

    tryMailbox: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const id = newId();
        openTrial(em, keys, principal.tenantId, { id, kind: 'mailbox', input: body });
        startMailboxTrial(em, principal.tenantId, id);
        audit(em, principal.actor, {
          action: 'mailbox.tried',
          subject: { kind: 'trial', id },
          after: { host: body.imap.host },
        });
        return { id };
      }),

    getMailboxTrial: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => mailboxTrialViewOf(await findTrial(em, params.id), keys)),

    connectMailbox: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const trial = await findTrial(em, body.trialId);
        if (trial.state !== 'passed') {
          throw new Conflict(
            'trial.not-passed',
            'Try the mailbox first: only servers and a password that work are saved.',
          );
        }
        const tried = trial.input<MailboxTrialInput>(keys);
        const { folders: paths, junk } = mailboxTrialViewOf(trial, keys);
        const integration = await keepMailbox(
          em,
          principal,
          tried.address,
          {
            imap: tried.imap,
            smtp: tried.smtp,
            senderName: body.senderName,
            folders: body.folders,
            junkFolder: body.readJunk ? junk : null,
            since: body.since,
            syncEverySeconds: body.syncEverySeconds,
            oauth: isConsented(tried) ? tried.consent.provider : null,
          },
          body.name,
        );
        integration.serverFolders = { paths, junk };
        await keepMailboxSecret(em, keys, integration, tried);
        em.remove(trial);
        startApplyIntegration(em, principal.tenantId, integration.id);
        return view(integration);
      }),

    createWebhook: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const id = newId();
        if (body.replyThrough) await findMailbox(em, body.replyThrough);
        const integration = em.create(Integration, {
          id,
          channel: 'webhook',
          name: body.name,
          address: id,
          settings: { replyThrough: body.replyThrough },
        });
        await em.flush();
        const secret = newSecret();
        await keepCredential(em, keys, {
          tenantId: principal.tenantId,
          ownerId: id,
          name: 'webhook-secret',
          value: secret,
        });
        recordChange(em, principal, integration, 'integration.created');
        return { integration: view(integration), secret, example: callExample(publicUrl, id, secret) };
      }),

    rotateWebhookSecret: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const integration = await findIntegration(em, params.id, 'webhook');
        const before = await revealCredential(em, keys, params.id, 'webhook-secret');
        const owner = { tenantId: principal.tenantId, ownerId: params.id };
        await keepCredential(em, keys, {
          ...owner,
          name: 'webhook-secret-previous',
          value: before,
          expiresAt: new Date(Date.now() + A_DAY_MS),
        });
        const secret = newSecret();
        await keepCredential(em, keys, { ...owner, name: 'webhook-secret', value: secret });
        recordChange(em, principal, integration, 'integration.secret_rotated');
        return { secret, example: callExample(publicUrl, params.id, secret) };
      }),

    callWebhook: async ({ principal, params }) => {
      const secret = await database.inTenant(principal.tenantId, async (em) => {
        await findIntegration(em, params.id, 'webhook');
        return revealCredential(em, keys, params.id, 'webhook-secret');
      });
      return callThroughDoor(publicUrl, params.id, secret);
    },

    changeIntegration: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const integration = await findIntegration(em, params.id, undefined, HELD);
        const { senderName, sendingLimit, subaddresses, replyThrough, ...fields } = body;
        em.assign(integration, fields);
        if (integration.channel === 'email') {
          const changed = given({ senderName, sendingLimit, subaddresses });
          integration.settings = { ...integration.mailboxSettings(), ...changed };
        }
        if (integration.channel === 'webhook' && replyThrough !== undefined) {
          if (replyThrough) await findMailbox(em, replyThrough);
          integration.settings = { ...integration.webhookSettings(), replyThrough };
        }
        integration.changed();
        recordChange(em, principal, integration, 'integration.changed');
        if (integration.channel === 'email') startApplyIntegration(em, principal.tenantId, integration.id);
        return view(integration);
      }),

    removeIntegration: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const integration = await findIntegration(em, params.id, undefined, HELD);
        integration.removedAt = new Date();
        await em.nativeDelete(Credential, { ownerId: params.id });
        recordChange(em, principal, integration, 'integration.removed');
        if (integration.channel === 'email') startApplyIntegration(em, principal.tenantId, params.id);
        return undefined;
      }),

    syncIntegration: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const integration = await findIntegration(em, params.id, 'email');
        // Somebody else's click, or the schedule, may be at it: then that one is shown.
        const running = await em.findOne(
          Sync,
          { integrationId: integration.id, state: 'running', id: integration.syncingBy ?? integration.id },
          { orderBy: { createdAt: 'desc' } },
        );
        if (running && integration.syncingUntil && integration.syncingUntil > new Date())
          return syncViewOf(em, running);
        const sync = em.create(Sync, { id: newId(), integrationId: integration.id, trigger: 'person' });
        await em.flush();
        startSync(em, principal.tenantId, integration.id, sync.id);
        audit(em, principal.actor, { action: 'mailbox.synced', subject: { kind: 'integration', id: integration.id } });
        return syncViewOf(em, sync);
      }),

    getSync: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const sync = await em.findOne(Sync, { id: params.id });
        if (!sync) throw new NotFound('sync.not-found', 'This synchronisation is no longer kept.');
        return syncViewOf(em, sync);
      }),

    listSetAside: ({ principal, query }) =>
      database.inTenant(principal.tenantId, (em) => setAsideList(em, query.cursor)),

    retryReceipt: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const receipt = await em.findOne(Receipt, { id: params.id, state: 'set_aside' });
        if (!receipt) throw new NotFound('receipt.not-found', 'This message is not set aside any more.');
        if ((await em.count(Receipt, { id: receipt.id, raw: null, format: 'email' })) > 0) {
          // There is nothing to read yet: a look at its mailbox by hand asks the server for it once more.
          const sync = em.create(Sync, { id: newId(), integrationId: receipt.integrationId, trigger: 'person' });
          startSync(em, principal.tenantId, receipt.integrationId, sync.id);
        } else {
          receipt.state = 'kept';
          receipt.runs += 1;
          startReceiveMessage(em, principal.tenantId, receipt.id, receipt.runs);
        }
        audit(em, principal.actor, { action: 'receipt.retried', subject: { kind: 'receipt', id: receipt.id } });
        return undefined;
      }),
  };
}

async function keepMailbox(
  em: EntityManager,
  principal: Principal,
  typedAddress: string,
  settings: MailboxSettings,
  name: string,
): Promise<Integration> {
  const address = typedAddress.toLowerCase();
  const known = await em.findOne(Integration, { channel: 'email', address, removedAt: null }, HELD);
  if (known) {
    // The same mailbox again, with a new password or other servers: it goes on where it stopped.
    const kept = known.mailboxSettings();
    em.assign(known, { name, settings: { ...kept, ...settings, since: kept.since } });
    known.reconnected();
    known.changed();
    recordChange(em, principal, known, 'integration.reconnected');
    return known;
  }
  const integration = em.create(Integration, { id: newId(), channel: 'email', name, address, settings });
  await em.flush();
  recordChange(em, principal, integration, 'integration.created');
  return integration;
}

export function recordChange(em: EntityManager, principal: Principal, integration: Integration, action: string): void {
  const { id, name, channel, state } = integration;
  audit(em, principal.actor, { action, subject: { kind: 'integration', id }, after: { name, channel, state } });
  announce(em, 'settings.changed', null, { integrationId: id });
}

export async function findIntegration(
  em: EntityManager,
  id: string,
  channel?: 'email' | 'webhook',
  options: { lockMode?: LockMode } = {},
): Promise<Integration> {
  const integration = await em.findOne(Integration, { id, removedAt: null, ...(channel ? { channel } : {}) }, options);
  if (!integration) throw new NotFound('integration.not-found', 'This channel is not connected any more.');
  return integration;
}

async function findMailbox(em: EntityManager, id: string): Promise<void> {
  const mailbox = await em.findOne(Integration, { id, channel: 'email', removedAt: null });
  if (!mailbox) throw new Invalid('integration.no-mailbox', 'Choose a connected mailbox to answer from.');
}

export async function findTrial(em: EntityManager, id: string): Promise<Trial> {
  const trial = await em.findOne(Trial, { id, kind: 'mailbox', expiresAt: { $gt: new Date() } });
  if (!trial) throw new NotFound('trial.not-found', 'This trial is over: enter the password again and try once more.');
  return trial;
}

/** Only what was asked for: the rest stays as it is. */
function given<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Fields>;
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64url')}`;
}
