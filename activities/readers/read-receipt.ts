// Reads a receipt by the reader of its format. The steps of one run follow each other within milliseconds in one
// process, so the last few readings are kept: a mail is parsed once, not once per step.
import { buffer } from 'node:stream/consumers';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { AttachmentStore } from '#domain/attachments/attachment-store.ts';
import type { Database } from '#domain/database/orm.ts';
import { type FetchedMedia, Receipt } from '#domain/integrations/receipt.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import { readCustom } from './custom.ts';
import { readEmail } from './email.ts';
import { type FetchedFile, type IncomingMessage, Unreadable } from './incoming-message.ts';
import { readPart } from './sms-parts.ts';
import { readTextMessage } from './text-message.ts';
import { readWhatsapp } from './whatsapp.ts';

const READINGS_KEPT = 32;
const LARGEST_KEPT_BYTES = 1_000_000;

export class ReceiptReader {
  readonly #database: Database;
  readonly #attachments: AttachmentStore;
  readonly #readings = new Map<string, IncomingMessage>();

  constructor(database: Database, attachments: AttachmentStore) {
    this.#database = database;
    this.#attachments = attachments;
  }

  /** @throws Unreadable when the raw form cannot be read or is no longer kept */
  async read(tenantId: string, receiptId: string): Promise<IncomingMessage> {
    return this.#readings.get(receiptId) ?? this.#database.inTenant(tenantId, (em) => this.readIn(em, receiptId));
  }

  /** The same within a transaction that is open anyway. */
  async readIn(em: EntityManager, receiptId: string): Promise<IncomingMessage> {
    const known = this.#readings.get(receiptId);
    if (known) return known;
    const receipts = await withItsSeries(em, receiptId);
    const { tenantId } = receipts[0]!;
    const { phoneRegion } = await em.findOneOrFail(Tenant, { id: tenantId });
    const message = await this.#readRaw(tenantId, receiptId, receipts, phoneRegion);
    const size = receipts.reduce((sum, { raw }) => sum + (raw?.length ?? 0), 0);
    // Neither what still lacks something, nor what others may join, is read once for all.
    if (size <= LARGEST_KEPT_BYTES && !message.media && !message.series) this.#keep(receiptId, message);
    return message;
  }

  #keep(receiptId: string, message: IncomingMessage): void {
    this.#readings.set(receiptId, message);
    const oldest = this.#readings.keys().next().value;
    if (this.#readings.size > READINGS_KEPT && oldest) this.#readings.delete(oldest);
  }

  async #readRaw(
    tenantId: string,
    receiptId: string,
    receipts: Receipt[],
    phoneRegion: string,
  ): Promise<IncomingMessage> {
    const receipt = receipts.find(({ id }) => id === receiptId)!;
    const receivedAt = receipt.origin.receivedAt ? new Date(receipt.origin.receivedAt) : receipt.createdAt;
    const raw = rawOf(receipt);
    switch (receipt.format) {
      case 'email':
        return readEmail(raw, receivedAt, receipt.origin.truncated);
      case 'custom':
        return readCustom(
          raw,
          { integrationId: receipt.integrationId, sourceId: receipt.sourceId, receivedAt },
          phoneRegion,
          await this.#fetched(tenantId, receipt),
        );
      case 'sms':
        if (!isOfMessagesApi(receipt, raw)) return late(receipt, readTextMessage(receipts.map(asPart), receiptId));
        return late(receipt, await readWhatsapp(raw, receivedAt, await this.#fetched(tenantId, receipt)));
      case 'whatsapp':
        return late(receipt, await readWhatsapp(raw, receivedAt, await this.#fetched(tenantId, receipt)));
    }
  }

  async #fetched(tenantId: string, { origin }: Receipt): Promise<FetchedFile[] | null> {
    if (!origin.media) return null;
    const load = async (one: FetchedMedia): Promise<FetchedFile> =>
      'problem' in one ? one : { content: await buffer(this.#attachments.read(tenantId, one.sha256)) };
    return Promise.all(origin.media.map(load));
  }
}

// The parts of a long SMS that belong together: of one that was recorded those it was made of, else all that wait.
async function withItsSeries(em: EntityManager, receiptId: string): Promise<Receipt[]> {
  const receipt = await em.findOneOrFail(Receipt, { id: receiptId }, { populate: ['raw'] });
  const { series } = receipt.origin;
  if (!series) return [receipt];
  const others = await em.execute<{ id: string }[]>(
    `select id from receipt
      where integration_id = ? and series = ? and id <> ? and raw is not null
        and created_at between ?::timestamptz - interval '1 hour' and ?::timestamptz + interval '1 hour'
        and case when ?::uuid is null then state = 'kept' else message_id = ?::uuid end`,
    [
      receipt.integrationId,
      series,
      receiptId,
      receipt.createdAt,
      receipt.createdAt,
      receipt.messageId ?? null,
      receipt.messageId ?? null,
    ],
  );
  const ids = [receiptId, ...others.map(({ id }) => id)];
  return em.find(Receipt, { id: { $in: ids } }, { populate: ['raw'] });
}

function rawOf({ raw }: Receipt): Buffer {
  if (!raw) throw new Unreadable('The raw form of this message is no longer kept.');
  return Buffer.from(raw);
}

function asPart(receipt: Receipt) {
  const { id, sourceId, createdAt, origin } = receipt;
  return readPart({ id, sourceId, raw: rawOf(receipt), encoding: origin.encoding ?? 'query', receivedAt: createdAt });
}

function isOfMessagesApi({ origin }: Receipt, raw: Buffer): boolean {
  return origin.encoding === 'json' && raw.includes('"message_uuid"');
}

function late({ origin }: Receipt, message: IncomingMessage): IncomingMessage {
  if (origin.stale) message.problems.push('Its signature was older than five minutes: the provider delivered it late.');
  return message;
}
