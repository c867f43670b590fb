// Reads a receipt by the reader of its format. The steps of one run follow each other within milliseconds in one
// process, so the last few readings are kept: a mail is parsed once, not once per step.
import type { Database } from '#domain/database/orm.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import { readCustom } from './custom.ts';
import { readEmail } from './email.ts';
import { type IncomingMessage, Unreadable } from './incoming-message.ts';

const READINGS_KEPT = 32;
const LARGEST_KEPT_BYTES = 1_000_000;

export class ReceiptReader {
  readonly #database: Database;
  readonly #readings = new Map<string, IncomingMessage>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** @throws Unreadable when the raw form cannot be read or is no longer kept */
  async read(tenantId: string, receiptId: string): Promise<IncomingMessage> {
    const known = this.#readings.get(receiptId);
    if (known) return known;
    const { receipt, phoneRegion } = await this.#database.inTenant(tenantId, async (em) => ({
      receipt: await em.findOneOrFail(Receipt, { id: receiptId }, { populate: ['raw'] }),
      phoneRegion: (await em.findOneOrFail(Tenant, { id: tenantId })).phoneRegion,
    }));
    if (!receipt.raw) throw new Unreadable('The raw form of this message is no longer kept.');
    const raw = Buffer.from(receipt.raw);
    const message = await readRaw(receipt, raw, phoneRegion);
    if (raw.length <= LARGEST_KEPT_BYTES) this.#keep(receiptId, message);
    return message;
  }

  #keep(receiptId: string, message: IncomingMessage): void {
    this.#readings.set(receiptId, message);
    const oldest = this.#readings.keys().next().value;
    if (this.#readings.size > READINGS_KEPT && oldest) this.#readings.delete(oldest);
  }
}

async function readRaw(receipt: Receipt, raw: Buffer, phoneRegion: string): Promise<IncomingMessage> {
  const receivedAt = receipt.origin.receivedAt ? new Date(receipt.origin.receivedAt) : receipt.createdAt;
  switch (receipt.format) {
    case 'email':
      return readEmail(raw, receivedAt, receipt.origin.truncated);
    case 'custom':
      return readCustom(
        raw,
        { integrationId: receipt.integrationId, sourceId: receipt.sourceId, receivedAt },
        phoneRegion,
      );
    default:
      throw new Unreadable(`There is no reader for ${receipt.format} yet.`);
  }
}
