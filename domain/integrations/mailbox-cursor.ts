// How far one folder of a mailbox has been read: RFC 9051's (UIDVALIDITY, UID). It moves in the transaction that keeps
// the receipts, so that a crash in mid-sync neither loses nor repeats.
import { defineEntity, p } from '@mikro-orm/core';
import { instant, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

const MailboxCursorSchema = defineEntity({
  name: 'MailboxCursor',
  properties: {
    ...tenantOwned,
    integrationId: p.uuid(),
    path: p.string().length(500),
    uidValidity: p.bigint('string'),
    lastUid: p.bigint('number'),
    checkedAt: instant(),
    /** How many mails the folder held when it was last compared with what was kept, whatever their age. */
    existing: p.integer().nullable(),
    /** Of these the ones received since the chosen day, and the ones among them that were never kept. */
    atServer: p.integer().nullable(),
    missing: p.integer().nullable(),
    comparedAt: instant().nullable(),
  },
  uniques: [{ properties: ['tenantId', 'integrationId', 'path'] }],
});

export class MailboxCursor extends MailboxCursorSchema.class {}
MailboxCursorSchema.setClass(MailboxCursor);
