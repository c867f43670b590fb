// A key is rotated from the command line while both keys are known.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Credential, keepCredential, revealCredential } from '#domain/secrets/credential.ts';
import { KeyRing } from '#domain/secrets/key-ring.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { PROJECT_ROOT } from '../../bin/house/home.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';

const run = promisify(execFile);
const OLD = Buffer.alloc(32, 1).toString('base64');
const NEW = Buffer.alloc(32, 2).toString('base64');

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db?.close());

function relais(env: NodeJS.ProcessEnv) {
  return run(process.execPath, [path.join(PROJECT_ROOT, 'bin', 'relais.ts'), 'reseal'], {
    env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL: db.url, ...env },
  });
}

test('every secret of every company opens with the new key alone afterwards', async () => {
  const owners: [tenantId: string, ownerId: string, secret: string][] = [];
  for (const name of ['acme', 'globex']) {
    const tenantId = await createTenant(db.database, name);
    const ownerId = newId();
    await db.database.inTenant(tenantId, async (em) => {
      await keepCredential(em, new KeyRing(OLD), {
        tenantId,
        ownerId,
        name: 'imap-password',
        value: `secret of ${name}`,
      });
    });
    owners.push([tenantId, ownerId, `secret of ${name}`]);
  }
  const both = { ENCRYPTION_KEY: NEW, ENCRYPTION_KEYS_PREVIOUS: OLD };
  expect((await relais(both)).stdout).toContain('2 secrets of 2 companies were sealed again');
  expect((await relais(both)).stdout).toContain('0 secrets of 2 companies were sealed again');
  for (const [tenantId, ownerId, secret] of owners) {
    await db.database.inTenant(tenantId, async (em) => {
      expect(await revealCredential(em, new KeyRing(NEW), ownerId, 'imap-password')).toBe(secret);
      expect(await em.count(Credential, {})).toBe(1);
    });
  }
});

test('without a key it says which setting is missing, and touches nothing', async () => {
  await expect(relais({ ENCRYPTION_KEY: '' })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ENCRYPTION_KEY: is required'),
  });
});
