// What the doors write, many calls in one commit: what one of them does is nothing to the others.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Call, ReceiptWriter } from '#api/webhooks/receipt-writer.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { RunRequest } from '#domain/record/run-request.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;
let receipts: ReceiptWriter;
let acme: { tenantId: string; integrationId: string };
let globex: { tenantId: string; integrationId: string };

beforeAll(async () => {
  db = await testDatabase();
  receipts = new ReceiptWriter(db.database);
  acme = await webhookOf('acme');
  globex = await webhookOf('globex');
});

afterAll(() => db?.close());

async function webhookOf(name: string) {
  const tenantId = await createTenant(db.database, name);
  const integrationId = newId();
  await db.database.inTenant(tenantId, async (em) => {
    em.create(Integration, { id: integrationId, channel: 'webhook', name, address: name, settings: {} });
  });
  return { tenantId, integrationId };
}

function call(of: typeof acme, sourceId: string, raw = Buffer.from(`of ${sourceId}`)): Call {
  return { ...of, sourceId, format: 'custom', raw, origin: {} };
}

/** What was kept of a company, and in how many transactions. */
async function keptOf({ tenantId }: typeof acme, like: string) {
  const { receipts, requests } = await db.database.inTenant(tenantId, async (em) => ({
    receipts: await em.find(
      Receipt,
      { sourceId: { $like: like } },
      { populate: ['raw'], orderBy: { sourceId: 'asc' } },
    ),
    requests: await em.find(RunRequest, {}),
  }));
  const { rows } = await db.owner.query(
    'select count(distinct xmin::text)::int as commits from receipt where source_id like $1',
    [like],
  );
  const asked = new Set(requests.map(({ input }) => input.receiptId));
  return { receipts, commits: rows[0].commits, allAsked: receipts.every(({ id }) => asked.has(id)) };
}

test('calls of two companies that come together are kept each for its own, in a few commits', async () => {
  const calls = Array.from({ length: 40 }, (_, at) =>
    call(at % 2 ? acme : globex, `burst-${String(at).padStart(2, '0')}`),
  );
  expect(await Promise.all(calls.map((one) => receipts.keep(one)))).toEqual(calls.map(() => true));
  for (const company of [acme, globex]) {
    const kept = await keptOf(company, 'burst-%');
    const own = calls.filter(({ tenantId }) => tenantId === company.tenantId);
    expect(kept.receipts.map(({ sourceId }) => sourceId)).toEqual(own.map(({ sourceId }) => sourceId));
    expect(kept.receipts.map(({ raw }) => String(Buffer.from(raw!)))).toEqual(own.map(({ raw }) => String(raw)));
    expect(kept.allAsked).toBe(true);
    expect(kept.commits).toBeLessThan(10);
  }
});

test('a call that names nothing that exists fails alone', async () => {
  const nowhere = { tenantId: acme.tenantId, integrationId: newId() };
  const calls = [call(acme, 'beside-1'), call(acme, 'beside-2'), call(nowhere, 'beside-3'), call(acme, 'beside-4')];
  const ends = await Promise.allSettled([call(acme, 'beside-0'), ...calls].map((one) => receipts.keep(one)));
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  const kept = await keptOf(acme, 'beside-%');
  expect(kept.receipts.map(({ sourceId }) => sourceId)).toEqual(['beside-0', 'beside-1', 'beside-2', 'beside-4']);
  expect(kept.allAsked).toBe(true);
});

test('the same calls from two processes at once, in any order, are new once each', async () => {
  const other = new ReceiptWriter(db.database);
  const calls = Array.from({ length: 60 }, (_, at) => call(acme, `same-${at}`));
  const ends = await Promise.all([
    ...calls.map((one) => receipts.keep(one)),
    ...calls.toReversed().map((one) => other.keep(one)),
    ...calls.map((one) => receipts.keep(one)),
  ]);
  expect(ends.filter((isNew) => isNew)).toHaveLength(calls.length);
  expect((await keptOf(acme, 'same-%')).receipts).toHaveLength(calls.length);
});

test('a large call goes alone, whole', async () => {
  const large = Buffer.alloc(3_000_000, 'x');
  const calls = [call(acme, 'size-0'), call(acme, 'size-1'), call(acme, 'size-2', large), call(acme, 'size-3')];
  expect(await Promise.all(calls.map((one) => receipts.keep(one)))).toEqual([true, true, true, true]);
  const { receipts: kept } = await keptOf(acme, 'size-%');
  expect(kept.map(({ raw }) => raw!.length)).toEqual(calls.map(({ raw }) => raw.length));
  const { rows } = await db.owner.query(
    'select count(*)::int as together from receipt where xmin = (select xmin from receipt where source_id = $1)',
    ['size-2'],
  );
  expect(rows[0].together).toBe(1);
});
