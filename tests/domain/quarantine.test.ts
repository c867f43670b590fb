import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { QuarantinedCall, quarantine } from '#domain/integrations/quarantined-call.ts';
import { Event } from '#domain/record/event.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;
let acme: string;
let globex: string;

beforeAll(async () => {
  db = await testDatabase();
  acme = await createTenant(db.database, 'acme');
  globex = await createTenant(db.database, 'globex');
});

afterAll(() => db?.close());

const call = { kind: 'message' as const, encoding: 'query' as const, token: null };

function refuse(raw: string, tenantId = acme): Promise<boolean> {
  return db.database.inTenant(tenantId, (em) =>
    quarantine(em, tenantId, {
      channel: 'sms',
      integrationId: null,
      number: '33757000001',
      reason: 'wrong-signature',
      kept: { raw: Buffer.from(raw), call },
    }),
  );
}

function rows(tenantId = acme) {
  return db.database.inTenant(tenantId, (em) =>
    em.find(QuarantinedCall, {}, { populate: ['raw'], orderBy: { createdAt: 'asc' } }),
  );
}

describe('a refused call', () => {
  test('that comes again is counted, in the company it was for, and is news once', async () => {
    for (let time = 0; time < 3; time += 1) expect(await refuse('text=again')).toBe(true);
    expect(await rows()).toMatchObject([{ count: 3, raw: Buffer.from('text=again') }]);
    expect(await rows(globex)).toEqual([]);
    const news = await db.database.inTenant(acme, (em) => em.count(Event, { name: 'settings.changed' }));
    expect(news).toBe(1);
  });

  test('that is larger than a message is counted and not kept', async () => {
    expect(await refuse('x'.repeat(20_000))).toBe(false);
    expect(await refuse('y'.repeat(20_000))).toBe(false);
    expect((await rows()).at(-1)).toMatchObject({ count: 2, raw: null, call: null });
  });

  test('beyond the five hundredth is counted and not kept', async () => {
    await db.owner.query(
      `insert into quarantined_call (id, tenant_id, created_at, channel, reason, digest, last_at, expires_at)
       select gen_random_uuid(), $1, now(), 'sms', 'wrong-signature', 'filler ' || n, now(), now()
         from generate_series(1, 500) as n`,
      [acme],
    );
    const before = (await rows()).length;
    for (let one = 0; one < 20; one += 1) expect(await refuse(`text=${one}`)).toBe(false);
    expect((await rows()).length).toBe(before);
    expect(await refuse('text=other', globex)).toBe(true);
  });
});
