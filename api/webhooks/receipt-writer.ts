// Keeps calls as receipts, each with the request for its run (keep_receipt of the database). A commit waits for the disk,
// so calls that come while one is under way share the next: a burst costs a few commits, a single call waits for nobody.
import type { Database } from '#domain/database/orm.ts';
import { faultPoint } from '#domain/fault-point.ts';
import { RECEIPT_RETENTION_DAYS, type Receipt, type ReceiptOrigin } from '#domain/integrations/receipt.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { WORKFLOWS, workflowIds } from '#workflows/contract.ts';

export type Call = {
  tenantId: string;
  integrationId: string;
  /** Unique in its integration; a call that names one that was kept is not kept again. */
  sourceId: string;
  format: Receipt['format'];
  raw: Buffer;
  origin: ReceiptOrigin;
};

type Waiting = { call: Call; kept: (isNew: boolean) => void; failed: (error: unknown) => void };

const CALLS_AT_ONCE = 16;
/** Larger calls go alone: nobody waits for a file of somebody else. */
const BYTES_AT_ONCE = 256_000;
const COMMITS_AT_ONCE = 2;

export class ReceiptWriter {
  readonly #database: Database;
  #waiting: Waiting[] = [];
  #committing = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @returns once it is committed: false when it had come before */
  async keep(call: Call): Promise<boolean> {
    await faultPoint('api.before_insert');
    const isNew = await new Promise<boolean>((kept, failed) => {
      this.#waiting.push({ call, kept, failed });
      this.#commitNext();
    });
    await faultPoint('api.after_commit_before_ack');
    this.#database.wakeRelay();
    return isNew;
  }

  #commitNext(): void {
    if (this.#waiting.length === 0 || this.#committing === COMMITS_AT_ONCE) return;
    this.#committing += 1;
    void this.#commit(this.#takeSome()).finally(() => {
      this.#committing -= 1;
      this.#commitNext();
    });
  }

  #takeSome(): Waiting[] {
    let bytes = 0;
    const beyond = this.#waiting.findIndex(({ call }, place) => {
      bytes += call.raw.length;
      return place === CALLS_AT_ONCE || (place > 0 && bytes > BYTES_AT_ONCE);
    });
    return this.#waiting.splice(0, beyond < 0 ? this.#waiting.length : beyond);
  }

  async #commit(some: Waiting[]): Promise<void> {
    try {
      const isNew = await this.#write(some.map(({ call }) => call));
      for (const [place, { kept }] of some.entries()) kept(isNew[place]!);
    } catch (error) {
      if (some.length === 1) return some[0]!.failed(error);
      // One of them may be the cause. Whether the others were committed does not matter: they are kept once.
      await Promise.all(some.map((one) => this.#commit([one])));
    }
  }

  /** In one statement, so in one transaction. @returns for each whether it is new */
  async #write(calls: Call[]): Promise<boolean[]> {
    const places = calls.map((call, place) => ({ call, place }));
    // Two that write the same calls at once take their locks in the same order.
    places.sort((one, other) => (keyOf(one.call) < keyOf(other.call) ? -1 : 1));
    const rows = await this.#database.callOutsideTenants<{ place: number; kept: boolean }>(
      statementFor(calls.length),
      places.flatMap(({ call }) => valuesOf(call)),
    );
    const isNew = new Array<boolean>(calls.length);
    for (const { place, kept } of rows) isNew[places[place]!.place] = kept;
    return isNew;
  }
}

function keyOf({ integrationId, sourceId }: Call): string {
  return `${integrationId}/${sourceId}`;
}

const VALUES_OF_ONE = 11;

function statementFor(calls: number): string {
  const one = (place: number) => {
    const values = Array.from({ length: VALUES_OF_ONE }, (_, at) => `$${place * VALUES_OF_ONE + at + 1}`);
    return `select ${place} as place, keep_receipt(${values.join(', ')}) as kept`;
  };
  return Array.from({ length: calls }, (_, place) => one(place)).join(' union all ');
}

function valuesOf({ tenantId, integrationId, sourceId, format, raw, origin }: Call): unknown[] {
  const receiptId = newId();
  return [
    receiptId,
    tenantId,
    integrationId,
    sourceId,
    format,
    raw,
    JSON.stringify(origin),
    `${RECEIPT_RETENTION_DAYS} days`,
    newId(),
    WORKFLOWS.receiveMessage,
    workflowIds.receiveMessage(tenantId, receiptId),
  ];
}
