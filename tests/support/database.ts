// A database of its own for each test file, cloned from the migrated one in a few milliseconds, seen through the
// application's role as the product sees it.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { Database } from '#domain/database/orm.ts';
import { DEFAULT_BUSINESS_HOURS, Tenant } from '#domain/tenancy/tenant.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { TEMPLATE } from './global-setup.ts';

export type TestDatabase = {
  database: Database;
  /** As the application connects. */
  url: string;
  /** As the owner of the tables: sees everything, for assertions only. */
  owner: pg.Client;
  ownerUrl: string;
  /** Past foreign keys and triggers: only to put rows where a test needs any row at all. */
  superuser: (sql: string, values: unknown[]) => Promise<void>;
  close: () => Promise<void>;
};

export async function testDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asSuperuser(`create database ${name} template ${TEMPLATE} strategy file_copy owner relais_owner`);
  const url = process.env.TEST_APP!.replace('DATABASE', name);
  const ownerUrl = process.env.TEST_OWNER!.replace('DATABASE', name);
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  const database = await Database.open({ url, poolSize: 24 });
  return {
    database,
    url,
    owner,
    ownerUrl,
    superuser: (sql, values) => withoutTriggers(name, sql, values),
    close: async () => {
      await database.close();
      await owner.end();
      await asSuperuser(`drop database ${name} with (force)`);
    },
  };
}

export async function asSuperuser(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.TEST_POSTGRES });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The cast: two companies in every test, so that one can try to see the other's things. */
export async function createTenant(database: Database, name: string): Promise<string> {
  const id = newId();
  await database.inTenant(id, async (em) => {
    em.create(Tenant, { id, tenantId: id, name, businessHours: ALWAYS_OPEN });
  });
  return id;
}

/** Follow-ups in tests come due at any hour of any day. */
const ALWAYS_OPEN = {
  ...DEFAULT_BUSINESS_HOURS,
  days: Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((day) => [day, [{ from: '00:00', to: '24:00' }]])),
};

async function withoutTriggers(name: string, sql: string, values: unknown[]): Promise<void> {
  const url = new URL(process.env.TEST_POSTGRES!);
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href, options: '-c session_replication_role=replica' });
  await client.connect();
  try {
    await client.query(sql, values);
  } finally {
    await client.end();
  }
}
