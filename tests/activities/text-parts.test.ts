import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Dependencies } from '#activities/dependencies.ts';
import { PATIENCE } from '#activities/dependencies.ts';
import { ReceiptReader } from '#activities/readers/read-receipt.ts';
import { createReceiving } from '#activities/receiving.ts';
import type { AttachmentStore } from '#domain/attachments/attachment-store.ts';
import { DiskStore } from '#domain/attachments/disk-store.ts';
import { Message } from '#domain/conversations/message.ts';
import type { Database } from '#domain/database/orm.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';
import { sms } from '../support/vonage.ts';

let db: TestDatabase;
let acme: string;
let integrationId: string;

beforeAll(async () => {
  db = await testDatabase();
  acme = await createTenant(db.database, 'acme');
  integrationId = newId();
  await db.database.inTenant(acme, async (em) => {
    const settings = { apiKey: 'a', applicationId: null, signatureAlgorithm: 'sha256' as const, threadWindowDays: 7 };
    em.create(Integration, { id: integrationId, channel: 'sms', name: 'n', address: '+33757000001', settings });
  });
});

afterAll(() => db?.close());

async function keepPart(place: number, text: string): Promise<string> {
  const id = newId();
  const parameters = sms({ text, concat: 'true', 'concat-ref': '1', 'concat-total': '2', 'concat-part': `${place}` });
  await db.database.inTenant(acme, async (em) => {
    em.create(Receipt, {
      id,
      integrationId,
      sourceId: parameters.messageId!,
      format: 'sms',
      raw: Buffer.from(new URLSearchParams(parameters).toString()),
      origin: { encoding: 'query', series: 'one' },
      expiresAt: new Date(Date.now() + 3600_000),
    });
  });
  return id;
}

/** The steps, with something that happens after the parts were read and before the message is written. */
function stepsWith(meanwhile: () => Promise<void>) {
  let calls = 0;
  const inTenant: Database['inTenant'] = async (tenantId, work) => {
    calls += 1;
    if (calls === 2) await meanwhile();
    return db.database.inTenant(tenantId, work);
  };
  const database = { inTenant } as Database;
  const attachments: AttachmentStore = new DiskStore(path.join(process.env.TEST_HOME!, 'files', newId()));
  const reader = new ReceiptReader(database, attachments);
  return createReceiving({ database, attachments, patience: PATIENCE } as Dependencies, reader);
}

describe('a part of a long SMS', () => {
  test('that another run has taken meanwhile does not stand in two messages', async () => {
    const [first, second] = [await keepPart(1, 'one'), await keepPart(2, 'two')];
    const takeSecond = () =>
      db.database.inTenant(acme, async (em) => {
        await em.nativeUpdate(Receipt, { id: second }, { state: 'done', messageId: newId() });
      });
    const record = (steps: ReturnType<typeof createReceiving>) =>
      new MockActivityEnvironment().run(steps.recordMessage, { tenantId: acme, receiptId: first });
    await expect(record(stepsWith(takeSecond))).rejects.toMatchObject({ type: 'part-taken' });
    expect(await db.database.inTenant(acme, (em) => em.count(Message, {}))).toBe(0);
    await record(stepsWith(async () => {}));
    const [message] = await db.database.inTenant(acme, (em) => em.find(Message, {}));
    expect(message!.text).toBe('one[…]');
  });
});
