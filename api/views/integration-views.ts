// Channels, their trials and their synchronisations as the settings show them. No secret ever appears in one.
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { queries } from '#domain/database/tables.ts';
import type { Integration } from '#domain/integrations/integration.ts';
import { isConsented, type MailboxTrialInput } from '#domain/integrations/mailbox-trial.ts';
import type { Sync } from '#domain/integrations/sync.ts';
import { usualLimit } from '#domain/rules/sending-limit.ts';
import type { KeyRing } from '#domain/secrets/key-ring.ts';
import type { Trial } from '#domain/secrets/trial.ts';
import type { integrations } from '../contract/integrations.ts';
import type { Answer } from '../contract/route.ts';
import { page, readCursor } from '../paging.ts';
import { webhookUrl } from '../webhooks/call-example.ts';

export function integrationViewOf(
  integration: Integration,
  publicUrl: string,
): Answer<typeof integrations.changeIntegration> {
  return {
    id: integration.id,
    channel: integration.channel,
    name: integration.name,
    address: integration.address,
    state: integration.state,
    lastSuccessAt: integration.lastSuccessAt?.toISOString() ?? null,
    lastError: integration.lastError ?? null,
    lastErrorAt: integration.lastErrorAt?.toISOString() ?? null,
    failingSince: integration.failingSince?.toISOString() ?? null,
    nextLookAt: integration.nextLookAt()?.toISOString() ?? null,
    lastMailAt: integration.lastMailAt?.toISOString() ?? null,
    lagMs: integration.lagMs ?? null,
    isReading: (integration.syncingUntil?.getTime() ?? 0) > Date.now(),
    isWatched: integration.idleOffered ?? null,
    mailbox: integration.channel === 'email' ? mailboxViewOf(integration) : null,
    webhook:
      integration.channel === 'webhook'
        ? { url: webhookUrl(publicUrl, integration.id), replyThrough: integration.webhookSettings().replyThrough }
        : null,
    serverFolders: integration.serverFolders ?? null,
    number: numberViewOf(integration, publicUrl),
    createdAt: integration.createdAt.toISOString(),
  };
}

function mailboxViewOf(integration: Integration) {
  const settings = integration.mailboxSettings();
  return {
    ...settings,
    oauth: settings.oauth ?? null,
    subaddresses: integration.takesSubaddresses(),
    sendingLimit: settings.sendingLimit ?? null,
    usualLimit: usualLimit(settings.smtp.host, integration.address),
  };
}

function numberViewOf(integration: Integration, publicUrl: string) {
  const { channel } = integration;
  if (channel !== 'sms' && channel !== 'whatsapp') return null;
  const inboundUrl = `${publicUrl}/inbox/webhooks/${channel}`;
  return { ...integration.numberSettings(), inboundUrl, statusUrl: `${inboundUrl}/status` };
}

export function mailboxTrialViewOf(trial: Trial, keys: KeyRing): Answer<typeof integrations.getMailboxTrial> {
  type Result = Pick<Answer<typeof integrations.getMailboxTrial>, 'problems' | 'folders' | 'junk' | 'mails' | 'total'>;
  const input = trial.input<MailboxTrialInput>(keys);
  const consent = isConsented(input) ? input.consent : null;
  const result = trial.result<Result>(keys) ?? { problems: [], folders: [], junk: null, mails: [], total: 0 };
  return {
    id: trial.id,
    state: trial.state,
    address: input.address,
    oauth: consent?.provider ?? null,
    integrationId: consent?.integrationId ?? null,
    ...result,
  };
}

type Counts = { new: number; duplicates: number; newsletters: number; failed: number; pending: number };

export async function syncViewOf(em: EntityManager, sync: Sync): Promise<Answer<typeof integrations.getSync>> {
  const [counts] = await em.execute<Counts[]>(
    // What is recorded and not yet filtered may still turn out to be a newsletter.
    `select count(*) filter (where receipt.outcome = 'new' and message.kind is not null)::int as new,
            count(*) filter (where receipt.outcome = 'duplicate')::int as duplicates,
            count(*) filter (where receipt.outcome = 'filtered')::int as newsletters,
            count(*) filter (where receipt.state = 'set_aside')::int as failed,
            count(*) filter (where receipt.state = 'kept' or (receipt.outcome = 'new' and message.kind is null))::int as pending
       from receipt left join message on message.id = receipt.message_id
      where receipt.sync_id = ?`,
    [sync.id],
  );
  return {
    id: sync.id,
    state: sync.state,
    trigger: sync.trigger,
    seen: sync.seen,
    remaining: sync.remaining,
    ...(counts ?? { new: 0, duplicates: 0, newsletters: 0, failed: 0, pending: 0 }),
    error: sync.error ?? null,
    createdAt: sync.createdAt.toISOString(),
    finishedAt: sync.finishedAt?.toISOString() ?? null,
  };
}

const PAGE = 50;

export async function setAsideList(
  em: EntityManager,
  cursorText: string | undefined,
): Promise<Answer<typeof integrations.listSetAside>> {
  const cursor = readCursor(cursorText);
  let query = queries(em)
    .selectFrom('receipt')
    .select([
      'id',
      'integration_id',
      'format',
      'problem',
      'created_at',
      sql<number | null>`(origin ->> 'size')::int`.as('size'),
    ])
    .where('state', '=', 'set_aside')
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(PAGE + 1);
  if (cursor) query = query.where(sql<boolean>`(created_at, id) < (${cursor.at}::timestamptz, ${cursor.id}::uuid)`);
  const found = page(await query.execute(), PAGE, (row) => row.created_at);
  return {
    next: found.next,
    items: found.items.map((row) => ({
      id: row.id,
      integrationId: row.integration_id,
      format: row.format,
      problem: row.problem ?? null,
      size: row.size,
      createdAt: row.created_at.toISOString(),
    })),
  };
}
