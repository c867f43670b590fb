// What a door was handed, untouched: kept before a webhook answers 2xx and before a mailbox cursor moves. It is the
// proof that nothing is lost, and the raw form is personal data: it carries the date on which it is forgotten, after
// which the row stays as the memory that this source id has been here.
import { defineEntity, p } from '@mikro-orm/core';
import { instant, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';

export const RECEIPT_RETENTION_DAYS = 30;

export const RECEIPT_FORMATS = ['email', 'sms', 'whatsapp', 'custom'] as const;
export type ReceiptFormat = (typeof RECEIPT_FORMATS)[number];

/** Where a mail stood in its mailbox, or what a webhook said beside its body. */
export type ReceiptOrigin = {
  folder?: string;
  uid?: number;
  uidValidity?: string;
  size?: number;
  receivedAt?: string;
  /** Mail older than the connection of its mailbox: kept and sorted, never answered. */
  backfill?: boolean;
  truncated?: boolean;
  /** The mail server took it for spam and put it aside. */
  junk?: boolean;
  /** How the bytes of a text message are to be read. */
  encoding?: 'query' | 'form' | 'json';
  /** Its signature held, and was older than a call on its way is: a late repeat of the provider. */
  stale?: boolean;
  /** The parts of one long SMS share this word; it names neither sender nor text. */
  series?: string;
  /** What was fetched of the files it names, in their order. */
  media?: FetchedMedia[];
};

export type FetchedMedia = { sha256: string } | { problem: string };

const ReceiptSchema = defineEntity({
  name: 'Receipt',
  properties: {
    ...tenantOwned,
    integrationId: p.uuid(),
    syncId: p.uuid().nullable(),
    /** `<folder>/<uidValidity>/<uid>` of a mail, the idempotency key of a webhook. */
    sourceId: p.string().length(700),
    format: p.enum(RECEIPT_FORMATS),
    raw: p.blob().nullable().lazy(),
    origin: p.json<ReceiptOrigin>(),
    state: p.enum(['kept', 'done', 'set_aside'] as const).default('kept'),
    outcome: p.enum(['new', 'duplicate', 'filtered'] as const).nullable(),
    /** For a person, when it was set aside: what is wrong with it. */
    problem: p.text().nullable(),
    messageId: p.uuid().nullable(),
    /** How often it was given to a run: a person may ask for another one. */
    runs: p.integer().default(1),
    expiresAt: instant(),
  },
  uniques: [referable, { properties: ['tenantId', 'integrationId', 'sourceId'] }],
  indexes: [
    { properties: ['tenantId', 'syncId'] },
    {
      name: 'receipt_set_aside',
      expression: `create index "receipt_set_aside" on "receipt" ("tenant_id", "created_at") where "state" = 'set_aside'`,
    },
    {
      name: 'receipt_expiry',
      expression: 'create index "receipt_expiry" on "receipt" ("expires_at") where "raw" is not null',
    },
  ],
});

export class Receipt extends ReceiptSchema.class {
  recorded(outcome: 'new' | 'duplicate', messageId: string): void {
    this.state = 'done';
    this.outcome = outcome;
    this.messageId = messageId;
    this.problem = null;
  }

  setAside(problem: string): void {
    this.state = 'set_aside';
    this.problem = problem;
  }
}
ReceiptSchema.setClass(Receipt);
