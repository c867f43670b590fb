import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Credential, keepCredential, revealCredential } from '#domain/secrets/credential.ts';
import { KeyRing, SealBroken } from '#domain/secrets/key-ring.ts';
import { resealTenant } from '#domain/secrets/reseal.ts';
import { Trial } from '#domain/secrets/trial.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';

const OLD_KEY = Buffer.alloc(32, 1).toString('base64');
const NEW_KEY = Buffer.alloc(32, 2).toString('base64');
const place = { tenantId: newId(), table: 'credential', column: 'sealed', row: newId() };

describe('a sealed value', () => {
  test('opens at its own place to exactly what was sealed, whatever the text', () => {
    const keys = new KeyRing(OLD_KEY);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(keys.open(place, keys.seal(place, text))).toBe(text.toWellFormed());
      }),
    );
  });

  test('never comes out the same twice and never shows its text', () => {
    const keys = new KeyRing(OLD_KEY);
    const sealed = Array.from({ length: 200 }, () => keys.seal(place, 'hunter2'));
    expect(new Set(sealed).size).toBe(200);
    expect(sealed.some((value) => value.includes('hunter2'))).toBe(false);
  });

  test.each(['tenantId', 'table', 'column', 'row'] as const)('does not open when it is moved to another %s', (part) => {
    const keys = new KeyRing(OLD_KEY);
    const sealed = keys.seal(place, 'hunter2');
    expect(() => keys.open({ ...place, [part]: 'elsewhere' }, sealed)).toThrow(SealBroken);
  });

  test('does not open when two neighbouring parts of its place change places', () => {
    const keys = new KeyRing(OLD_KEY);
    const sealed = keys.seal({ ...place, table: 'ab', column: 'c' }, 'hunter2');
    expect(() => keys.open({ ...place, table: 'a', column: 'bc' }, sealed)).toThrow(SealBroken);
  });

  test('does not open when any of its bytes was altered', () => {
    const keys = new KeyRing(OLD_KEY);
    const sealed = keys.seal(place, 'hunter2');
    const [format, id, body] = sealed.split('.') as [string, string, string];
    const bytes = Buffer.from(body, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const altered = Buffer.from(bytes);
      altered[index] = altered[index]! ^ 1;
      expect(() => keys.open(place, `${format}.${id}.${altered.toString('base64url')}`)).toThrow(SealBroken);
    }
  });

  test('says which key is missing', () => {
    const sealed = new KeyRing(OLD_KEY).seal(place, 'hunter2');
    expect(() => new KeyRing(NEW_KEY).open(place, sealed)).toThrow(/ENCRYPTION_KEYS_PREVIOUS/);
  });
});

describe('in the database', () => {
  let db: TestDatabase;
  let acme: string;
  let globex: string;

  beforeAll(async () => {
    db = await testDatabase();
    acme = await createTenant(db.database, 'acme');
    globex = await createTenant(db.database, 'globex');
  });

  afterAll(() => db?.close());

  test('a password is nowhere in clear, and another company cannot open a copied row', async () => {
    const keys = new KeyRing(OLD_KEY);
    const ownerId = newId();
    await db.database.inTenant(acme, (em) =>
      keepCredential(em, keys, { tenantId: acme, ownerId, name: 'imap-password', value: 'hunter2' }),
    );
    const { rows } = await db.owner.query('select id, sealed from credential where tenant_id = $1', [acme]);
    expect(rows[0].sealed).not.toContain('hunter2');
    await db.owner.query(
      `insert into credential (id, tenant_id, created_at, owner_id, name, sealed) values ($1, $2, now(), $3, 'imap-password', $4)`,
      [newId(), globex, ownerId, rows[0].sealed],
    );
    await expect(
      db.database.inTenant(globex, (em) => revealCredential(em, keys, ownerId, 'imap-password')),
    ).rejects.toThrow(SealBroken);
    expect(await db.database.inTenant(acme, (em) => revealCredential(em, keys, ownerId, 'imap-password'))).toBe(
      'hunter2',
    );
  });

  test('a rotation seals everything under the new key while values of both keys keep opening', async () => {
    const before = new KeyRing(OLD_KEY);
    const ownerId = newId();
    const trialId = newId();
    await db.database.inTenant(acme, async (em) => {
      await keepCredential(em, before, { tenantId: acme, ownerId, name: 'webhook-secret', value: 'whsec' });
      em.create(Trial, {
        id: trialId,
        kind: 'mailbox',
        sealedInput: Trial.sealInput(before, acme, trialId, { password: 'typed' }),
        expiresAt: new Date(Date.now() + 60_000),
      });
    });
    const during = new KeyRing(NEW_KEY, [OLD_KEY]);
    expect(await db.database.inTenant(acme, (em) => revealCredential(em, during, ownerId, 'webhook-secret'))).toBe(
      'whsec',
    );
    expect(await db.database.inTenant(acme, (em) => resealTenant(em, during))).toBeGreaterThanOrEqual(2);
    expect(await db.database.inTenant(acme, (em) => resealTenant(em, during))).toBe(0);
    const after = new KeyRing(NEW_KEY);
    expect(await db.database.inTenant(acme, (em) => revealCredential(em, after, ownerId, 'webhook-secret'))).toBe(
      'whsec',
    );
    const trial = await db.database.inTenant(acme, (em) => em.findOneOrFail(Trial, { id: trialId }));
    expect(trial.input(after)).toEqual({ password: 'typed' });
    const left = await db.database.inTenant(acme, (em) => em.find(Credential, {}));
    expect(left.every((credential) => KeyRing.keyIdOf(credential.sealed) === after.currentKeyId)).toBe(true);
  });
});
