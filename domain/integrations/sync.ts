// One look at a mailbox, by its schedule or by hand, or a walk through its older mail. Its counts of new mails, duplicates and newsletters are read from
// the receipts it kept, because their runs go on after it has ended.
import { defineEntity, p } from '@mikro-orm/core';
import { instant, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

const SyncSchema = defineEntity({
  name: 'Sync',
  properties: {
    ...tenantOwned,
    integrationId: p.uuid(),
    trigger: p.enum(['schedule', 'person', 'backfill'] as const),
    state: p.enum(['running', 'done', 'failed', 'cancelled'] as const).default('running'),
    /** Mails looked at, and of these the ones not kept before. */
    seen: p.integer().default(0),
    kept: p.integer().default(0),
    /** What the folders still hold beyond the cursor, when the server said so. */
    remaining: p.integer().default(0),
    error: p.text().nullable(),
    finishedAt: instant().nullable(),
  },
  uniques: [referable],
  indexes: [{ properties: ['tenantId', 'integrationId', 'createdAt'] }],
});

export class Sync extends SyncSchema.class {}
SyncSchema.setClass(Sync);
