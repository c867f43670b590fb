// A call that reached a door of text messages and was not let in: a signature that does not hold (a rotated secret, or
// somebody else's hand), none at all, one far too old, or a number nobody connected. Kept where an admin sees it, so
// that a day of messages is not lost in silence; once the cause is gone it is tried again as it came.
import { createHash } from 'node:crypto';
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { announce } from '#domain/record/event.ts';
import { CHANNELS, QUARANTINE_REASONS, type QuarantineReason } from '#domain/rules/words.ts';
import { instant, newId, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

/** What is needed to knock once more. */
export type CallAsItCame = {
  kind: 'message' | 'status';
  encoding: 'query' | 'form' | 'json';
  /** The token of the Messages API; it signs these very bytes and nothing else. */
  token: string | null;
};

const LARGEST_KEPT_BYTES = 16_384;
/** Anybody can knock: more than this is counted, and no longer kept. */
const MOST_KEPT = 500;
const QUARANTINE_DAYS = 30;

const QuarantinedCallSchema = defineEntity({
  name: 'QuarantinedCall',
  properties: {
    ...tenantOwned,
    channel: p.enum(CHANNELS),
    /** The connected number it was for; null when it is the account's, and no number of ours. */
    integrationId: p.uuid().nullable(),
    /** Our number it was written to, when the call says so. */
    number: p.string().length(40).nullable(),
    reason: p.enum(QUARANTINE_REASONS),
    /** SHA-256 of what came, or of the reason where nothing of it is kept: the same again is counted. */
    digest: p.string().length(64),
    count: p.integer().default(1),
    lastAt: instant(),
    raw: p.blob().nullable().lazy(),
    call: p.json<CallAsItCame>().nullable(),
    expiresAt: instant(),
  },
  uniques: [{ properties: ['tenantId', 'digest'] }],
  indexes: [{ properties: ['tenantId', 'lastAt'] }],
});

export class QuarantinedCall extends QuarantinedCallSchema.class {}
QuarantinedCallSchema.setClass(QuarantinedCall);

export type CallToQuarantine = {
  channel: 'sms' | 'whatsapp';
  integrationId: string | null;
  number: string | null;
  reason: QuarantineReason;
  /** Null counts it without keeping it. */
  kept: { raw: Buffer; call: CallAsItCame } | null;
};

/** @returns whether the call itself is kept, so that it can be tried again */
export async function quarantine(em: EntityManager, tenantId: string, asked: CallToQuarantine): Promise<boolean> {
  const isRoom = asked.kept !== null && asked.kept.raw.length <= LARGEST_KEPT_BYTES && (await hasRoom(em));
  const kept = isRoom ? asked.kept : null;
  const identity = kept ? kept.raw : `${asked.channel}/${asked.integrationId}/${asked.reason}`;
  const [row] = await em.execute<{ is_new: boolean }[]>(
    `insert into quarantined_call (id, tenant_id, created_at, channel, integration_id, number, reason, digest, count,
                                   last_at, raw, call, expires_at)
     values (?, ?, now(), ?, ?, ?, ?, ?, 1, now(), ?, ?, now() + ? * interval '1 day')
     on conflict (tenant_id, digest) do update set count = quarantined_call.count + 1, last_at = now()
     returning xmax = 0 as is_new`,
    [
      newId(),
      tenantId,
      asked.channel,
      asked.integrationId,
      asked.number?.slice(0, 40) ?? null,
      asked.reason,
      createHash('sha256').update(identity).digest('hex'),
      kept?.raw ?? null,
      kept ? JSON.stringify(kept.call) : null,
      QUARANTINE_DAYS,
    ],
  );
  // Anybody can knock as often as they like: only the first one is news.
  if (row?.is_new) announce(em, 'settings.changed', null, { reason: asked.reason });
  return kept !== null;
}

async function hasRoom(em: EntityManager): Promise<boolean> {
  return (await em.count(QuarantinedCall, {})) < MOST_KEPT;
}
